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

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from irqcost.measure.processes import Benchmark, Target
from irqcost.model import catalogue
from irqcost.model.units import Value
from irqcost.stats import intervals

_AT_LEVEL_0 = ("kmod", "kvm")
# Ticks of a clock in ns are made with the frequency of the TSC, known to 1 kHz of about 1 GHz.
_SCALE = 2e-6


@dataclass(frozen=True)
class Agreement:
    """One name without its backend, such as `lfence/throughput`, what each backend found, and
    whether that is the same."""

    name: str
    unit: str
    values: Mapping[str, Value]
    agree: bool

    @property
    def benchmarks(self) -> list[str]:
        """Those that were compared."""
        return [f"{backend}/{self.name}" for backend in self.values]

    def document(self) -> dict[str, Any]:
        """As it is in context.irqcost.agreement."""
        values = {
            backend: {self.unit: one.value, "low": one.low, "high": one.high}
            for backend, one in self.values.items()
        }
        return {"name": self.name, "values": values, "agree": self.agree}

    def sentence(self) -> str:
        """What to say of one that does not hold."""
        found = ", ".join(
            f"{backend} {one.value:.3f} [{one.low:.3f}, {one.high:.3f}]"
            for backend, one in self.values.items()
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


def check(series: Mapping[str, Benchmark], target: Target, exact: bool) -> list[Agreement]:
    """Compares what more than one backend measured, where each has an interval.

    @target: how far intervals may be apart, since no more was
    asked of them. @exact: ticks are instructions; then figures have to be equal within one step of
    the clock.
    """
    groups: dict[tuple[str, str], dict[str, Value]] = {}
    unit = "ticks" if exact else "core_cycles"
    for name, one in series.items():
        backend, rest = name.split("/", 1)
        probe = rest.split("/")[0]
        group = expected(backend, probe)
        value = _value(one, unit, exact) if group else None
        if group and value:
            groups.setdefault((rest, group), {})[backend] = value
    return [
        Agreement(name, unit, values, _agree(values.values(), None if exact else target))
        for (name, _), values in groups.items()
        if len(values) > 1
    ]


def _value(series: Benchmark, unit: str, exact: bool) -> Value | None:
    if exact:
        value, steps = intervals.median(series.values(unit)), series.values(f"{unit}_resolution")
        step = (intervals.median(steps) if steps else 0) + abs(value) * _SCALE
        return Value(value, value - step, value + step)
    interval = series.interval(unit) if series.unit == unit else None
    if interval is None:
        return None
    return Value(intervals.median(series.values(unit)), *interval)


def _agree(values: Iterable[Value], target: Target | None) -> bool:
    def gap(one: Value, other: Value) -> float:
        return max(one.low, other.low) - min(one.high, other.high)

    def allowed(one: Value, other: Value) -> float:
        if target is None:
            return 0
        return max(target.half_width(one.value), target.half_width(other.value))

    return all(gap(a, b) <= allowed(a, b) for a, b in combinations(values, 2))
