# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost vm --matrix --builds`: on which kernels the module builds, and with which compiler."""

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from irqcost.base.errors import BuildError
from irqcost.base.table import Table
from irqcost.vm.kernels import NAMES, Kernel
from irqcost.vm.module import make_module

# A compiler's name in what it compiled (section .comment).
_COMPILER = re.compile(rb"GCC: \([^)]*\) [\d.]+|[ -~]*clang version [\d.]+")

_HEADING = "## Where the module builds\n"
_INTRODUCTION = """\
Built with `W=1` by `./irqcost vm --matrix --builds --markdown docs/KERNELS.md`, against the newest
package of that day. The first column is what `--kernel` takes.

With kCFI, code built by clang checks the type of each function that it calls through a pointer. A
timed window has no type, so its callers do not check (`__nocfi`), nor does the code in a window;
all other calls of the module are checked. Tested in a guest with kernel `clang`, which enforces
kCFI: the module passes the tests of its requests (`abuse.c` 2215 checks, `abuse_contention.c` 168,
`abuse_text.c` 161). Without `__nocfi` it traps at its first window (tried with the headers of
6.1.0-57).

| kernel | release | compiler | builds | warnings | on |
|---|---|---|---|---:|---|
"""


@dataclass(frozen=True)
class Built:
    """An attempt to build for one kernel. @problem: why not, "" where it did."""

    kernel: str
    release: str
    compiler: str = ""
    warnings: tuple[str, ...] = ()
    problem: str = ""

    @property
    def verdict(self) -> str:
        """In a word, or with the reason."""
        return f"no: {self.problem}" if self.problem else "yes"


def warnings_of(output: str) -> tuple[str, ...]:
    """What make's output has of warnings and errors."""
    return tuple(x for x in output.splitlines() if re.search(r"\b(warning|error):", x))


def build(kernel: Kernel) -> Built:
    """Build anew for @kernel, with the kernel's further warnings on (W=1)."""
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        try:
            output = make_module(kernel, directory, "W=1", f"-j{os.cpu_count() or 1}")
        except BuildError as error:
            return Built(kernel.name, kernel.release, problem=_cause(str(error)))
        found = _COMPILER.search((directory / "irqcost.ko").read_bytes())
        compiler = found[0].decode().replace("GCC: ", "gcc ") if found else "unknown"
        return Built(kernel.name, kernel.release, compiler, warnings_of(output))


def _cause(message: str) -> str:
    """The first line of make's output that says what is wrong."""
    lines = message.splitlines()
    return next((x for x in lines if re.search(r"\berror:|irqcost: ", x)), lines[0]).strip()


def text(builds: Sequence[Built]) -> str:
    """The table for a terminal, and every warning."""
    table = Table(("kernel", "release", "compiler", "builds", "warnings"), "<<<<>")
    for one in builds:
        table.row(one.kernel, one.release, one.compiler, one.verdict, _count(one))
    return "\n".join([str(table), *(line for one in builds for line in one.warnings)])


def _count(one: Built) -> str:
    return "–" if one.problem else str(len(one.warnings))


def rows(builds: Sequence[Built], day: date) -> dict[str, str]:
    """A row of the page for each kernel."""
    return {
        one.kernel: f"| `{one.kernel}` | {one.release} | {one.compiler} | {one.verdict} "
        f"| {_count(one)} | {day.isoformat()} |"
        for one in builds
    }


def section_of(page: str) -> str:
    """The section of a page as it is there, "" where it has none."""
    _, heading, rest = page.partition(f"\n{_HEADING}")
    return heading + rest


def with_rows(page: str, new: Mapping[str, str]) -> str:
    """@page with its section, which has the rows @new and of other kernels those of before."""
    old = section_of(page)
    known = {row[1]: row[0] for row in re.finditer(r"^\| `(.+?)` \|.*$", old, re.MULTILINE)}
    merged = known | new
    ordered = [name for name in NAMES if name in merged]
    ordered += [name for name in merged if name not in ordered]
    return page.removesuffix(old) + "\n".join(
        [f"\n{_HEADING}", _INTRODUCTION, *(merged[name] for name in ordered), ""]
    )
