# SPDX-License-Identifier: GPL-2.0-only
r"""How often does `irqcost check` cry wolf, and what does it find? Replays recorded runs.

A job is a new run against a stored baseline, for all figures at once. The new run is one that
guard_record.py recorded under a load condition, the baseline are five others of whatever condition;
of each run the epochs are drawn with replacement, so that there are more jobs than runs (and the
medians scatter more than they do). Nothing is added to any figure: the slow-downs are the recorded
rows slow_05 and slow_1 against slow_0 of the other runs, in which the primitive stands four times.
Beside it, on the plain means of the same processes as they were recorded, one run against one:
compare.py's U test, mean + 5 % and minimum + 3 %, both of the same condition. In the checkout:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/guard.py --jobs 126 \
        scripts/evidence/recorded/guard.jsonl.xz
"""

import argparse
import json
import lzma
import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from scipy.stats import mannwhitneyu

from irqcost import guard, policy, verdict
from irqcost.epochs import SENSOR_HIGH, Series
from irqcost.guard import INCONCLUSIVE, REGRESSION, Case, Judged
from irqcost.stats import share_interval
from irqcost.trials import PRIMITIVES

_PLAIN = "ring3/slow_0/throughput"
_SLOW = {"0.5": "ring3/slow_05/throughput", "1": "ring3/slow_1/throughput"}
_RUNS = 5

# Relative rules make nothing of a figure about 0.
_SMALL = 0.1


@dataclass(frozen=True)
class Recorded:
    """A run: by figure the free epochs in core cycles, and the plain means in ticks."""

    condition: str
    epochs: Mapping[str, list[float]]
    plain: Mapping[str, list[float]]
    inconsistent: frozenset[str]  # backends whose controls are off


@dataclass
class Count:
    """What came of the jobs of a condition."""

    jobs: int = 0
    false: int = 0  # jobs with a regression that is none
    confirmed: int = 0  # those of them that a second run confirms
    undecided: int = 0  # jobs with an inconclusive figure
    figures: int = 0
    figures_undecided: int = 0
    found: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)  # figures falsely called slower
    rules: dict[str, Counter[str]] = field(default_factory=dict)


def read(paths: Sequence[Path]) -> list[Recorded]:
    found = []
    for path in paths:
        with lzma.open(
            path, "rt", encoding="utf-8"
        ) if path.suffix == ".xz" else path.open() as file:
            found += [_recorded(json.loads(line)) for line in file]
    return found


def _recorded(run: dict[str, object]) -> Recorded:
    processes = run["epochs"]
    assert isinstance(processes, list)
    floors: dict[str, float] = {}
    for process in processes:
        for backend, floor in process["floors"].items():
            floors[backend] = min(floor, floors.get(backend, floor))
    series: dict[str, Series] = {}
    plain: dict[str, list[float]] = {}
    for process in processes:
        for name, (cycles, free, sensor, mean) in process["figures"].items():
            one = series.setdefault(name, Series(name))
            floor = floors.get(name.split("/")[0])
            beside = sensor is not None and floor is not None and sensor > SENSOR_HIGH * floor
            if cycles is not None:
                disturbed = not free or beside
                (one.disturbed if disturbed else one.used).append({"core_cycles": cycles})
            if mean is not None:
                plain.setdefault(name, []).append(mean)
    known = {name: one for name, one in series.items() if one.all}
    return Recorded(
        str(run["condition"]),
        {n: one.values("core_cycles") if one.used else [] for n, one in series.items()},
        plain,
        frozenset(verdict.control_faults(known, {})),
    )


def _again(values: Sequence[float], chance: random.Random) -> list[float]:
    return chance.choices(values, k=len(values)) if values else []


def cases(
    new: Recorded, baseline: Sequence[Recorded], rules: policy.Policy, chance: random.Random
) -> list[Case]:
    """Those of the unchanged figures, then those of the slow-downs."""
    found = []
    pairs = [(name, name, 1) for name in new.epochs if "/slow_" not in name]
    pairs += [(name, _PLAIN, PRIMITIVES) for name in _SLOW.values()]
    for name, other, copies in pairs:
        obstacle = "controls off" if name.split("/")[0] in new.inconsistent else ""
        runs = [one.epochs.get(other, []) for one in baseline]
        found.append(
            Case(
                name,
                [value / copies for value in _again(new.epochs[name], chance)],
                [[value / copies for value in _again(run, chance)] for run in runs],
                rules.at(name),
                obstacle=obstacle,
            )
        )
    return found


_RULES: dict[str, Callable[[Sequence[float], Sequence[float]], bool]] = {
    "compare.py, U test p < 0.05": lambda new, old: bool(mannwhitneyu(new, old).pvalue < 0.05),
    "mean + 5 %": lambda new, old: statistics.mean(new) > 1.05 * statistics.mean(old),
    "minimum + 3 %": lambda new, old: min(new) > 1.03 * min(old),
}


def job(
    new: Recorded,
    second: Recorded,
    others: Sequence[Recorded],
    rules: policy.Policy,
    chance: random.Random,
    count: Count,
) -> None:
    baseline = chance.sample(others, min(_RUNS, len(others)))
    judged = guard.judge(cases(new, baseline, rules, chance), rules.risk)
    unchanged: list[Judged] = judged[: -len(_SLOW)]
    wrong = [one.name for one in unchanged if one.word == REGRESSION]
    undecided = sum(one.word == INCONCLUSIVE for one in unchanged)
    count.jobs += 1
    count.false += bool(wrong)
    count.undecided += bool(undecided)
    count.figures += len(unchanged)
    count.figures_undecided += undecided
    count.names.update(wrong)
    if wrong:
        again = [one for one in cases(second, baseline, rules, chance) if one.name in wrong]
        words = [one.word for one in guard.judge(again, rules.risk)]
        count.confirmed += REGRESSION in words
    for added, one in zip(_SLOW, judged[-len(_SLOW) :]):
        count.found[added] += one.word == REGRESSION


def simple(new: Recorded, old: Recorded, count: Count) -> None:
    """The simple rules, one run against one."""
    for name, rule in _RULES.items():
        seen = count.rules.setdefault(name, Counter())
        told = 0
        for figure, values in new.plain.items():
            before = old.plain.get(figure, [])
            if "/slow_" in figure or not before or abs(statistics.mean(before)) < _SMALL:
                continue
            seen["figures"] += 1
            told += rule(values, before)
        seen["figures told"] += told
        seen["jobs told"] += bool(told)
        for added, figure in _SLOW.items():
            seen[added] += rule(new.plain[figure], old.plain[_PLAIN])


def condition(recorded: Sequence[Recorded], which: str, jobs: int, seed: int) -> Count:
    """The jobs of a condition."""
    chance = random.Random(f"{which} {seed}")
    rules = policy.read(None)
    alike = [one for one in recorded if one.condition == which]
    count = Count()
    for number in range(jobs):
        new = alike[number % len(alike)]
        second = chance.choice([one for one in alike if one is not new])
        others = [one for one in recorded if one is not new and one is not second]
        before = chance.choice([one for one in alike if one is not new])
        job(new, second, others, rules, chance, count)
        simple(new, before, count)
    return count


def share(hits: int, of: int) -> str:
    low, high = share_interval(hits, of)
    return f"{100 * hits / of:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def table(recorded: Sequence[Recorded], counts: Mapping[str, Count]) -> str:
    """Markdown: a row for each condition and one for all; then the other rules."""
    lines = [
        "| condition | runs recorded | jobs | jobs with a false regression | after the confirming "
        "run | figures inconclusive | jobs with one | +0.5 cycle found | +1 cycle found |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    rows = {**counts, "all": total(counts.values())}
    for name, one in rows.items():
        runs = sum(run.condition == name or name == "all" for run in recorded)
        cells = [name, str(runs), str(one.jobs)]
        cells += [share(one.false, one.jobs), share(one.confirmed, one.jobs)]
        cells += [share(one.figures_undecided, one.figures), share(one.undecided, one.jobs)]
        cells += [share(one.found[added], one.jobs) for added in _SLOW]
        lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        "| rule, all conditions | unchanged figures told | jobs told | +0.5 cycle | +1 cycle |",
        "|---|---|---|---|---|",
    ]
    everything = rows["all"]
    for rule, seen in everything.rules.items():
        cells = [rule, share(seen["figures told"], seen["figures"])]
        cells += [share(seen["jobs told"], everything.jobs)]
        cells += [share(seen[added], everything.jobs) for added in _SLOW]
        lines.append("| " + " | ".join(cells) + " |")
    wrong = ", ".join(f"{name} {n}" for name, n in everything.names.most_common())
    return "\n".join([*lines, "", f"False regressions by figure: {wrong or 'none'}"])


def total(counts: Iterable[Count]) -> Count:
    found = Count()
    for one in counts:
        for key in ("jobs", "false", "confirmed", "undecided", "figures", "figures_undecided"):
            setattr(found, key, getattr(found, key) + getattr(one, key))
        found.found += one.found
        found.names += one.names
        for rule, seen in one.rules.items():
            found.rules[rule] = found.rules.get(rule, Counter()) + seen
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recorded", nargs="+", type=Path, help="files of guard_record.py")
    parser.add_argument("--jobs", type=int, default=500, help="of each condition (default: 500)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    recorded = read(args.recorded)
    which = list(dict.fromkeys(one.condition for one in recorded))
    with ProcessPoolExecutor(2) as pool:
        waiting = {
            one: pool.submit(condition, recorded, one, args.jobs, args.seed) for one in which
        }
        counts = {name: one.result() for name, one in waiting.items()}
    print(table(recorded, counts))


if __name__ == "__main__":
    main()
