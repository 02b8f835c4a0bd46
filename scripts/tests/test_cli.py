# SPDX-License-Identifier: GPL-2.0-only
"""The command line, the bash in front of it, and the counting of tests."""

import os
import subprocess
from pathlib import Path

import pytest

from irqcost import ROOT, cli
from irqcost.base.errors import IrqcostError
from irqcost.commands.project import lint, linters, suites
from irqcost.commands.project.suites import Counts
from irqcost.stats import intervals
from irqcost.vm.architectures import ARCHITECTURES

_COMMANDS = (
    "run",
    "compare",
    "report",
    "site",
    "submit",
    "check",
    "history",
    "export",
    "push",
    "contention",
    "fleet",
    "sweep",
    "ab",
    "bisect",
    "selftest",
    "vm",
    "probes",
    "disasm",
    "doctor",
    "test",
    "lint",
)


def front(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs ./irqcost."""
    return subprocess.run(
        [str(ROOT / "irqcost"), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=60,
    )


@pytest.mark.parametrize("command", _COMMANDS)
def test_help_everywhere(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main([command, "--help"])
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: irqcost {command} ")


@pytest.mark.parametrize("arguments", [["nosuch"], [], ["run", "--nosuch"], ["compare"]])
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    assert left.value.code == 2


def test_front_help_and_wrong_usage() -> None:
    done = front("--help")
    assert done.returncode == 0
    assert all(f"\n  {command} " in done.stdout for command in _COMMANDS)
    assert front("nosuch").returncode == 2
    assert front("--no-install", "probes", "--nosuch").returncode == 2


def test_front_works_from_elsewhere(tmp_path: Path) -> None:
    link = tmp_path / "irqcost"
    link.symlink_to(ROOT / "irqcost")
    done = subprocess.run(
        [str(link), "--no-install", "probes"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0 and "pushf_popf" in done.stdout


def test_front_runs_nothing_of_the_current_folder(tmp_path: Path) -> None:
    for name in ("json", "numpy", "argparse"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not the one that was meant')")
    done = subprocess.run(
        [str(ROOT / "irqcost"), "--no-install", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"},
    )
    assert done.returncode == 0 and done.stdout.startswith("usage:")


def test_front_names_what_is_missing(tmp_path: Path) -> None:
    # A PATH with nothing on it but what the front itself calls.
    for program in ("bash", "env", "readlink", "dirname", "awk", "paste", "python3"):
        found = subprocess.run(["which", program], capture_output=True, text=True, check=True)
        (tmp_path / program).symlink_to(found.stdout.strip())
    done = front("--no-install", "run", PATH=str(tmp_path))
    assert done.returncode == 2
    assert done.stdout == ""
    # Without a preprocessor every header is missing, too.
    beginnings = [
        "irqcost: missing: command:cpp command:g++ command:cmake ",
        "irqcost: packages on Debian and Ubuntu: cpp g++ cmake ",
        "irqcost: packages on Fedora: cpp gcc-c++ cmake ",
        "irqcost: packages on Arch: gcc cmake ",
    ]
    lines = done.stderr.splitlines()
    assert [line[: len(one)] for line, one in zip(lines, beginnings, strict=True)] == beginnings
    # What only reads asks for none of them.
    assert front("--no-install", "probes", PATH=str(tmp_path)).returncode == 0
    assert front("--help", PATH=str(tmp_path)).returncode == 0


# apt that knows one package, and one that others provide, and notes what it is to install; sudo
# that asks nobody.
_APT_CACHE = """#!/bin/bash
[[ $2 == known ]] && echo Package: known || [[ $2 == virtual ]]
"""
_APT_GET = '#!/bin/bash\necho "$@" >>"$NOTES"\n[[ $* == *update* ]]\n'
_SHOW = "#!/bin/bash\necho Package: $2\n"
_SUDO = '#!/bin/bash\nshift\nexec "$@"\n'


def fake_front(folder: Path, *wanted: str, **tools: str) -> None:
    """The front with a package that only says that it ran, in need of what is @wanted, and
    programs of these names."""
    (folder / "irqcost").write_bytes((ROOT / "irqcost").read_bytes())
    (folder / "scripts" / "irqcost").mkdir(parents=True)
    (folder / "scripts" / "irqcost" / "__init__.py").touch()
    (folder / "scripts" / "irqcost" / "__main__.py").write_text("print('ran')\n")
    (folder / "scripts" / "packages.txt").write_text("\n".join(wanted) + "\n")
    for name, text in tools.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


@pytest.mark.skipif(not Path("/etc/debian_version").exists(), reason="no Debian, no apt")
@pytest.mark.parametrize("flags", [(), ("--no-install",)])
def test_what_a_command_can_do_without_stops_nothing(
    tmp_path: Path, flags: tuple[str, ...]
) -> None:
    wanted = ("test? command:nosuch1 virtual|known - -", "test? command:nosuch2 unknown - -")
    fake_front(tmp_path, *wanted, **{"apt-cache": _APT_CACHE, "apt-get": _APT_GET, "sudo": _SUDO})
    notes = tmp_path / "notes"
    done = subprocess.run(
        ["bash", str(tmp_path / "irqcost"), *flags, "test"],
        capture_output=True,
        text=True,
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "NOTES": str(notes),
            "IRQCOST_CACHE": str(tmp_path / "cache"),
            "IRQCOST_INSTALL": "yes",
        },
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "ran\n")
    if flags:
        assert not notes.exists()
        return
    # The archive failed; it is said, and that is all.
    installs = [line for line in notes.read_text().splitlines() if " install " in f" {line} "]
    assert installs and all(line.endswith("known") for line in installs)
    assert not any("unknown" in line or "virtual" in line for line in installs)
    assert "without" in done.stderr


_INSTALLING = """#!/bin/bash
echo "Reading package lists..."
echo "Setting up libc9:amd64 (9) ..."
echo "Setting up tool (1) ..."
"""


@pytest.mark.skipif(not Path("/etc/debian_version").exists(), reason="no Debian, no apt")
def test_an_installation_is_a_line_a_package_and_a_log(tmp_path: Path) -> None:
    tools = {"apt-cache": _SHOW, "apt-get": _INSTALLING, "sudo": _SUDO}
    fake_front(tmp_path, "test? command:nosuch1 tool - -", **tools)
    done = subprocess.run(
        ["bash", str(tmp_path / "irqcost"), "test"],
        capture_output=True,
        text=True,
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "IRQCOST_CACHE": str(tmp_path / "cache"),
            "IRQCOST_INSTALL": "yes",
        },
        timeout=60,
    )
    log = tmp_path / "cache" / "install.log"
    assert (done.returncode, done.stdout) == (0, "ran\n")
    first, package, total = done.stderr.splitlines()
    assert first == f"irqcost: packages to install: 1 (log: {log})"
    assert package == "irqcost:   tool"
    assert total.startswith("irqcost: installed: 1, and 1 that they need, in ")
    assert "Reading package lists..." in log.read_text()


@pytest.mark.parametrize("option", ["--scheduler=x", "--scheduler x"])
def test_an_option_has_needs_of_its_own(tmp_path: Path, option: str) -> None:
    fake_front(tmp_path, "--scheduler,test? command:nosuch debian fedora arch")

    def run(*arguments: str) -> tuple[int, str]:
        command = ["bash", str(tmp_path / "irqcost"), "--no-install", "compare", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    assert run("folder") == (0, "ran\n")
    assert run(*option.split(), "--help") == (0, "ran\n")
    code, said = run(*option.split(), "folder")
    assert code == 2 and "missing: command:nosuch\n" in said


@pytest.mark.parametrize(("option", "code"), [("", 2), ("--good 5", 128), ("--good=5", 128)])
def test_a_missing_tool_is_no_verdict_for_git(tmp_path: Path, option: str, code: int) -> None:
    """`git bisect run` takes codes below 128 for verdicts."""
    fake_front(tmp_path, "bisect command:nosuch debian fedora arch")
    command = ["bash", str(tmp_path / "irqcost"), "--no-install", "bisect", *option.split()]
    assert subprocess.run(command, capture_output=True).returncode == code


def test_every_line_of_the_list_is_well_formed() -> None:
    text = (ROOT / "scripts" / "packages.txt").read_text(encoding="utf-8")
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    assert len(lines) > 20
    for commands, sign, *packages in lines:
        assert {name.removesuffix("?") for name in commands.split(",")} <= {
            *_COMMANDS,
            *cli._OLD_NAMES,
            *("all", "--scheduler", "build", "complete"),
            *(f"--arch={name}" for name in ARCHITECTURES),
        }
        assert sign.partition(":")[0] in ("command", "python", "header", "file")
        assert len(packages) == 3


def junit(folder: Path, text: str) -> Counts:
    (folder / "x.xml").write_text(text)
    return suites.count(folder / "x.xml")


def test_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest_xml = (
        '<testsuites><testsuite errors="1" failures="2" skipped="3" tests="10"/></testsuites>'
    )
    assert junit(tmp_path, pytest_xml) == Counts(4, 3, 3)
    ctest_xml = '<testsuite tests="5" failures="1" disabled="1" skipped="1"/>'
    assert junit(tmp_path, ctest_xml) == Counts(2, 1, 2)
    assert str(Counts(4, 3, 3) + Counts(2, 1, 2)) == "6 passed, 4 failed, 5 skipped"
    assert str(Counts(2)) == "2 passed, 0 failed"
    # A runner that died has failed, whatever it did before.
    assert junit(tmp_path, "<testsuite tests=") == Counts(failed=1)
    assert suites.count(tmp_path / "none.xml") == Counts(failed=1)


_PYTEST_SKIPS = """<testsuites><testsuite errors="0" failures="0" skipped="3" tests="4">
<testcase name="a"><skipped type="pytest.skip" message="no udevadm">/x.py:1: no udevadm</skipped>
</testcase>
<testcase name="b"><skipped type="pytest.skip" message="no udevadm">/x.py:2: no udevadm</skipped>
</testcase>
<testcase name="c"><skipped message="collection skipped">('/y.py', 16, 'Skipped: no Selenium')
</skipped></testcase>
<testcase name="d"/></testsuite></testsuites>"""
_CTEST_SKIPS = """<testsuite tests="4" failures="0" disabled="0" skipped="3">
<testcase name="KvmGuest.A" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>
<system-out>[ RUN      ] KvmGuest.A
/kvm_test.cc:273: Skipped
/dev/kvm: No such file or directory

[  SKIPPED ] KvmGuest.A (0 ms)</system-out></testcase>
<testcase name="bpf" status="notrun"><skipped message="SKIP_RETURN_CODE=4"/>
<system-out>SKIP: backend bpf: no BTF</system-out></testcase>
<testcase name="odd" status="notrun"><skipped message=""/></testcase>
<testcase name="cli" status="run"><system-out>fine</system-out></testcase></testsuite>"""


def test_skips_are_counted_by_reason(tmp_path: Path) -> None:
    counts = junit(tmp_path, _PYTEST_SKIPS) + junit(tmp_path, _CTEST_SKIPS)
    assert counts == Counts(passed=2, skipped=6)
    assert counts.skips() == [
        "    2 skipped: no udevadm",
        "    1 skipped: no Selenium",
        "    1 skipped: /dev/kvm: No such file or directory",
        "    1 skipped: backend bpf: no BTF",
        "    1 skipped: no reason given",
    ]
    assert not Counts(passed=1).skips()


_BUILD_LOG = """[ 10%] Building CXX object CMakeFiles/x.dir/x.cc.o
/y/x.cc: In function 'int main()':
/y/x.cc:3:7: warning: unused variable 'i' [-Wunused-variable]
/y/x.cc:3:7: warning: unused variable 'i' [-Wunused-variable]
/y/x.h:9: warning: "X" redefined
no file's warning: of a linker
"""


def test_a_warning_of_the_compiler_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "build.log"
    (tmp_path / "x.xml").write_text('<testsuite tests="5"/>')
    monkeypatch.setattr(suites.build, "harness", lambda *_, **__: tmp_path)
    monkeypatch.setattr(suites.build, "build_log", lambda *_: log)
    monkeypatch.setattr(suites, "_fresh", lambda _: tmp_path / "x.xml")
    monkeypatch.setattr(
        suites.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0)
    )
    assert suites.harness_tests() == Counts(passed=5)
    log.write_text(_BUILD_LOG)
    assert suites.harness_tests() == Counts(passed=5, failed=2)
    assert "x.cc:3:7: warning: unused variable" in capsys.readouterr().err


def test_lint_reports_each_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> linters.Outcome:
        raise IrqcostError("no such tool")

    checks = (
        linters.Check("good", lambda: linters._command(["true"])),
        linters.Check("warns", lambda: linters._command(["echo", "warning: x"], warnings=True)),
        linters.Check("bad", lambda: linters._command(["sh", "-c", "echo why; exit 1"])),
        linters.Check("gone", lambda: linters._command(["/no/such/tool"])),
        linters.Check("broken", broken),
        linters.Check("left", lambda: linters.Outcome("skipped", "no headers")),
    )
    monkeypatch.setattr(lint, "CHECKS", checks)
    assert cli.main(["lint"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "good: ok",
        "warns: failed",
        "  warning: x",
        "bad: failed",
        "  why",
        "gone: failed",
        "  /no/such/tool is not installed",
        "broken: failed",
        "  no such tool",
        "left: skipped",
        "  no headers",
        "1 ok, 4 failed, 1 skipped",
    ]
    assert cli.main(["lint", "--only", "good"]) == 0


def test_ratio() -> None:
    assert intervals.ratio(3.0, 2.0, 0.1) == 1.5
    assert intervals.ratio(-1.0, 2.0, 0.0) == -0.5
    assert intervals.ratio(3.0, 0.0, 0.0) is None
    assert intervals.ratio(3.0, -2.0, 0.0) is None
    assert intervals.ratio(3.0, 0.05, 0.05) is None


def test_the_overview_has_groups_with_an_example_each(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["--help"])
    out = capsys.readouterr().out
    assert left.value.code == 0
    for group in ("Measure", "Compare", "Guard", "Many machines", "This machine", "Develop"):
        assert f"\n{group}:\n" in out
    for command in cli.COMMANDS:
        assert f"\n                ./irqcost {command}" in out
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"irqcost {version}\n"


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main([])
    said = capsys.readouterr()
    assert (left.value.code, said.out) == (2, "") and "\nMeasure:\n" in said.err


@pytest.mark.parametrize(
    "given, hint", [("rnu", "did you mean run?"), ("xyzzy", "`irqcost --help` lists the commands")]
)
def test_a_misspelled_command(given: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main([given])
    assert left.value.code == 2
    assert capsys.readouterr().err == f"irqcost: no command is called {given!r}; {hint}\n"


def completions(line: str) -> list[str]:
    """What a shell set up by register-python-argcomplete would offer, by the same calls."""
    done = subprocess.run(
        ["bash", "-c", f'exec 8>&1 9>/dev/null; "{ROOT}/irqcost" >/dev/null 2>&1'],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "_ARGCOMPLETE": "1",
            "_ARGCOMPLETE_IFS": "\n",
            "COMP_LINE": line,
            "COMP_POINT": str(len(line)),
        },
        timeout=60,
    )
    return [one.strip() for one in done.stdout.splitlines()]


def test_a_shell_completes_commands_and_options() -> None:
    pytest.importorskip("argcomplete")
    assert completions("irqcost sel") == ["selftest"]
    assert "--quick" in completions("irqcost run --qu")
    assert {"cycles", "ns", "ticks"} <= set(completions("irqcost run --unit "))


@pytest.mark.parametrize("columns", [80, 120, 200])
@pytest.mark.parametrize("command", ["", *cli.COMMANDS])
def test_help_is_no_wider_than_the_terminal(
    command: str, columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit):
        cli.main([*filter(None, [command]), "--help"])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > columns] == []
    assert command == "" or f"Example: ./irqcost {command}" in "\n".join(lines)
