# SPDX-License-Identifier: GPL-2.0-only
r"""How often does `irqcost check` raise false alarms, and what does it find? Replays recorded runs.

A job is what `irqcost check --run` does: a new run against a stored baseline, for all figures at
once, and what is slower or undecided is looked at again. The new run and the further looks are ones
that guard_record.py recorded under one load condition, the baseline are five others; within a job
no run stands twice, and all are taken as they were recorded. A further look of check measures its
few figures with all of its time; here it is one more whole run, with no more processes than the
first. Nothing is added to any figure: the slowdowns are the recorded rows slow_05 and slow_1
against slow_0 of the other runs, in which the primitive is repeated four times. Also, on the plain
means of the same processes, one run against one: compare.py's U test, mean + 5 % and minimum + 3 %,
both of the same condition.

Jobs that share their new run are not independent. So an interval is that of the share seen
in as many trials as there are different new runs; that 0.5 % is not exceeded takes 764 of them
without any false one. In the checkout:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/guard.py --jobs 126 \
        scripts/evidence/recorded/guard.packed.xz
"""

import argparse
import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import packed
from scipy.stats import mannwhitneyu

from irqcost.base.verdicts import Change
from irqcost.compare import policy, regression
from irqcost.compare.regression import Case
from irqcost.measure import verdict
from irqcost.measure.injected import PRIMITIVES
from irqcost.measure.processes import Process, Processes
from irqcost.stats.intervals import share_interval

_PLAIN = "ring3/slow_0/throughput"
_SLOW = {"0.5": "ring3/slow_05/throughput", "1": "ring3/slow_1/throughput"}
_RUNS = 5

# Relative rules make nothing of a figure about 0.
SMALL = 0.1


@dataclass(frozen=True)
class Recorded:
    """A run: by figure the free processes in core cycles, and the plain means in ticks."""

    condition: str
    processes: Mapping[str, list[float]]
    plain: Mapping[str, list[float]]
    inconsistent: frozenset[str]  # figures that rest on a control that is off


@dataclass
class Count:
    """What came of the jobs of a condition."""

    jobs: int = 0
    runs: int = 0  # different new runs of them
    figures: int = 0
    # In the first measurement, and after further ones: jobs with a false regression, jobs with an
    # inconclusive figure, such figures, and slowdowns found.
    first: Counter[str] = field(default_factory=Counter)
    last: Counter[str] = field(default_factory=Counter)
    slower: Counter[str] = field(default_factory=Counter)  # figures falsely called slower at first
    open: Counter[str] = field(default_factory=Counter)  # figures that stay inconclusive
    rules: dict[str, Counter[str]] = field(default_factory=dict)


def read(paths: Sequence[Path]) -> list[Recorded]:
    return list(map(_recorded, packed.documents(paths)))


def _recorded(run: dict[str, object]) -> Recorded:
    recorded = run["epochs"]
    assert isinstance(recorded, list)
    plain: dict[str, list[float]] = {}
    processes = []
    for process in recorded:
        entries = []
        for name, (cycles, free, sensor, mean) in process["figures"].items():
            if cycles is not None:
                entries.append(entry_of(name, cycles, free, sensor))
            if mean is not None:
                plain.setdefault(name, []).append(mean)
        processes.append(process_of(process, entries))
    series = Processes(processes).benchmarks
    controls = verdict.Controls(series, {}, None)
    return Recorded(
        str(run["condition"]),
        {
            name: series[name].values("core_cycles") if name in series and series[name].used else []
            for process in recorded
            for name in process["figures"]
        },
        plain,
        frozenset(name for name in series if controls.why_unreliable(name)),
    )


def entry_of(name: str, cycles: float | None, free: bool, sensor: float | None) -> dict[str, Any]:
    """An entry of a process as the harness wrote it, as far as it was recorded."""
    entry = {"run_name": name, "run_type": "iteration", "label": "clean" if free else "disturbed"}
    known = {"core_cycles": cycles, "sensor": sensor}
    return entry | {key: value for key, value in known.items() if value is not None}


def process_of(short: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> Process:
    """A process by what guard_record.judged_by() kept of it. Old recordings have `floors` alone."""
    tolerances = short.get("tolerances", {})
    baselines = {
        backend: {"sensor_cycles": level}
        | ({"tolerance": tolerances[backend]} if backend in tolerances else {})
        for backend, level in short["floors"].items()
    }
    context = {
        "baselines": baselines,
        "calibration": {"imul_latency": short.get("imul_latency")},
        "tsc": {"khz": None},
        "cpu": {},
        "execution": {"kind": ""},
    }
    return Process({"context": {"irqcost": context}, "benchmarks": entries}, 0)


def cases(new: Recorded, baseline: Sequence[Recorded], rules: policy.Policy) -> list[Case]:
    """Those of the unchanged figures, then those of the slowdowns."""
    found = []
    pairs = [(name, name, 1) for name in new.processes if "/slow_" not in name]
    pairs += [(name, _PLAIN, PRIMITIVES) for name in _SLOW.values()]
    for name, other, copies in pairs:
        incomparable = "a control is off" if name in new.inconsistent else ""
        runs = [one.processes.get(other, []) for one in baseline]
        found.append(
            Case(
                name,
                [value / copies for value in new.processes[name]],
                [[value / copies for value in run] for run in runs],
                rules.at(name),
                incomparable=incomparable,
            )
        )
    return found


RULES: dict[str, Callable[[Sequence[float], Sequence[float]], bool]] = {
    "compare.py, U test p < 0.05": lambda new, old: bool(mannwhitneyu(new, old).pvalue < 0.05),
    "mean + 5 %": lambda new, old: statistics.mean(new) > 1.05 * statistics.mean(old),
    "minimum + 3 %": lambda new, old: min(new) > 1.03 * min(old),
}


def job(
    attempts: Sequence[Recorded], baseline: Sequence[Recorded], rules: policy.Policy, count: Count
) -> None:
    judged = regression.judge(cases(attempts[0], baseline, rules), rules.risk)
    seen = {one.name: [one] for one in judged}
    for run in attempts[1:]:
        doubted = [name for name, words in seen.items() if not regression.converged(words)]
        again = [one for one in cases(run, baseline, rules) if one.name in doubted]
        for one in regression.judge(again, rules.risk, len(judged)) if again else []:
            seen[one.name].append(one)
    count.jobs += 1
    count.figures += len(judged) - len(_SLOW)
    together = [regression.together(words) for words in seen.values()]
    for words, into in ((judged, count.first), (together, count.last)):
        unchanged = words[: -len(_SLOW)]
        undecided = sum(one.status == Change.INCONCLUSIVE for one in unchanged)
        into["figures"] += undecided
        into["jobs"] += bool(undecided)
        into["false"] += any(one.status == Change.REGRESSION for one in unchanged)
        for added, one in zip(_SLOW, words[-len(_SLOW) :]):
            into[added] += one.status == Change.REGRESSION
    count.slower.update(
        one.name for one in judged[: -len(_SLOW)] if one.status == Change.REGRESSION
    )
    count.open.update(
        one.name for one in together[: -len(_SLOW)] if one.status == Change.INCONCLUSIVE
    )


def simple(new: Recorded, old: Recorded, count: Count) -> None:
    """The simple rules, one run against one."""
    for name, rule in RULES.items():
        seen = count.rules.setdefault(name, Counter())
        told = 0
        for figure, values in new.plain.items():
            before = old.plain.get(figure, [])
            if "/slow_" in figure or not before or abs(statistics.mean(before)) < SMALL:
                continue
            seen["figures"] += 1
            told += rule(values, before)
        seen["figures told"] += told
        seen["jobs told"] += bool(told)
        for added, figure in _SLOW.items():
            seen[added] += rule(new.plain[figure], old.plain[_PLAIN])


def condition(recorded: Sequence[Recorded], which: str, jobs: int, seed: int, quiet: bool) -> Count:
    """The jobs of a condition; with `quiet` baselines are of those recorded alone."""
    chance = random.Random(f"{which} {seed}")
    rules = policy.read(None)
    alike = [one for one in recorded if one.condition == which]
    count = Count(runs=min(len(alike), jobs))
    for number in range(jobs):
        new = alike[number % len(alike)]
        attempts = [
            new,
            *chance.sample([one for one in alike if one is not new], regression.ATTEMPTS - 1),
        ]
        used = {id(one) for one in attempts}
        others = [one for one in recorded if id(one) not in used]
        if quiet:
            others = [one for one in others if one.condition == "alone"]
        job(attempts, chance.sample(others, min(_RUNS, len(others))), rules, count)
        simple(new, attempts[1], count)
    return count


def share(hits: int, of: int, runs: int) -> str:
    """A share of jobs, and the interval that so many different runs allow."""
    low, high = share_interval(hits / of * runs, runs)
    return f"{100 * hits / of:.1f} % ({100 * low:.1f}–{100 * high:.1f})"


_COLUMNS = (
    ("false regression", "false"),
    ("an inconclusive figure", "jobs"),
    ("+0.5 cycle found", "0.5"),
    ("+1 cycle found", "1"),
)


def table(recorded: Sequence[Recorded], counts: Mapping[str, Count]) -> str:
    """Markdown: a row for each condition and one for all, at the first attempt and after the last
    one; then the other rules, and which figures were wrong or open."""
    heads = ["condition", "runs", "jobs", "", *(name for name, _ in _COLUMNS)]
    heads.append("figures inconclusive")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    rows = {**counts, "all": total(counts.values())}
    for name, one in rows.items():
        for when, seen in (("first", one.first), ("last", one.last)):
            cells = [name, str(one.runs), str(one.jobs)] if seen is one.first else ["", "", ""]
            cells.append("first measurement" if when == "first" else "measured again")
            cells += [share(seen[key], one.jobs, one.runs) for _, key in _COLUMNS]
            cells.append(f"{100 * seen['figures'] / one.figures:.2f} %")
            lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "| rule, all conditions | unchanged figures reported | jobs with a report "
        "| +0.5 cycle | +1 cycle |",
        "|---|---|---|---|---|",
    ]
    everything = rows["all"]
    for rule, told in everything.rules.items():
        cells = [rule, f"{100 * told['figures told'] / told['figures']:.1f} %"]
        for key in ("jobs told", *_SLOW):
            cells.append(share(told[key], everything.jobs, everything.runs))
        lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    for said, names in (
        ("False regressions in the first measurement", everything.slower),
        ("Inconclusive to the end", everything.open),
    ):
        found = ", ".join(f"{name} {n}" for name, n in names.most_common())
        lines.append(f"{said}, by figure: {found or 'none'}")
    return "\n".join(lines)


def total(counts: Iterable[Count]) -> Count:
    found = Count()
    for one in counts:
        found.jobs += one.jobs
        found.runs += one.runs
        found.figures += one.figures
        for key in ("first", "last", "slower", "open"):
            setattr(found, key, getattr(found, key) + getattr(one, key))
        for rule, seen in one.rules.items():
            found.rules[rule] = found.rules.get(rule, Counter()) + seen
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "recorded", nargs="+", type=Path, help="files of guard_record.py or packed.py, or folders"
    )
    parser.add_argument("--jobs", type=int, default=500, help="of each condition (default: 500)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--quiet-baseline",
        action="store_true",
        help="baselines of runs recorded alone (default: of whatever condition)",
    )
    args = parser.parse_args()
    recorded = read(args.recorded)
    which = list(dict.fromkeys(one.condition for one in recorded))
    with ProcessPoolExecutor(2, get_context("forkserver")) as pool:
        waiting = {
            one: pool.submit(condition, recorded, one, args.jobs, args.seed, args.quiet_baseline)
            for one in which
        }
        counts = {name: one.result() for name, one in waiting.items()}
    print(table(recorded, counts))


if __name__ == "__main__":
    main()
