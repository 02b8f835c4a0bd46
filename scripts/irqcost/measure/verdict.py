# SPDX-License-Identifier: GPL-2.0-only
"""Whether a figure is to be trusted, and if not, why and what to do next. Pure functions."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from irqcost.base.verdicts import Trust
from irqcost.measure.processes import Benchmark, Target, half_width
from irqcost.model import description
from irqcost.stats import intervals


@dataclass(frozen=True)
class Verdict:
    """Whether a result can be trusted, and why not: of one that is good there are no reasons."""

    status: Trust
    reasons: tuple[str, ...] = ()


# What is known beforehand, in core cycles: within a hundredth of an add. Nothing costs nothing, and
# the chain, whose length was found beside adds, must find an add of every backend as long as that.
CONTROLS = {"empty": 0.0, "dep_add": 1.0}
CONTROL_TOLERANCE = float(description.read()["control_tolerance"])

# The chain against the CPU's own counter of core cycles: what clean samples scatter at most.
_COUNTER_TOLERANCE = 0.005

_NEXT_STEP = "Run again on a quiet machine; if it persists, please open an issue"


class Controls:
    """The controls of a run: which figures rest on one that is off.

    `dep_add` and the CPU's own counter show the clock, on which all figures of their backend in
    core cycles rest; `empty` of what is left of a pair of windows that differ by nothing, in
    throughput mode. A control is off where all of its interval, or without one its value, lies
    outside of what is known. One whose processes were all contaminated tells nothing.

    `notes` says once what is off, with the next step.
    """

    def __init__(
        self,
        series: Mapping[str, Benchmark],
        cycles: Mapping[str, Mapping[str, Any]],
        latency: int | None,
        cpu: Mapping[str, Any] | None = None,
    ) -> None:
        """`cycles` and `cpu` are those of context.irqcost, `latency` is that of the multiply."""
        self.notes: list[str] = []
        self._clocks: dict[str, str] = {}
        self._throughputs: dict[str, str] = {}
        backends = dict.fromkeys(name.split("/")[0] for name in series)
        if cpu and cpu.get("lfence_waits") is False:
            self._clocks = {
                one: "lfence does not wait on this CPU: see the note" for one in backends
            }
            self.notes.append(
                "lfence does not wait for the instructions before it on this CPU, so time stamps "
                "may lie anywhere. Boot a kernel that sets LFENCE_RDTSC (bit 1 of MSR C0011029)."
            )
        for backend in backends:
            item = cycles.get(backend, {})
            if latency and item.get("source") and "imul_cycles" in item:
                self._counter(backend, item, latency)
            self._control(series, backend, "dep_add", self._clocks)
            self._control(series, backend, "empty", self._throughputs)

    def why_unreliable(self, name: str) -> str | None:
        """Why a figure is unreliable by its controls; None where it is not."""
        backend, _, mode = name.split("/")[:3]
        if backend in self._clocks:
            return self._clocks[backend]
        return self._throughputs.get(backend) if mode == "throughput" else None

    def _counter(self, backend: str, item: Mapping[str, Any], latency: int) -> None:
        found = item["imul_cycles"]
        if abs(found / latency - 1) <= _COUNTER_TOLERANCE:
            return
        self._clocks[backend] = f"the clock of {backend} is off: see the note"
        self.notes.append(
            f"{backend}: a multiply of the chain takes {found:.3f} cycles by the CPU's counter "
            f"({item['counter']}) and {latency} by the adds beside it. {_NEXT_STEP}."
        )

    def _control(
        self, series: Mapping[str, Benchmark], backend: str, probe: str, off: dict[str, str]
    ) -> None:
        own = series.get(f"{backend}/{probe}/throughput")
        if own is None or not own.used or own.unit != "core_cycles":
            return
        value = intervals.median(own.values("core_cycles"))
        low, high = own.interval("core_cycles") or (value, value)
        known = CONTROLS[probe]
        if high >= known - CONTROL_TOLERANCE and low <= known + CONTROL_TOLERANCE:
            return
        off[backend] = f"control {backend}/{probe} is off: see the note"
        self.notes.append(
            f"{backend}/{probe} took {value:.3f} cycles; expected {known:g} ± {CONTROL_TOLERANCE}. "
            f"{_NEXT_STEP}."
        )


_FAULTS = (
    "a fault runs the kernel and its data through caches that others share: such figures moved by "
    "1 % from minute to minute, which the interval of one run does not hold; compare runs that "
    "were made in turn (ab, check)"
)


def of_figure(
    series: Benchmark,
    target: Target,
    execution: str,
    fault: str | None,
    neighbour: str | None = None,
    uncalibrated: str = "",
    seconds: float = 0,
) -> Verdict:
    """Judges a figure. `execution` is context.irqcost.execution.kind, `fault` what its controls say
    (Controls.why_unreliable), `neighbour` by what an earlier run showed (interference.py),
    `uncalibrated` why there are no core cycles, `seconds` how long the run measured."""
    if execution == "emulated":
        return Verdict(
            Trust.EMULATED,
            ("emulated: no measure of a CPU; run on hardware, or in a guest with KVM",),
        )
    if series.unit != "core_cycles":
        return Verdict(
            Trust.UNCALIBRATED,
            (f"ticks only, no core cycles: {uncalibrated}. {_NEXT_STEP}",),
        )
    why = _disturbed(series, neighbour)
    status = Trust.DISTURBED
    if why is None:
        why = _imprecise(series, target, seconds)
        status = Trust.IMPRECISE
    if fault is not None:
        return Verdict(Trust.INCONSISTENT, (fault, why) if why else (fault,))
    return Verdict(status, (why,)) if why else Verdict(Trust.GOOD)


def of_emulated(reason: str) -> Verdict:
    """Of a figure of a backend whose code is emulated; `reason` is how that was found."""
    return Verdict(Trust.EMULATED, (f"{reason}: no measure of a CPU",))


def _disturbed(series: Benchmark, neighbour: str | None) -> str | None:
    """What says that something else was on the core; None where nothing does, or where enough
    processes ran without it."""
    if neighbour is not None:
        return neighbour
    used, count = len(series.used), len(series.all)
    if used >= intervals.FEWEST or not series.contaminated:
        return None
    # Processes may say why: that the sensor has no level, for one.
    said = Counter(entry["label"].partition(": ")[2] for entry in series.contaminated)
    why = said.most_common(1)[0][0]
    text = f"too noisy: {used} of {_processes(count)} ran undisturbed; "
    text += f"{intervals.FEWEST} are needed"
    return f"{text} ({why})" if why and len(said) == 1 else text


def _imprecise(series: Benchmark, target: Target, seconds: float) -> str | None:
    """Why the interval is not as narrow as was wanted; None where it is."""
    count = len(series.all)
    if len(series.used) < intervals.FEWEST:
        return f"{_processes(count)}; an interval needs {intervals.FEWEST}. Measure longer (--time)"
    value = intervals.median(series.values(series.unit))
    interval = series.interval(series.unit)
    assert interval is not None
    half, wanted = half_width(value, interval), target.of(series.name).half_width(value)
    if half <= wanted:
        # Measured: docs/method/interval.md.
        return _FAULTS if series.shown[0].get("faults") else None
    return f"±{half:.2g} cycles, wanted ±{wanted:.2g}: {_longer(half / wanted, seconds)}"


# More than that nobody waits for.
_MOST_SECONDS = 3600


def _longer(times: float, seconds: float) -> str:
    """What would make an interval so many times narrower: its width falls as the root of time."""
    needed = seconds * times**2
    if not 0 < needed <= _MOST_SECONDS:
        return "measuring longer would not help; keep other work off the core"
    digits = 10 ** max(0, math.floor(math.log10(needed)) - 1)
    return f"about {math.ceil(needed / digits) * digits:.0f} s would do (--time)"


def _processes(count: int) -> str:
    return f"{count} process" + ("" if count == 1 else "es")


_FROM_BEST: list[Trust] = list(Trust)


@dataclass(frozen=True)
class RunVerdict:
    """What a run came to: the verdict of most of its figures; a sentence with numbers; and why
    figures are not good, each cause once."""

    status: Trust
    sentence: str
    reasons: tuple[str, ...] = ()


def of_run(
    verdicts: Sequence[Verdict], contradictions: Sequence[str] = (), notes: Sequence[str] = ()
) -> RunVerdict:
    """The verdict on a run by those on its figures. `contradictions` are sentences about backends
    that contradict each other, which make the run inconsistent whatever else it is; `notes` about
    controls that are off."""
    if not verdicts:
        return RunVerdict(Trust.DISTURBED, "nothing was measured", ("nothing was measured",))
    counts = Counter(one.status for one in verdicts)
    # Of two that as many have, the worse one.
    status = max(reversed(_FROM_BEST), key=lambda one: counts[one])
    parts = [f"{counts[Trust.GOOD]} of {len(verdicts)} figures good"]
    if contradictions:
        status = Trust.INCONSISTENT
    reasons = [*contradictions, *notes]
    for other in _FROM_BEST[1:]:
        if not counts[other]:
            continue
        why = Counter(_kind(one) for one in verdicts if one.status == other).most_common(1)[0][0]
        parts.append(f"{counts[other]} {other}")
        first = next(
            one.reasons[0] for one in verdicts if one.status == other and _kind(one) == why
        )
        reasons.append(f"{counts[other]} {other}, such as: {first}")
    return RunVerdict(status, "; ".join(parts), tuple(reasons))


def _kind(verdict: Verdict) -> str:
    """Reasons that differ by their numbers alone are of one kind."""
    return re.sub(r"[\d.]+", "#", verdict.reasons[0]) if verdict.reasons else ""
