# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost vm --matrix --builds`: on which kernels the module builds, and by which compiler."""

import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from irqcost.errors import BuildError
from irqcost.table import Table
from irqcost.vm.kernels import Kernel
from irqcost.vm.module import make_module

# A compiler's name in what it compiled (section .comment).
_COMPILER = re.compile(rb"GCC: \([^)]*\) [\d.]+|[ -~]*clang version [\d.]+")

_HEADING = "## Where the module builds\n"


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
        """In a word or two."""
        if self.problem:
            return f"no: {self.problem}"
        return f"yes, {len(self.warnings)} warnings" if self.warnings else "yes"


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
    table = Table(("kernel", "release", "compiler", "builds"), "<<<<")
    for one in builds:
        table.row(one.kernel, one.release, one.compiler, one.verdict)
    return "\n".join([str(table), *(line for one in builds for line in one.warnings)])


def section(builds: Sequence[Built], day: date) -> str:
    """The table as a section of docs/KERNELS.md."""
    lines = [
        f"\n{_HEADING}",
        f"Built on {day.isoformat()} with `W=1` by `./irqcost vm --matrix --builds --markdown "
        "docs/KERNELS.md`;",
        "a name in the first column is what `--kernel` takes, and its newest package was taken.\n",
        "| kernel | release | compiler | builds |\n|---|---|---|---|",
        *(f"| `{b.kernel}` | {b.release} | {b.compiler} | {b.verdict} |" for b in builds),
    ]
    return "\n".join(lines) + "\n"


def section_of(page: str) -> str:
    """The section of a page as it stands there, "" where it has none."""
    _, heading, rest = page.partition(f"\n{_HEADING}")
    return heading + rest


def with_section(page: str, new: str) -> str:
    """@page with @new in the place of its section, or at its end."""
    return page.removesuffix(section_of(page)) + new
