# SPDX-License-Identifier: GPL-2.0-only
"""The static checks, by name."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from irqcost import ROOT
from irqcost.base.errors import IrqcostError
from irqcost.commands.project import checkpatch, prose
from irqcost.machine import host
from irqcost.measure import build

_KMOD = "bench_kmod"


@dataclass(frozen=True)
class Outcome:
    """How a check ended: ok, failed or skipped, and what there is to read about it."""

    state: str
    output: str = ""


@dataclass(frozen=True)
class Check:
    """A check: its name, and what runs it."""

    name: str
    run: Callable[[], Outcome]


def _files(*patterns: str) -> list[str]:
    """Files of the project, those not yet committed included, by git's patterns."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise IrqcostError(f"git does not list the files: {done.stderr.strip()}")
    return sorted({name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()})


def _shell_files() -> list[str]:
    """Scripts with a shell's first line, whatever their names."""
    found = []
    for name in _files():
        with (ROOT / name).open("rb") as file:
            first = file.readline(100)
        if first.startswith(b"#!") and first.rstrip().endswith((b"bash", b"/sh", b" sh")):
            found.append(name)
    return found


def _command(
    command: Sequence[str],
    cwd: Path = ROOT,
    warnings: bool = False,
    environment: dict[str, str] | None = None,
) -> Outcome:
    """Runs a tool. With `warnings`, a line of output that holds `warning:` is a failure too."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(environment or {})},
        )
    except FileNotFoundError:
        return Outcome("failed", f"{command[0]} is not installed")
    failed = done.returncode != 0 or (warnings and "warning:" in done.stdout)
    return Outcome("failed" if failed else "ok", done.stdout)


def _black() -> Outcome:
    return _command(["black", "--check", "--diff", "--quiet", *_files("*.py")])


def _flake8() -> Outcome:
    return _command(["flake8", *_files("*.py")])


def _mypy() -> Outcome:
    cache = {"MYPY_CACHE_DIR": str(ROOT / "build" / "mypy")}
    return _command([sys.executable, "-m", "mypy"], environment=cache)


def _shellcheck() -> Outcome:
    return _command(["shellcheck", *_shell_files()])


def _shfmt() -> Outcome:
    return _command(["shfmt", "-d", "-i", "2", *_shell_files()])


def _clang_format() -> Outcome:
    names = _files("bench_user/*.cc", "bench_user/*.h")
    return _command(["clang-format", "--dry-run", "-Werror", *names])


def _clang_tidy() -> Outcome:
    build.harness(target="all")
    return _command(["run-clang-tidy", "-quiet", "-p", str(ROOT / "build" / "release")])


def _checkpatch() -> Outcome:
    names = [str(ROOT / name) for name in _files(f"{_KMOD}/*.c", f"{_KMOD}/*.h")]
    with tempfile.TemporaryDirectory() as work:
        # It reads its exceptions from, and leaves a cache in, the folder where it is started.
        exceptions = ROOT / _KMOD / ".checkpatch.conf"
        if exceptions.exists():
            shutil.copy(exceptions, work)
        command = ["perl", str(checkpatch.script()), "--no-tree", "--strict", "--quiet", "-f"]
        return _command([*command, *names], cwd=Path(work))


def _prose() -> Outcome:
    faults: list[str] = []
    for name in filter(prose.is_read, _files()):
        faults += prose.faults(name, (ROOT / name).read_text("utf-8"))
    return Outcome("failed" if faults else "ok", "\n".join(faults))


def _codespell() -> Outcome:
    names = [name for name in _files() if prose.is_read(name)]
    return _command(["codespell", f"-L{','.join(prose.rules().spelled)}", *names], cwd=ROOT)


def _kbuild() -> Outcome:
    headers = Path("/lib/modules") / host.kernel_release() / "build"
    if not headers.exists():
        # Any kernel's will do: the one that is running need not be the one to build for.
        others = sorted(Path("/lib/modules").glob("*/build/Makefile"))
        others += sorted(Path("/usr/src").glob("linux-headers-*-amd64/Makefile"))
        if not others:
            return Outcome("skipped", "no kernel headers here (linux-headers-amd64)")
        headers = others[-1].parent
    with tempfile.TemporaryDirectory() as out:
        kbuild = ["make", "-C", _KMOD, f"KDIR={headers}", f"BUILD={out}", "W=1", "C=1"]
        return _command(kbuild, warnings=True)


CHECKS = (
    Check("black", _black),
    Check("flake8", _flake8),
    Check("mypy", _mypy),
    Check("shellcheck", _shellcheck),
    Check("shfmt", _shfmt),
    Check("prose", _prose),
    Check("codespell", _codespell),
    Check("clang-format", _clang_format),
    Check("checkpatch", _checkpatch),
    Check("sparse", _kbuild),
    Check("clang-tidy", _clang_tidy),
)
