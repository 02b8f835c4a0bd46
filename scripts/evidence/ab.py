# SPDX-License-Identifier: GPL-2.0-only
"""How often does `irqcost ab` see a difference that is not there, and what does it find?

Counts what ab_record.py recorded. A job is one `irqcost ab` over all rows: it begins at some pair
of the recording and is given the pairs as they follow (from the first one again after the last
one), by the code of `ab` itself, which takes as many as it would have taken. Jobs begin at equal
distances. Where these are shorter than a job, neighbouring jobs have pairs in common; how many have
none is said beside, and is what the intervals count. A slowdown is judged as one figure of as many
as ring 3 has. Then, on the plain means of the same processes: compare.py's U test, mean + 5 % and
minimum + 3 %. Prints Markdown, and writes the record where --out names a file:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/ab.py \\
        scripts/evidence/recorded/ab.packed.xz --out results/CPU/ab/TIME-KERNEL.json
"""

import argparse
import json
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import packed
from guard import RULES, SMALL, entry_of, process_of, share
from irqcost.base import files, jsontext
from irqcost.base.verdicts import Order
from irqcost.commands.builds import ab
from irqcost.compare.ab import timed
from irqcost.measure.injected import PLAIN, PRIMITIVES
from irqcost.measure.processes import Process, Request

SCHEMA = 1

# The row in which the builds differ.
_SLOW = f"ring3/{PLAIN}/throughput"

Pair = tuple[Process, Process]


@dataclass(frozen=True)
class Recorded:
    """The pairs of a kind, in their order, and the plain means of each in ticks, by benchmark."""

    pairs: Sequence[Pair]
    means: Sequence[tuple[Mapping[str, float], Mapping[str, float]]]


@dataclass(frozen=True)
class Job:
    """What one `ab` says: by benchmark its word, and what it says of the slow row."""

    words: Mapping[str, str]
    slow: float | None  # core cycles for each primitive
    rules: Mapping[str, Sequence[str]]  # by rule the benchmarks that it tells
    ruled: Sequence[str]  # benchmarks that the rules judge


def read(path: Path) -> tuple[dict[str, Recorded], list[dict[str, Any]]]:
    """What was recorded by kind, and the lines without their pairs."""
    lines = packed.documents([path])
    found: dict[str, list[list[dict[str, Any]]]] = {}
    for line in lines:
        found.setdefault(line["kind"], []).append(line.pop("pair"))
    return {
        kind: Recorded(
            [(_process(a), _process(b)) for a, b in pairs],
            [(_means(a), _means(b)) for a, b in pairs],
        )
        for kind, pairs in found.items()
    }, lines


def _process(short: Mapping[str, Any]) -> Process:
    """A process as the harness wrote it, as far as ab looks at it."""
    figures = short["figures"].items()
    entries = [entry_of(name, cycles, free, sensor) for name, (free, cycles, sensor, _) in figures]
    return process_of(short, entries)


def _means(short: Mapping[str, Any]) -> dict[str, float]:
    return {name: one[3] for name, one in short["figures"].items() if one[3] is not None}


def job(recorded: Recorded, start: int, figures: int) -> Job:
    """The `ab` that began at this pair, as part of one of so many figures."""
    count = len(recorded.pairs)
    names = [entry["run_name"] for entry in recorded.pairs[0][0].entries]

    def side(index: int) -> timed.Measure:
        place = start

        def measure(request: Request, cpu: int | None) -> Process:
            nonlocal place
            process = recorded.pairs[place % count][index]
            place += 1
            wanted = set(request.names or ())
            entries = [one for one in process.entries if one["run_name"] in wanted]
            return Process({**process.document, "benchmarks": entries}, 0)

        return measure

    pairs = timed.interleaved([side(0), side(1)], timed.PAIRS, names)
    lines = {line.name: line for line in timed.judged(pairs, ab.CYCLES, ab.PERCENT, figures)}
    slow = lines[_SLOW].difference.value
    means = [recorded.means[(start + n) % count] for n in range(timed.PAIRS)]
    values = {
        name: [[pair[side][name] for pair in means if name in pair[side]] for side in (0, 1)]
        for name in names
    }
    # Relative rules make nothing of a figure about 0.
    ruled = [n for n, (a, b) in values.items() if a and b and abs(statistics.mean(a)) >= SMALL]
    return Job(
        {name: line.difference.status for name, line in lines.items()},
        None if slow is None else slow / PRIMITIVES,
        {
            name: [one for one in ruled if rule(values[one][1], values[one][0])]
            for name, rule in RULES.items()
        },
        ruled,
    )


def count(added: float, recorded: Recorded, jobs: Sequence[Job]) -> dict[str, Any]:
    """What came of the jobs of a kind."""
    changed = f"/{PLAIN}/" if added else "nothing"
    words = Counter(
        (name, word) for one in jobs for name, word in one.words.items() if changed not in name
    )
    false = Counter(
        {name: n for (name, word), n in words.items() if word in (Order.SLOWER, Order.FASTER)}
    )
    wrong_jobs = sum(
        any(
            word in (Order.SLOWER, Order.FASTER) and changed not in name
            for name, word in one.words.items()
        )
        for one in jobs
    )
    seen = [one.slow for one in jobs if one.slow is not None]
    slow = Counter(one.words[_SLOW] for one in jobs)
    return {
        "added": added,
        "pairs": len(recorded.pairs),
        "jobs": len(jobs),
        "disjoint_jobs": min(len(recorded.pairs) // timed.PAIRS, len(jobs)),
        "false_jobs": wrong_jobs,
        "figures": sum(words.values()),
        "false_figures": sum(false.values()),
        "undecided_figures": sum(n for (_, word), n in words.items() if word == Order.UNDECIDED),
        "false_by_figure": dict(false.most_common()),
        "slow_row": dict(slow),
        "difference": {
            "median": round(statistics.median(seen), 4) if seen else None,
            "least": round(min(seen), 4) if seen else None,
            "greatest": round(max(seen), 4) if seen else None,
        },
        "rules": {
            rule: {
                "figures": sum(changed not in name for one in jobs for name in one.ruled),
                "told": sum(changed not in name for one in jobs for name in one.rules[rule]),
                "jobs_told": sum(
                    any(changed not in name for name in one.rules[rule]) for one in jobs
                ),
                "slow_row_told": sum(_SLOW in one.rules[rule] for one in jobs),
            }
            for rule in RULES
        },
    }


def of_kind(path: Path, kind: str, wanted: int) -> dict[str, Any]:
    every, _ = read(path)
    recorded = every[kind]
    figures = max(len(one.pairs[0][0].entries) for one in every.values())
    starts = [number * len(recorded.pairs) // wanted for number in range(wanted)]
    return count(float(kind), recorded, [job(recorded, start, figures) for start in starts])


def document(lines: Sequence[Mapping[str, Any]], kinds: Sequence[Mapping[str, Any]]) -> Any:
    """The record."""
    machines = {json.dumps([one["cpu"]["brand"], one["kernel"], one["a"]]) for one in lines}
    if len(machines) != 1:
        raise SystemExit(f"recorded of more than one machine or revision: {machines}")
    dates = sorted(one["date"] for one in lines)
    context = lines[0]
    return {
        "ab": SCHEMA,
        "recorded": {"from": dates[0], "to": dates[-1]},
        "revision": context["a"],
        "cpu": {
            k: context["cpu"].get(k) for k in ("brand", "codename", "family", "model", "stepping")
        },
        "hypervisor": context["hypervisor"],
        "kernel": context["kernel"],
        "load_avg": {
            "median": statistics.median(one["load"] for one in lines),
            "greatest": max(one["load"] for one in lines),
        },
        "seconds": round(sum(sum(one["seconds"]) for one in lines), 1),
        "seconds_per_pair": round(statistics.median(sum(one["seconds"]) for one in lines), 3),
        "pairs_per_job": timed.PAIRS,
        "thresholds": {"cycles": ab.CYCLES, "percent": ab.PERCENT},
        "kinds": list(kinds),
    }


def table(kinds: Sequence[Mapping[str, Any]]) -> str:
    """Markdown."""
    rows = [
        "| cycles that B adds to each primitive of `slow_0` | pairs recorded | jobs (disjoint) | "
        "jobs with a false difference | unchanged figures called different | undecided | "
        "`slow_0` called slower | difference seen, median (least to greatest) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind in kinds:
        seen = kind["difference"]
        cells = [f"{kind['added']:g}" if kind["added"] else "none", str(kind["pairs"])]
        cells.append(f"{kind['jobs']} ({kind['disjoint_jobs']})")
        jobs, apart, figures = kind["jobs"], kind["disjoint_jobs"], kind["figures"]
        found = kind["slow_row"].get(Order.SLOWER, 0)
        if kind["added"]:
            cells += ["-", "-", "-", f"{found}: {share(found, jobs, apart)}"]
        else:
            cells.append(f"{kind['false_jobs']}: {share(kind['false_jobs'], jobs, apart)}")
            cells.append(f"{kind['false_figures']} of {figures} ({figures * apart // jobs})")
            cells += [f"{100 * kind['undecided_figures'] / figures:.1f} %", str(found)]
        cells.append(
            "-"
            if seen["median"] is None
            else f"{seen['median']:+.3f} ({seen['least']:+.3f} to {seen['greatest']:+.3f})"
        )
        rows.append(f"| {' | '.join(cells)} |")
    slow = [kind for kind in kinds if kind["added"]]
    rows.append("")
    heads = "".join(f" +{kind['added']:g} |" for kind in slow)
    rows.append(f"| rule, plain means | unchanged figures reported | jobs with a report |{heads}")
    rows.append("|---" * (3 + len(slow)) + "|")
    for rule in RULES:
        cells = [rule]
        for kind in kinds:
            said, jobs, apart = kind["rules"][rule], kind["jobs"], kind["disjoint_jobs"]
            if kind["added"]:
                cells.append(share(said["slow_row_told"], jobs, apart))
            else:
                cells.append(f"{100 * said['told'] / said['figures']:.1f} %")
                cells.append(share(said["jobs_told"], jobs, apart))
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recorded", type=Path, help="a file of ab_record.py, or of packed.py")
    parser.add_argument("--jobs", type=int, default=500, help="of A/A (default: 500)")
    parser.add_argument("--slow-jobs", type=int, default=100, help="of each slowdown (100)")
    parser.add_argument("--out", type=Path, help="the record")
    args = parser.parse_args()
    recorded, lines = read(args.recorded)
    with ProcessPoolExecutor(2, get_context("forkserver")) as pool:
        waiting = [
            pool.submit(of_kind, args.recorded, kind, args.slow_jobs if float(kind) else args.jobs)
            for kind in sorted(recorded, key=float)
        ]
        kinds = [one.result() for one in waiting]
    record = document(lines, kinds)
    if args.out:
        with files.written_whole(args.out) as partial:
            partial.write_text(jsontext.dumps(record), encoding="utf-8")
    print(table(kinds))
    wrong = Counter[str]()
    for kind in kinds:
        wrong.update(kind["false_by_figure"])
    said = ", ".join(f"{name} {times}" for name, times in wrong.most_common())
    print(f"\nFalse differences by figure: {said or 'none'}")


if __name__ == "__main__":
    main()
