# SPDX-License-Identifier: GPL-2.0-only
"""Whether a figure is to be trusted, and if not, why and what to do next. Pure functions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from irqcost import stats
from irqcost.epochs import Series, Target, half_width

GOOD = "good"
DISTURBED = "disturbed"
EMULATED = "emulated"
UNCALIBRATED = "uncalibrated"
INCONSISTENT = "inconsistent"

# From the best to the worst.
WORDS = (GOOD, EMULATED, DISTURBED, UNCALIBRATED, INCONSISTENT)


@dataclass(frozen=True)
class Verdict:
    """A word of WORDS, and sentences; of one that is good there are none."""

    word: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Control:
    """A probe whose cost is known: it lies from `low` to `high`, in core cycles."""

    low: float
    high: float
    known: str


# Chain and control are the same multiply, and a free sample's chain is within 0.5 % of its floor
# (kChainTolerance of the harness): a control of free samples that is further off has another
# cause. Nothing costs 0 within a hundredth of the dependent add. No core takes in more than eight
# nops a cycle, or fewer than one.
CONTROLS = {
    "empty": _Control(-0.01, 0.01, "0"),
    "dep_add": _Control(0.995, 1.005, "1"),
    "dep_imul": _Control(2.985, 3.015, "3"),
    "nop": _Control(1 / 8, 1, "1/8 to 1"),
}


_FAULTS = (
    "a fault runs the kernel and its data through caches that others share: such figures moved by "
    "1 % from minute to minute, which the interval of one run does not hold; compare runs that "
    "were made in turn (ab, check)"
)


def counter_faults(cycles: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Backends whose chain is not what the CPU's own counter of core cycles makes of it: by backend
    a sentence. `cycles` is context.irqcost.cycles."""
    known = CONTROLS["dep_imul"]
    return {
        backend: f"the chain's multiply costs {item['imul_cycles']:.3f} core cycles by "
        f"{item['counter']} and not {known.known}: chain and counter disagree about the clock; see "
        "that nothing else shares the core, and if it stays so, report this CPU"
        for backend, item in cycles.items()
        if item.get("source") and not known.low <= item.get("imul_cycles", 3) <= known.high
    }


def fence_faults(cpu: Mapping[str, Any], series: Iterable[str]) -> dict[str, str]:
    """All backends of a CPU whose lfence waits for nothing. `cpu` is context.irqcost.cpu."""
    if cpu.get("lfence_waits") is not False:
        return {}
    said = (
        "lfence does not wait for the instructions before it on this CPU, so that time stamps may "
        "lie anywhere: boot a kernel that sets LFENCE_RDTSC (bit 1 of MSR C0011029)"
    )
    return {name.split("/")[0]: said for name in series}


def control_faults(series: Mapping[str, Series], started: Mapping[str, float]) -> dict[str, str]:
    """Backends whose controls are off: by backend a sentence.

    `started` are the controls that the harness measured in ring 3 before anything else; they count
    where the filter left out those of backend ring3. A control is off where all of its interval,
    or without one its value, lies outside of what is known. One whose epochs were all disturbed
    tells nothing.
    """
    faults: dict[str, str] = {}
    backends = dict.fromkeys(name.split("/")[0] for name in series)
    for backend in backends:
        for probe, control in CONTROLS.items():
            own = series.get(f"{backend}/{probe}/throughput")
            if own is not None:
                if not own.used or own.unit != "core_cycles":
                    continue
                value = stats.median(own.values("core_cycles"))
                low, high = own.interval("core_cycles") or (value, value)
            elif backend == "ring3" and probe in started:
                value = low = high = started[probe]
            else:
                continue
            if high < control.low or low > control.high:
                faults[backend] = (
                    f"control {backend}/{probe} costs {value:.3f} core cycles and not "
                    f"{control.known}: the clock or the sensor of this run is wrong; run again, "
                    "and if it stays so, report this CPU"
                )
                break
    return faults


def of_figure(
    series: Series,
    target: Target,
    execution: str,
    fault: str | None,
    neighbour: str | None = None,
) -> Verdict:
    """Judges a figure. `execution` is context.irqcost.execution.kind, `fault` that of its
    backend's controls, `neighbour` says by what an earlier run tells of one (floors.py)."""
    if execution == "emulated":
        return Verdict(
            EMULATED,
            ("emulated: no measure of a CPU; run on hardware, or in a guest with KVM",),
        )
    if series.unit != "core_cycles":
        return Verdict(
            UNCALIBRATED,
            ("no core cycle was measured: ticks only; run dep_add and dep_imul to see why",),
        )
    disturbed = _disturbed(series, target, neighbour)
    if fault is not None:
        return Verdict(INCONSISTENT, (fault, *disturbed))
    return Verdict(DISTURBED, disturbed) if disturbed else Verdict(GOOD)


def of_emulated(reason: str) -> Verdict:
    """Of a figure of a backend whose code is emulated; `reason` is how that was found."""
    return Verdict(EMULATED, (f"{reason}: no measure of a CPU",))


def _disturbed(series: Series, target: Target, neighbour: str | None) -> tuple[str, ...]:
    used, count = len(series.used), len(series.all)
    if neighbour is not None:
        return (neighbour,)
    if used < stats.FEWEST:
        if not series.disturbed:
            return (f"{_epochs(count)}, and an interval needs {stats.FEWEST}: run longer (--time)",)
        return (
            f"{used} of {_epochs(count)} free, and an interval needs {stats.FEWEST}: run longer "
            "(--time), or keep others off the core",
        )
    value = stats.median(series.values(series.unit))
    interval = series.interval(series.unit)
    assert interval is not None
    half, wanted = half_width(value, interval), target.of(series.name).half_width(value)
    if half <= wanted:
        # Measured: docs/METHOD.md, "Does it hold?".
        return (_FAULTS,) if series.shown[0].get("faults") else ()
    return (
        f"epochs differ: ±{half:.2g} core cycles, wanted ±{wanted:.2g}: run longer (--time), or "
        "keep others off the core",
    )


def _epochs(count: int) -> str:
    return f"{count} epoch" + ("" if count == 1 else "s")


def of_run(verdicts: Sequence[Verdict], disagreeing: Sequence[str] = ()) -> Verdict:
    """The worst word of a run's figures, and every reason for one that is not good, once.

    `disagreeing` are sentences about backends that contradict each other: the run is then
    inconsistent, though each figure by itself may be good.
    """
    if not verdicts:
        return Verdict(DISTURBED, ("nothing was measured",))
    worst = max((verdict.word for verdict in verdicts), key=WORDS.index)
    counted: list[str] = []
    for word in WORDS[1:]:
        of_word = [verdict for verdict in verdicts if verdict.word == word]
        if of_word:
            first = of_word[0].reasons[0]
            counted.append(f"{len(of_word)} of {len(verdicts)} figures {word}, such as: {first}")
    return Verdict(INCONSISTENT if disagreeing else worst, (*disagreeing, *counted))
