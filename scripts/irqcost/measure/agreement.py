# SPDX-License-Identifier: GPL-2.0-only
"""Whether backends that measured the same code found the same cost. Pure functions.

Which are expected to is said here and nowhere else (docs/method/backends.md argues for it):

- Backends ring3, kmod and kvm have the same bytes for an assembler row: all its modes must agree,
  but for what the processor does in another way by privilege level (popf may change the interrupt
  flag at CPL 0 only) or by where it runs (cr8 without a local APIC).
- Backend bpf has the controls empty, dep_add and dep_imul as other bytes of the same instructions:
  their throughput must agree.
- A call of the kernel's API or from BPF is in one backend only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from irqcost.measure.processes import Series, Target
from irqcost.model import catalogue
from irqcost.stats import intervals

_AT_LEVEL_0 = ("kmod", "kvm")
# Ticks of a clock in ns are made with the frequency of the TSC, known to 1 kHz of about 1 GHz.
_SCALE = 2e-6


@dataclass(frozen=True)
class Figure:
    """What a backend found, and the ends of its interval."""

    backend: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Agreement:
    """One name without its backend, such as `lfence/throughput`, and whether all found the same."""

    name: str
    unit: str
    figures: tuple[Figure, ...]
    agree: bool

    @property
    def benchmarks(self) -> list[str]:
        """The figures that were compared."""
        return [f"{one.backend}/{self.name}" for one in self.figures]

    def document(self) -> dict[str, Any]:
        """As it stands in context.irqcost.agreement."""
        values = {
            one.backend: {self.unit: one.value, "low": one.low, "high": one.high}
            for one in self.figures
        }
        return {"name": self.name, "values": values, "agree": self.agree}

    def sentence(self) -> str:
        """What to say of one that does not hold."""
        found = ", ".join(
            f"{one.backend} {one.value:.3f} [{one.low:.3f}, {one.high:.3f}]" for one in self.figures
        )
        unit = "core cycles" if self.unit == "core_cycles" else "ticks"
        return (
            f"backends disagree on {self.name}: {found} {unit}: trust none of them before you "
            "know why (docs/method/backends.md)"
        )


def expected(backend: str, probe: str) -> str | None:
    """The group of backends with which this one must agree on a probe; None: with none."""
    row = catalogue.by_key().get(probe)
    if row is None or row.kind == "bpf" or row.requires("CR8"):
        return None
    if row.requires("POPF"):
        return "level 0" if backend in _AT_LEVEL_0 else None
    return "all"


def check(series: Mapping[str, Series], target: Target, exact: bool) -> list[Agreement]:
    """Compares what more than one backend measured, where each has an interval.

    @target: how far intervals may be apart, since no more was
    asked of them. @exact: ticks are instructions; then figures have to be equal within one step of
    the clock.
    """
    groups: dict[tuple[str, str], list[Figure]] = {}
    unit = "ticks" if exact else "core_cycles"
    for name, one in series.items():
        backend, rest = name.split("/", 1)
        probe = rest.split("/")[0]
        group = expected(backend, probe)
        figure = _figure(backend, one, unit, exact) if group else None
        if group and figure:
            groups.setdefault((rest, group), []).append(figure)
    return [
        Agreement(name, unit, tuple(figures), _agree(figures, None if exact else target))
        for (name, _), figures in groups.items()
        if len(figures) > 1
    ]


def _figure(backend: str, series: Series, unit: str, exact: bool) -> Figure | None:
    if exact:
        value, steps = intervals.median(series.values(unit)), series.values(f"{unit}_resolution")
        step = (intervals.median(steps) if steps else 0) + abs(value) * _SCALE
        return Figure(backend, value, value - step, value + step)
    interval = series.interval(unit) if series.unit == unit else None
    if interval is None:
        return None
    return Figure(backend, intervals.median(series.values(unit)), *interval)


def _agree(figures: Sequence[Figure], target: Target | None) -> bool:
    def apart(one: Figure, other: Figure) -> float:
        return max(one.low, other.low) - min(one.high, other.high)

    def allowed(one: Figure, other: Figure) -> float:
        if target is None:
            return 0
        return max(target.half_width(one.value), target.half_width(other.value))

    return all(apart(a, b) <= allowed(a, b) for a, b in combinations(figures, 2))
