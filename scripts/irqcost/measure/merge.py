# SPDX-License-Identifier: GPL-2.0-only
"""From processes to the one result file (docs/RESULTS.md). Documents in, document out."""

from collections import Counter
from collections.abc import Collection, Container, Mapping, Sequence
from typing import Any

from irqcost.base.errors import IrqcostError
from irqcost.measure import agreement, interference, verdict
from irqcost.measure.processes import Benchmark, Process, Processes, Target
from irqcost.measure.simulation import simulate
from irqcost.measure.verdict import Verdict
from irqcost.model import contention
from irqcost.model.machine_code import equality, masking, recorded
from irqcost.model.members import ours_of
from irqcost.stats import intervals
from irqcost.stats.histogram import histogram

# How a number of several processes becomes one; what is not named is their median.
_EXTREMES = {"ticks_min": min, "longest_irqs_off": max}
# Google Benchmark's numbers that say nothing of a cost. Those of places in its own file go.
_PLACES = ("repetitions", "repetition_index", "threads")
_DROPPED = ("distribution", "family_index", "per_family_instance_index")
# Counts, which are added up. Google Benchmark writes them as it does figures.
_COUNTS = ("samples", "clean", "unknown", "interrupted", "preempted", "migrated", "exits")


def merge(processes: Sequence[Process], target: Target) -> dict[str, Any]:
    """The result of at least one process. Raises IrqcostError where they are of different cores."""
    _require_one_core_type(processes)
    together = Processes(processes)
    series, latency = together.benchmarks, together.imul_latency
    context = dict(processes[0].context)
    execution = simulate.executed(context)
    cycles = _cycles(processes)
    controls = verdict.Controls(series, cycles, latency, context["cpu"])
    context["calibration"] = _calibration(processes, latency)
    uncalibrated = str(context["calibration"]["reason"])
    neighbours = interference.neighbours(series, together.cached, together.tolerances)
    seconds = sum(process.seconds for process in processes)
    # What a control doubts contradicts nobody.
    sound = {name: one for name, one in series.items() if not controls.why_unreliable(name)}
    agreements = agreement.check(sound, target, bool(context["instruction_clock"]))
    context["agreement"] = [one.document() for one in agreements]
    disagreeing = [one for one in agreements if not one.agree]
    contradicted = {name: one.name for one in disagreeing for name in one.benchmarks}
    entries, verdicts = [], []
    for one in series.values():
        backend = one.name.split("/")[0]
        if processes[0].emulates(backend):
            judged = verdict.of_emulated(context["backends"][backend]["execution"]["reason"])
        else:
            judged = verdict.of_figure(
                one,
                target,
                execution,
                controls.why_unreliable(one.name) or _contradicted(contradicted.get(one.name)),
                neighbours.get(backend),
                uncalibrated,
                seconds,
            )
        verdicts.append(judged)
        entries.append(_entry(one, judged))
    contradictions = [one.sentence() for one in disagreeing]
    run = verdict.of_run(verdicts, contradictions, controls.notes)
    context["controls"] = _controls(processes)
    context["baselines"] = _baselines(together)
    context["tsc"] = _tsc(processes)
    if cycles:
        context["cycles"] = cycles
    derived, unreliable = _derived(processes, series)
    if any("derived" in process.context for process in processes):
        context["derived"] = derived
    if all("conditions" in process.context for process in processes):
        context["conditions"] = _conditions(
            [process.context["conditions"] for process in processes]
        )
    found = {*series, *(item["name"] for item in derived), *(item["name"] for item in unreliable)}
    context["absent"] = _absent(processes, found) + unreliable
    equality.add_hashes(context)
    _add_masking(context, {name.split("/")[0] for name in series})
    return {"context": _closed(context, processes, target, run), "benchmarks": entries}


def _closed(
    context: dict[str, Any], processes: Sequence[Process], target: Target, run: verdict.RunVerdict
) -> dict[str, Any]:
    """The whole `context`, with how it was measured and what it comes to."""
    context["processes"] = {
        "count": len(processes),
        "seconds": round(sum(process.seconds for process in processes), 3),
        "target_percent": target.percent,
        "target_cycles": target.cycles,
        # Each process chose its CPU, where none was asked for.
        "cpus": [process.context["cpu"]["measured"] for process in processes],
    }
    simulated = simulate.merged([process.context for process in processes])
    if simulated:
        context["simulated"] = simulated
    context["verdict"] = {
        "verdict": run.status,
        "sentence": run.sentence,
        "reasons": list(run.reasons),
    }
    outer = dict(processes[0].document["context"])
    # Who publishes a result need not tell how they call their machine.
    outer.pop("host_name", None)
    outer["irqcost"] = context
    return outer


def _add_masking(context: dict[str, Any], measured: Collection[str]) -> None:
    """What masks in the kernel, by its machine code, and what follows for the kernel as a whole."""
    ours = ours_of(context)
    own = recorded.architecture(ours) == masking.DECODED
    if context.get("machine_code") and own and not masking.decodes():
        # Left to whoever reads the texts.
        absent = {"name": "masking", "reason": "it is found by Capstone: install python3-capstone"}
        context["absent"] = [*context["absent"], absent]
        return
    says = (context.get("kernel_hypervisor") or {}).get("name")
    found = recorded.what_masks(ours, recorded.functions(ours), measured, says)
    context["masking"] = found.document()
    context["kernel"] = {**context["kernel"], "execution": None}
    if not found.paravirtual:
        return
    context["kernel"]["execution"] = {"kind": masking.PARAVIRTUALISED, "reason": found.reason}
    if says is None:
        named = {"name": masking.hypervisor(found.kind), "source": "masking"}
        context["kernel_hypervisor"] = named
    if "derived" in context:
        lost = [one["name"] for one in context["derived"] if found.calls_to_mask(one["name"])]
        context["derived"] = [one for one in context["derived"] if one["name"] not in lost]
        because = [{"name": name, "reason": masking.CALLS_WITHIN} for name in lost]
        context["absent"] = [*context["absent"], *because]


def _contradicted(name: str | None) -> str | None:
    """Why a figure is unreliable that another backend contradicts; `name` is without a backend."""
    return name and f"backends disagree on {name}: see the note"


def _require_one_core_type(processes: Sequence[Process]) -> None:
    types = dict.fromkeys(str(process.context["cpu"].get("core_type")) for process in processes)
    if len(types) > 1:
        raise IrqcostError(
            f"cores of different types ({', '.join(types)}) make no figure: choose one "
            "with --core-type, or a CPU with --cpu"
        )


def _entry(series: Benchmark, judged: Verdict) -> dict[str, Any]:
    shown = series.shown
    entry = {key: value for key, value in shown[0].items() if key not in _DROPPED}
    distributions = [item["distribution"] for item in series.all if "distribution" in item]
    for key, value in entry.items():
        if key in _PLACES or isinstance(value, (str, bool)):
            continue
        if key in contention.MODES:
            entry[key] = contention.merged([item[key] for item in shown])
            continue
        values = series.values(key)
        if key == "clean":
            entry[key] = sum(item[key] for item in (series.used or shown))
        elif key == "iterations":
            entry[key] = sum(item[key] for item in shown)
        elif key in _COUNTS:
            # Nothing is dropped silently: samples of contaminated processes count, too.
            entry[key] = sum(item.get(key, 0) for item in series.all)
        elif key in _EXTREMES:
            entry[key] = _EXTREMES[key](values)
        else:
            entry[key] = intervals.median(values)
        if key in _COUNTS:
            entry[key] = round(entry[key])
    for key in ("core_cycles", "ticks"):
        interval = series.interval(key) if key in entry else None
        if interval:
            entry[f"{key}_low"], entry[f"{key}_high"] = interval
    entry["processes"] = [item[series.unit] for item in series.used]
    entry["processes_contaminated"] = [
        item[series.unit] for item in series.contaminated if series.unit in item
    ]
    entry["verdict"] = judged.status
    entry["reasons"] = list(judged.reasons)
    entry["label"] = ": ".join((judged.status, *judged.reasons[:1]))
    if distributions:
        alike = [one for one in distributions if one["unit"] == series.unit]
        # Of a process that was contaminated no sample was clean, whatever it thought of itself.
        used = [item["distribution"] for item in series.used or shown if "distribution" in item]
        clean = [value for one in used for value in one["clean"]]
        rest = [value for one in alike for value in one["contaminated"]]
        rest += [v for one in alike if not any(one is u for u in used) for v in one["clean"]]
        entry["histogram"] = histogram(series.unit, entry[series.unit], clean, rest)
    return entry


def _calibration(processes: Sequence[Process], latency: int | None) -> dict[str, Any]:
    """That of the run: medians over the processes that found its latency, or, where none found one,
    over all, and how many found it."""
    found = [
        process.context["calibration"] for process in processes if "calibration" in process.context
    ]
    if not found:
        return {"imul_latency": latency, "processes": 0, "reason": "no process told"}
    alike = [one for one in found if one["imul_latency"] == latency] or found
    merged: dict[str, Any] = {"imul_latency": latency, "processes": len(alike)}
    for key in ("imul_per_add", "xor_per_add"):
        merged[key] = intervals.median(one[key] for one in alike)
    merged["reason"] = alike[0]["reason"]
    return merged


def _controls(processes: Sequence[Process]) -> dict[str, float]:
    names = dict.fromkeys(
        name for process in processes for name in process.context.get("controls", {})
    )
    found = {}
    for name in names:
        values = [process.context.get("controls", {}).get(name) for process in processes]
        known = [value for value in values if value is not None]
        if known:
            found[name] = intervals.median(known)
    return found


def _tsc(processes: Sequence[Process]) -> dict[str, Any]:
    """That of the process which found the frequency by itself: it measured longest. The others were
    told it, and only checked. The step is the least that any saw."""
    found = [process.context["tsc"] for process in processes]
    tsc = dict(next((one for one in found if one["source"] != "earlier"), found[0]))
    tsc["step"] = min(one["step"] for one in found)
    tsc["invariant"] = all(one["invariant"] for one in found)
    return tsc


def _cycles(processes: Sequence[Process]) -> dict[str, Any]:
    """The clock of each backend. What its counter made of the chain is the median over the
    processes in which it counted; how often, is beside it."""
    merged: dict[str, Any] = {}
    for process in processes:
        for backend, item in process.context.get("cycles", {}).items():
            merged.setdefault(backend, []).append(item)
    for backend, items in merged.items():
        counted = [item["imul_cycles"] for item in items if "imul_cycles" in item]
        one = dict(next((item for item in items if "imul_cycles" in item), items[0]))
        # A process that began in a disturbance may have taken the chain for no clock.
        one["source"] = next((item["source"] for item in items if item["source"]), None)
        if counted:
            one.update(imul_cycles=intervals.median(counted), processes=len(counted))
        merged[backend] = one
    return merged


def _conditions(processes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What came to the measuring CPU in all processes together, and the load around them."""
    throttles = [one["thermal_throttles"] for one in processes]
    return {
        "interrupts": _sums([one["interrupts"] for one in processes]),
        "cpu_seconds": _sums([one["cpu_seconds"] for one in processes]),
        "smis": _sum([one.get("smis") for one in processes]),
        "thermal_throttles": {key: _sum([one[key] for one in throttles]) for key in throttles[0]},
        "load_avg": {
            "start": processes[0]["load_avg"]["start"],
            "end": processes[-1]["load_avg"]["end"],
        },
    }


def _sum(counts: Sequence[int | None]) -> int | None:
    """Nothing where one process could not tell."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _sums(items: Sequence[Mapping[str, float] | None]) -> dict[str, float] | None:
    """Sums by name; nothing where one process could not tell."""
    sums: dict[str, float] = {}
    for item in items:
        if item is None:
            return None
        for name, value in item.items():
            # Ticks of /proc/stat are hundredths of a second.
            sums[name] = round(sums.get(name, 0) + value, 3)
    return sums


def _baselines(together: Processes) -> dict[str, dict[str, Any]]:
    """The levels that the run was judged by, and where each is from."""
    cached = together.cached
    return {
        backend: {
            "sensor_cycles": level,
            "source": "earlier runs" if cached.get(backend) == level else "this run",
            "cached": cached.get(backend),
            "tolerance": together.tolerances[backend],
            "ticks_per_cycle": intervals.median(
                one["ticks_per_cycle"] for one in together.sensors[backend]
            ),
        }
        for backend, level in together.levels.items()
    }


def _absent(processes: Sequence[Process], found: Container[str]) -> list[Any]:
    """What no process measured. Later ones are not asked for everything, so the first one says."""
    return [item for item in processes[0].context["absent"] if item["name"] not in found]


def _derived(
    processes: Sequence[Process], series: Mapping[str, Benchmark]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Each derived figure by the processes that could derive it: medians of all its numbers. And,
    as absent, those all of whose inputs turned out to be disturbed."""
    contaminated = {id(entry) for one in series.values() for entry in one.contaminated}
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for process in processes:
        unreliable = {entry["run_name"] for entry in process.entries if id(entry) in contaminated}
        for item in process.context.get("derived", []):
            items = by_name.setdefault(item["name"], [])
            backend = item["name"].split("/")[0]
            if unreliable.isdisjoint(f"{backend}/{probe}/throughput" for probe in item["inputs"]):
                items.append(item)
    merged, absent = [], []
    for name, items in by_name.items():
        if not items:
            reason = "in no process were all rows that it follows from undisturbed"
            absent.append({"name": name, "reason": reason})
            continue
        # Of two rows that price the same kind of call the cheaper one counts, and which that is
        # may change from process to process: figures of different formulas are not mixed.
        formula = Counter(item["formula"] for item in items).most_common(1)[0][0]
        alike = [item for item in items if item["formula"] == formula]
        one = dict(alike[0])
        for key in ("core_cycles", "low", "high"):
            one[key] = intervals.median(item[key] for item in alike)
        one["inputs"] = {
            probe: intervals.median(item["inputs"][probe] for item in alike)
            for probe in one["inputs"]
        }
        merged.append(one)
    return merged, absent
