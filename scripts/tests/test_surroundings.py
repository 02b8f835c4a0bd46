# SPDX-License-Identifier: GPL-2.0-only
"""What lies in the current folder is its owner's: no library, interpreter or front takes settings,
modules, libraries or programs from there, whatever the environment says."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from irqcost import ROOT, cli
from irqcost.base.safety import surroundings
from irqcost.measure import build
from results import DATA, committed, path

# By name, what would be found and used: of each a copy that leaves a trace.
_SETTINGS = (
    *("matplotlibrc", "dask.yaml", "distributed.yaml", ".dask/config.yaml", "setup.cfg"),
    *("numpy.cfg", "site.cfg", ".numpy-site.cfg", "pyvenv.cfg", "tqdm.cfg", ".gitconfig"),
    "ansible.cfg",
)
_MODULES = (
    *("json", "numpy", "argparse", "matplotlib", "PIL", "capstone", "jinja2", "tqdm", "yaml"),
    *("distributed", "dask", "multiprocessing", "socket", "signal", "_bootlocale", "cycler"),
    *("sitecustomize", "usercustomize", "irqcost", "rich", "markupsafe", "kiwisolver", "sqlite3"),
    "ansible",
)
_PROGRAMS = (
    "cpp",
    "cmake",
    "as",
    "objcopy",
    "git",
    "fc-list",
    "getent",
    "env",
    "awk",
    "paste",
    "python3",
)
_LIBRARIES = ("libcapstone.so.4", "libcapstone.so", "libz.so.1", "libsqlite3.so.0")

# Notes each file of the current folder that Python opens, lists or imports.
_AUDIT = """
import os, sys
here = os.getcwd()
def note(event, arguments):
    if event not in ("open", "os.listdir", "os.scandir", "import", "ctypes.dlopen"):
        return
    for one in arguments[:2]:
        if isinstance(one, (str, bytes)) and os.fsdecode(one) not in ("", "."):
            name = os.fsdecode(one)
            whole = os.path.join(os.getcwd(), name) if event == "open" or "/" in name else name
            if os.path.dirname(whole) == here and os.path.lexists(whole):
                # Processes that work for this one have none of its descriptors.
                notes = os.open(os.environ["NOTES"], os.O_WRONLY | os.O_APPEND)
                os.write(notes, f"{event} {whole}\\n".encode())
                os.close(notes)
sys.addaudithook(note)
"""


@pytest.fixture(name="planted")
def _planted(tmp_path: Path) -> Path:
    """A folder with all that anybody could leave in it."""
    folder = tmp_path / "planted"
    folder.mkdir()
    for name in _SETTINGS:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("axes.prop_cycle: cycler(color=[1/0])\nfigure.dpi: 5000\n")
    for name in _MODULES:
        (folder / f"{name}.py").write_text("import os; os.mkdir('owned')\nraise SystemExit(99)\n")
    for name in _PROGRAMS:
        (folder / name).write_text("#!/bin/sh\nmkdir owned; exit 99\n")
        (folder / name).chmod(0o755)
    for name in _LIBRARIES:
        (folder / name).write_text("no library\n")
    return folder


def _commands(out: Path) -> dict[str, list[str]]:
    """Each command of irqcost, so that it does some of its work."""
    alpha, beta, bench = str(path("alpha")), str(path("beta")), str(build.bench())
    (drawn, *_) = committed("emulated/*-contention.svg")
    waited = str(drawn).replace("-contention.svg", ".json")
    few = ("--filter", "/popf/throughput")
    return {
        "run": ["run", "--quick", "--filter", "/popf/", "--out", f"{out}/run.json"],
        "sweep": ["sweep", "popf", "--samples", "20", "--out", f"{out}/sweep"],
        "selftest": ["selftest", "--quick", "--trials", "1", "--out", f"{out}/selftest"],
        "ab": ["ab", bench, bench, "--pairs", "2", *few],
        "bisect": ["bisect", "HEAD", "no-such", "--benchmark", "kmod/cli_sti/throughput"],
        "vm": ["vm", "--kernel", str(out / "no-such-kernel")],
        "compare": ["compare", alpha, beta, "--out", f"{out}/x", "--chart", "bars"],
        "report": ["report", alpha, beta, "-o", f"{out}/page"],
        "site": ["site", alpha, beta, "-o", f"{out}/site"],
        "submit": ["submit", alpha],
        "contention": ["contention", waited, "--out", f"{out}/contention"],
        "fleet": ["fleet", "-i", str(DATA / "local.ini"), "--check"],
        "export": ["export", "--csv", alpha, "-o", f"{out}/figures.csv"],
        "push": ["push", str(out), alpha],
        "history": ["history", alpha, "--out", f"{out}/x"],
        "check": ["check", alpha, "--baseline", beta],
        "disasm": ["disasm", "cli_sti"],
        "doctor": ["doctor"],
        "doctor --host": ["doctor", "--host"],
        "tune": ["tune", "--dry-run"],
        "probes": ["probes"],
    }


# They run a developer's tools over a checkout that they trust.
_DEVELOPERS = {"test", "lint"}


def test_every_command_is_tried_among_planted_files() -> None:
    tried = {name.partition(" ")[0] for name in _commands(Path())}
    assert tried | _DEVELOPERS == set(cli.COMMANDS)


@pytest.mark.parametrize("name", _commands(Path()))
def test_no_command_takes_anything_from_the_current_folder(
    name: str, planted: Path, tmp_path: Path
) -> None:
    if name in ("run", "sweep", "selftest", "ab") and not build.bench().exists():
        pytest.skip("the harness is not built")
    audit = tmp_path / "audit"
    audit.mkdir()
    (audit / "sitecustomize.py").write_text(_AUDIT)
    arguments = _commands(tmp_path / "out")[name]
    (tmp_path / "notes").touch()
    done = subprocess.run(
        [str(ROOT / "irqcost"), "--no-install", *arguments],
        cwd=planted,
        env={
            **{key: value for key, value in os.environ.items() if key != "PYTHONSAFEPATH"},
            "PATH": f":.:{os.environ['PATH']}::planted",
            "PYTHONPATH": f":.:{audit}:",
            "LD_LIBRARY_PATH": ":.",
            "MATPLOTLIBRC": str(planted / "matplotlibrc"),
            "NOTES": str(tmp_path / "notes"),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "MPLCONFIGDIR": str(tmp_path.parent / "matplotlib"),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1, 2, 3), done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert (tmp_path / "notes").read_text() == ""
    assert not (planted / "owned").exists()
    if name in ("bisect", "vm") and "irqcost: missing:" in done.stderr:
        pytest.skip("the tools that build kernels are not installed")
    assert "missing:" not in done.stderr, done.stderr


def test_settings_of_the_current_folder_change_no_chart(planted: Path, tmp_path: Path) -> None:
    """Nor those of the user: the same result gives the same picture everywhere."""
    pictures = []
    for number, folder in enumerate((planted, tmp_path)):
        script = (
            "import sys; from irqcost.output import charts; charts.load()\n"
            "import matplotlib; print(matplotlib.rcParams['figure.dpi'])"
        )
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "PYTHONSAFEPATH": "1"}
        environment["MATPLOTLIBRC"] = str(planted / "matplotlibrc")
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0 and not done.stderr, (number, done.stderr)
        pictures.append(done.stdout)
    assert pictures[0] == pictures[1] == "100.0\n"


def _front(script: str, **environment: str) -> str:
    """What the front prints where it would start Python."""
    text = (ROOT / "irqcost").read_text(encoding="utf-8")
    head = text[: text.index("list=$root")].replace("${BASH_SOURCE[0]}", f"{ROOT}/irqcost")
    return subprocess.check_output(
        ["bash", "-c", f"{head}\n{script}"], env=environment, text=True, cwd="/"
    )


def test_lists_of_folders_keep_what_is_absolute() -> None:
    absolute: Callable[[str], str] = lambda one: _front(
        f"absolute '{one}'", PATH=os.environ["PATH"]
    )
    assert absolute(":.:/a:b/c::/d e:") == "/a:/d e"
    assert absolute("") == absolute(".:") == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, whose home it is not")
def test_root_does_not_use_the_home_of_somebody_else(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    script = 'printf %s "$HOME"'
    assert _front(script, PATH=os.environ["PATH"], HOME=str(tmp_path)) != str(tmp_path)
    os.chown(tmp_path, 0, 0)
    assert _front(script, PATH=os.environ["PATH"], HOME=str(tmp_path)) == str(tmp_path)


def test_a_library_is_loaded_elsewhere_and_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "looks_around.py").write_text("import os; where = os.getcwd()\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.chdir(tmp_path)
    seen: list[object] = []
    before = list(sys.meta_path)
    surroundings.load_apart("looks_around", seen.append)
    import looks_around  # type: ignore[import]

    assert looks_around.where == str(Path(surroundings.__file__).parent)
    assert seen == [looks_around] and os.getcwd() == str(tmp_path) and sys.meta_path == before
