# SPDX-License-Identifier: GPL-2.0-only
"""Whether ticks of the TSC, and the ns made of them, are a measure of time."""


def why_unreliable(steady: bool | None, clock_source: str | None) -> str:
    """Why they may not be; empty where nothing speaks against it, as far as is known.

    `steady`: the CPU says that its TSC keeps its rate; `clock_source`: what the kernel tells the
    time by. Core cycles are counted by a chain of instructions, and need neither.
    """
    found = []
    if steady is False:
        found.append("the CPU does not say that its TSC keeps its rate")
    if clock_source not in (None, "tsc"):
        found.append(f"the kernel tells the time by {clock_source} and not by the TSC")
    return " and ".join(found)
