# SPDX-License-Identifier: GPL-2.0-only
"""The Debian packages: what is installed where, what they need, their pages and their changelog."""

import os
import re
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from irqcost import ROOT, cli
from irqcost.base import layout
from irqcost.vm import module

sys.path[:0] = [str(ROOT / "packaging"), str(ROOT / "scripts" / "ci")]
import changelog  # noqa: E402
import packages  # noqa: E402
import relations  # noqa: E402

_PYTHON = "/usr/bin/python3"
# What the command reads below its folder, wherever that is.
_READ = (
    *("irqcost", "VERSION", "installed.json", "scripts/packages.txt", "docs/result.schema.json"),
    *("scripts/irqcost/cli.py", "scripts/irqcost/model/description.json"),
    *("scripts/irqcost/compare/check.toml", "scripts/irqcost/output/page/article.html.j2"),
    *("results/published/costs.csv", "results/published/traits.csv"),
    *("results/emulated/counts/kernels.json", "bench_kmod/include/irqcost/abi.h"),
    *("bench_kmod/tests/guest.config", "fleet/irqcost.yml", "fleet/library/irqcost_host.py"),
)


_HELP = "x does.\\n\\n  --flag=N  what it does\\n"
# As packaging/build asks of the distribution, as far as lintian sees it.
_HARDENED = {"LDFLAGS": "-Wl,-z,relro -Wl,-z,now", "SOURCE_DATE_EPOCH": "1790000000"}


def project(folder: Path, *options: str) -> Path:
    """A build of packaging/ with a harness that only has a help."""
    if not shutil.which("cmake"):
        pytest.skip("cmake is not installed")
    (folder / "main.cc").write_text(f'#include <cstdio>\nint main() {{ std::puts("{_HELP}"); }}\n')
    (folder / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.22)\n"
        f"project(irqcost VERSION {layout.version()} LANGUAGES CXX)\n"
        f"set(PROJECT_SOURCE_DIR {ROOT})\n"
        "add_executable(irqcost_bench main.cc)\n"
        "set_target_properties(irqcost_bench PROPERTIES OUTPUT_NAME irqcost-bench)\n"
        f"add_subdirectory({ROOT / 'packaging'} packaging)\n"
    )
    build = folder / "build"
    must(["cmake", "-S", str(folder), "-B", str(build), *options])
    must(["cmake", "--build", str(build)])
    return build


def must(command: list[str]) -> str:
    """What a command writes; it succeeds."""
    environment = {**os.environ, **_HARDENED, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both components, installed by CMake below a folder."""
    folder = tmp_path_factory.mktemp("install")
    # As where the tests have run, which is not to be installed.
    (ROOT / "bench_kmod" / "tests" / "__pycache__").mkdir(exist_ok=True)
    prefix = folder / "usr"
    must(["cmake", "--install", str(project(folder, f"-DCMAKE_INSTALL_PREFIX={prefix}"))])
    return prefix


@pytest.fixture(scope="module")
def debs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The packages, by name."""
    for tool in ("cpack", "dpkg-shlibdeps", "pandoc", "help2man", "register-python-argcomplete"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    folder = tmp_path_factory.mktemp("debs")
    build = project(folder, "-DIRQCOST_PAGES=ON", "-DCMAKE_INSTALL_PREFIX=/usr")
    must(["cpack", "--config", str(build / "CPackConfig.cmake"), "-B", str(folder / "made")])
    return {one.name.partition("_")[0]: one for one in (folder / "made").glob("*.deb")}


def field(deb: Path, name: str) -> str:
    return must(["dpkg-deb", "--field", str(deb), name]).strip()


def test_the_packages_have_what_they_should(debs: dict[str, Path]) -> None:
    listed = {name: must(["dpkg-deb", "--contents", str(deb)]) for name, deb in debs.items()}
    assert set(listed) == {"irqcost", "irqcost-dkms"}
    for path in (
        *("bin/irqcost -> ../share/irqcost/irqcost", "bin/irqcost-bench"),
        *("share/man/man1/irqcost.1.gz", "share/man/man1/irqcost-bench.1.gz"),
        *("share/man/man4/irqcost.4.gz", "share/man/man5/irqcost-results.5.gz"),
        *("share/bash-completion/completions/irqcost", "share/zsh/vendor-completions/_irqcost"),
        *("lib/udev/rules.d/70-irqcost.rules", "share/doc/irqcost/RESULTS.md"),
        *("lib/systemd/system/irqcost-measure.timer", "lib/systemd/system/irqcost-push.service"),
        "lib/systemd/system/irqcost-measure.service",
    ):
        assert f" ./usr/{path}\n" in listed["irqcost"], path
    assert f" ./usr/src/irqcost-{layout.version()}/dkms.conf\n" in listed["irqcost-dkms"]
    for name, text in listed.items():
        owners = {line.split()[1] for line in text.splitlines()}
        assert owners == {"root/root"} and f" ./usr/share/doc/{name}/copyright\n" in text
        assert not re.search(r"^.{5}w|^.{8}w", text.replace("lrwxrwxrwx", ""), re.MULTILINE)
    assert "python3-numpy" in field(debs["irqcost"], "Depends")
    assert "libc6" in field(debs["irqcost"], "Depends")
    assert field(debs["irqcost-dkms"], "Architecture") == "all"
    assert field(debs["irqcost-dkms"], "Depends") == "dkms"
    # A link there would enable a unit.
    assert "systemd" in listed["irqcost"] and ".wants/" not in listed["irqcost"]


def test_no_script_enables_or_starts_a_unit() -> None:
    for script in (ROOT / "packaging" / "debian").glob("irqcost.*"):
        text = re.sub(r"(?m)^\s*#.*$", "", script.read_text("utf-8"))
        assert not re.search(r"\b(?:enable|start|restart|unmask)\b", text), script.name


def test_lintian_finds_nothing_but_the_named_exceptions(debs: dict[str, Path]) -> None:
    if not shutil.which("lintian"):
        pytest.skip("lintian is not installed")
    # Of less weight it says that exceptions for the real harness find nothing in this one.
    must(["lintian", "--allow-root", "--fail-on=error,warning", *map(str, debs.values())])


def test_what_the_command_reads_is_installed(installed: Path) -> None:
    tree = installed / "share" / "irqcost"
    assert [name for name in _READ if not (tree / name).is_file()] == []
    assert list((tree / "results/emulated/executed").glob("*.json"))
    assert not list(tree.rglob("__pycache__"))
    assert layout.installed(tree) == layout.Installed(
        installed / "bin/irqcost-bench", installed / f"src/irqcost-{layout.version()}"
    )
    assert (installed / "bin/irqcost-bench").is_file()
    assert (installed / "lib/udev/rules.d/70-irqcost.rules").is_file()


def test_the_installed_command_works_from_any_folder(installed: Path, tmp_path: Path) -> None:
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [installed / "bin/irqcost", *arguments],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "IRQCOST_INSTALL": "yes"},
            capture_output=True,
            text=True,
        )

    assert run("--version").stdout == f"irqcost {layout.version()}\n"
    done = run("probes", "--json")
    assert done.returncode == 0 and '"key": "cli_sti"' in done.stdout
    done = run("test")
    assert done.returncode == 2 and "use a checkout" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_modules_sources_are_those_that_dkms_needs(installed: Path) -> None:
    """Every file that the module is made of, and no link out of the folder."""
    folder = installed / f"src/irqcost-{layout.version()}"
    wanted = {str(one.relative_to(module.SOURCES)) for one in module.source_files()}
    found = {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}
    assert wanted | {"dkms.conf"} == found
    assert not any(one.is_symlink() for one in folder.rglob("*"))
    script = f". {folder}/dkms.conf; echo $PACKAGE_NAME/$PACKAGE_VERSION"
    said = subprocess.check_output(["bash", "-c", script], text=True)
    assert said == f"irqcost/{layout.version()}\n"


def test_what_a_package_needs_follows_the_list() -> None:
    text = (
        "# none\nall command:python3 python3 - -\nrun,test python:a python3-a - -\n"
        "build command:cmake cmake - -\ncompare,test python:b python3-b - -\n"
        "run?,vm? python:c python3-c - -\nvm,test command:d d|e - -\ntest python:f f - -\n"
        "compare,lint python:a python3-a - -\nvm command:dpkg-deb dpkg - -\n"
    )
    assert relations.relations(text, "3.11") == {
        "Depends": ["python3 (>= 3.11)", "python3-a"],
        "Recommends": ["python3-b", "python3-c"],
        "Suggests": ["d | e"],
    }


def test_every_command_line_is_read_without_what_is_recommended() -> None:
    """So that --version, --help and the completion work with what the package depends on."""
    lines = (ROOT / "scripts" / "packages.txt").read_text("utf-8").splitlines()
    known = [line.split()[:2] for line in lines if line and not line.startswith("#")]
    missing = [
        sign.removeprefix("python:")
        for commands, sign in known
        if sign.startswith("python:") and relations.relation(commands.split(",")) != "Depends"
    ]
    assert "jinja2" in missing
    code = (
        "import sys\n"
        f"for name in {missing}: sys.modules[name] = None\n"
        "from irqcost import cli\n"
        "cli.parser()"
    )
    must([sys.executable, "-c", code])


def test_the_changelog_is_debians() -> None:
    text = "# x\n\n## 1.2, not released\n\n### Added\n- `a`\n  b\n\n## 1.1, 2026-01-02\n\n- c\n"
    now = datetime(2026, 3, 4, tzinfo=timezone.utc)
    newest, oldest = changelog.entries(text, "p", "N <n@example.org>", now)
    assert newest == (
        "p (1.2-1) UNRELEASED; urgency=low\n\n  [ Added ]\n  * a b\n\n"
        " -- N <n@example.org>  Wed, 04 Mar 2026 00:00:00 +0000\n"
    )
    assert oldest.startswith("p (1.1-1) unstable;") and "Fri, 02 Jan 2026" in oldest


def test_the_page_of_the_device_has_every_request() -> None:
    header = (ROOT / "bench_kmod/include/irqcost/abi.h").read_text(encoding="utf-8")
    requests = set(re.findall(r"#define (IRQCOST_IOC_\w+) _IO", header))
    page = (ROOT / "docs/DEVICE.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(IRQCOST_IOC_\w+)`", page)) == requests
    # Every error that the module returns by name.
    sources = "".join(one.read_text("utf-8") for one in (ROOT / "bench_kmod").glob("*.c"))
    returned = set(re.findall(r"return -(E[A-Z0-9]+);", sources))
    assert returned - set(re.findall(r"`(E[A-Z0-9]+)`", page)) == set()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The man pages, that of the harness from a program that has a help."""
    for tool in ("pandoc", "help2man", "man"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    folder = tmp_path_factory.mktemp("pages")
    bench = folder / "irqcost-bench"
    bench.write_text("#!/bin/sh\necho 'x does.\n\n  --flag=N  what it does'\n")
    bench.chmod(0o755)
    script = [_PYTHON, str(ROOT / "packaging" / "pages.py")]
    subprocess.run([*script, "--bench", str(bench), "--out", str(folder / "man")], check=True)
    return folder / "man"


def page(path: Path) -> str:
    """A man page as text; it has no fault that man warns of."""
    done = subprocess.run(
        ["man", "--warnings", "-l", str(path)],
        env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "100"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout


def test_every_command_and_option_has_its_place_in_the_page(pages: Path) -> None:
    text = page(pages / "irqcost.1.gz")
    for name, one in cli.COMMANDS.items():
        assert (f"\nIRQCOST {name.upper()}\n" in text) != one.develops, name
    assert "--filter REGEX" in text and "--baseline FILE|FOLDER" in text
    assert "./irqcost" not in text and "NAME\n       irqcost - measure" in text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("irqcost-bench.1", ["--flag=N", "SEE ALSO"]),
        ("irqcost.4", ["IRQCOST_IOC_RUN", "REQUESTS", "/dev/irqcost"]),
        ("irqcost-results.5", ["core_cycles", "unit: TSC ticks", "SEE ALSO"]),
    ],
)
def test_pages(pages: Path, name: str, words: list[str]) -> None:
    text = page(pages / f"{name}.gz")
    assert [word for word in words if word not in text] == []


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg-deb is not installed")
def test_a_newer_package_differs_by_its_version(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    version = layout.version()
    (tree / "DEBIAN/control").write_text(
        f"Package: irqcost\nVersion: {version}-1\nArchitecture: all\n"
        "Maintainer: N <n@example.org>\nDescription: x\n"
    )
    deb = tmp_path / f"irqcost_{version}-1_all.deb"
    subprocess.run(["dpkg-deb", "--build", str(tree), str(deb)], check=True)
    packages.newer(deb, tmp_path / "newer")
    (made,) = (tmp_path / "newer").iterdir()
    said = subprocess.check_output(["dpkg-deb", "--field", str(made), "Version"], text=True)
    assert said == f"{version}-2\n"


def test_the_system_is_tried_with_what_the_packages_have() -> None:
    """Each page and each way out of the system is a step."""
    args = packages._parser().parse_args([])
    names = [one.name for one in packages.steps(args, "1", ["6.1.0"])]
    wanted = [
        "install what it recommends",
        "run --quick",
        "man 4 irqcost",
        "completion in zsh",
        "upgrade",
    ]
    wanted += ["DKMS for 6.1.0", "remove", "purge", "nothing is left", "results stay"]
    assert [one for one in names if one in wanted] == wanted
