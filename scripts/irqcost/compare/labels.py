# SPDX-License-Identifier: GPL-2.0-only
"""Results side by side, and what each is called there."""

from collections.abc import Sequence
from dataclasses import dataclass

from irqcost.model import naming
from irqcost.model.result import Result


@dataclass(frozen=True)
class Series:
    """One of several results.

    `name` is short and tells it from the others; `title` says all: CPU, kernel, execution.
    """

    name: str
    title: str
    result: Result


def series(results: Sequence[Result]) -> list[Series]:
    """Names results by what they differ in: CPU, kernel, execution, and if need be microcode and
    date."""
    aspects = [
        [naming.cpu_name(r.context) for r in results],
        [r.context.kernel.release for r in results],
        [r.context.kernel_execution for r in results],
        [r.context.cpu.brand or "" for r in results],
        [f"microcode {r.context.cpu.microcode}" for r in results],
        [r.context.date for r in results],
    ]
    titles = [naming.title(r.context) for r in results]
    if len(set(titles)) < len(titles):
        titles = [f"{title}, {r.context.date}" for title, r in zip(titles, results)]
    names = [""] * len(results)
    for aspect in aspects:
        if len(set(names)) < len(names) and len(set(aspect)) > 1:
            names = [f"{name}, {part}" if name else part for name, part in zip(names, aspect)]
    # The same run twice: only its place tells it apart.
    if len(set(names)) < len(names):
        names = [f"{name} (file {i + 1})".lstrip() for i, name in enumerate(names)]
    return [Series(*three) for three in zip(names, titles, results)]


def short_names(series: Sequence[Series]) -> list[str]:
    """The shortest names that tell results apart: of CPUs, if these differ."""
    found = [naming.short_name(one.result.context) for one in series]
    if len(set(found)) == len(found):
        return found
    return [one.name or one.title for one in series]
