# SPDX-License-Identifier: GPL-2.0-only
"""How often `irqcost check --fleet` raises a false alarm over 10,000 simulated machines, and what
it finds: the tables of docs/method/fleet.md, as Markdown.

Machines are in 40 groups, the greatest a quarter of all, the least of 2. A value of a machine is
that of its figure, times a level of the machine (normal, 1 %), and moves from night to night by a
distribution of median 0 that has half its values within 0.2 %. Each night is judged with the
five before it, as the command judges it. Nothing changes, so each alarm is false. Usage, in the
checkout:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/fleet.py
"""

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from irqcost.compare import policy
from irqcost.compare.fleet import verdicts
from irqcost.compare.fleet.verdicts import Table
from irqcost.compare.regression import Threshold
from irqcost.stats import intervals, signs

Array = npt.NDArray[np.float64]
_Noise = Callable[[np.random.Generator, tuple[int, int]], Array]

_RULES = policy.read(policy.DEFAULTS)
_BARE = replace(_RULES, threshold=Threshold(0.0, 0.0), rules=())
_GROUPS = 40
# Half of all values are within this part of the figure.
_HALF, _LEVEL = 0.002, 0.01


def _normal(chance: np.random.Generator, shape: tuple[int, int]) -> Array:
    return chance.standard_normal(shape) / 0.6745


def _heavy(chance: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Student's t of 2 degrees of freedom: its variance is infinite."""
    return chance.standard_t(2, shape) / 0.8165


def _skewed(chance: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Lognormal: neighbours only add."""
    return (np.exp(chance.standard_normal(shape)) - 1) / 0.594


def _two_levels(chance: np.random.Generator, shape: tuple[int, int]) -> Array:
    """One night in five a machine is at another level, 3 % above."""
    return _normal(chance, shape) + 15 * (chance.random((shape[0], 1)) < 0.2)


NOISES: dict[str, _Noise] = {
    "normal": _normal,
    "heavy tails (t, 2 d.f.)": _heavy,
    "skewed (lognormal)": _skewed,
    "two levels": _two_levels,
}


def sizes(machines: int) -> list[int]:
    """How many machines each group has."""
    shares = np.array([1 / (1 + place) for place in range(_GROUPS)])
    found = np.maximum((machines * shares / shares.sum()).astype(int), 2)
    found[-5:] = 2
    found[0] += machines - int(found.sum())
    return [int(one) for one in found]


def nights(
    machines: int, figures: int, count: int, noise: _Noise, seed: int, common: float = 0.0
) -> Iterator[list[Table]]:
    """The groups of each night in turn; it moves all machines of a group by `common` core cycles
    (standard deviation)."""
    chance = np.random.default_rng(seed)
    base = np.geomspace(4, 200, figures)
    level = base * (1 + _LEVEL * chance.standard_normal((machines, figures)))
    keys = tuple((f"ring3/probe{place}/throughput", "core_cycles", 3) for place in range(figures))
    names = tuple(map(str, range(machines)))
    edges = np.cumsum([0, *sizes(machines)])
    seen: list[Array] = []
    for _ in range(count + _RULES.runs):
        values = level * (1 + _HALF * noise(chance, (machines, figures)))
        if common:
            for first, last in zip(edges, edges[1:]):
                values[first:last] += common * chance.standard_normal(figures)
        seen = [values, *seen[: _RULES.runs]]
        if len(seen) > _RULES.runs:
            before = verdicts.middle(np.stack(seen[1:], axis=1))
            yield [
                Table(names[a:b], keys, values[a:b], before[a:b]) for a, b in zip(edges, edges[1:])
            ]


def alarms(tables: Sequence[Table], rules: policy.Policy, budget: float) -> int:
    """Figures of groups that are alarms."""
    tested = [one for table in tables for one in verdicts.tests(table, rules, False)]
    level = signs.allowed([one.machines for one in tested], budget)
    return sum(verdicts.is_slower(one, level) for one in tested)


def most(count: int, of: int) -> float:
    """The upper end of the exact 95 % interval (one-sided) of a Poisson mean per night."""
    low, high = 0.0, count + 10 * math.sqrt(count + 1) + 10
    while high - low > 1e-6:
        mean = (low + high) / 2
        chance = sum(
            math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(count + 1)
        )
        low, high = (mean, high) if chance > 0.05 else (low, mean)
    return high / of


def false_alarms(machines: int, figures: int, count: int) -> Iterator[str]:
    yield "| nights differ by | nights | test alone, budget 1 | as shipped, budget 0.01 |"
    yield "|---|---:|---:|---:|"
    seen = [0, 0]
    for place, (name, noise) in enumerate(NOISES.items()):
        bare = shipped = 0
        for tables in nights(machines, figures, count, noise, place):
            bare += alarms(tables, _BARE, 1.0)
            shipped += alarms(tables, _RULES, 0.01)
        seen = [seen[0] + bare, seen[1] + shipped]
        yield _rates(name, bare, shipped, count)
    yield _rates("all", *seen, count * len(NOISES))


def _rates(name: str, bare: int, shipped: int, count: int) -> str:
    return (
        f"| {name} | {count} | {bare / count:.2f} (at most {most(bare, count):.2f}) | "
        f"{shipped / count:.2g} (at most {most(shipped, count):.2g}) |"
    )


def moved_together(machines: int, figures: int, count: int) -> Iterator[str]:
    yield "| standard deviation of a group's nights, core cycles | nights | false alarms a night |"
    yield "|---:|---:|---:|"
    for common in (0.02, 0.05, 0.1, 0.2):
        seen = sum(
            alarms(tables, _RULES, 0.01)
            for tables in nights(machines, figures, count, _normal, 9, common)
        )
        yield f"| {common} | {count} | {seen / count:.2g} (at most {most(seen, count):.2g}) |"


def power(machines: int, figures: int, count: int) -> Iterator[str]:
    """What is found of a slowdown of one figure of 30 cycles, in groups of several sizes, at the
    level that the tests of the whole fleet leave."""
    tests = [size for size in sizes(machines) for _ in range(figures)]
    level = signs.allowed(tests, 0.01)
    grown = (0.2, 0.3, 0.4, 0.5, 1.0)
    yield f"Level of a test: {level:.2g}; {signs.fewest(level)} machines can reach it."
    yield ""
    yield "| nights differ by | machines | " + " | ".join(f"+{one} cycle" for one in grown) + " |"
    yield "|---|---:|" + "---:|" * len(grown)
    for name, noise in NOISES.items():
        for size in (20, 30, 100, 1000):
            chance = np.random.default_rng(size)
            hits = dict.fromkeys(grown, 0)
            for _ in range(count):
                level_of = 30 * (1 + _LEVEL * chance.standard_normal((size, 1)))
                runs = [level_of * (1 + _HALF * noise(chance, (size, 1))) for _ in range(6)]
                before = verdicts.middle(np.stack(runs[1:], axis=1))
                for more in grown:
                    keys = (("ring3/popf/throughput", "core_cycles", 3),)
                    table = Table(("",) * size, keys, runs[0] + more, before)
                    (found,) = verdicts.tests(table, _RULES, False)
                    hits[more] += verdicts.is_slower(found, level)
            cells = (_share(hits[more], count) for more in grown)
            yield f"| {name} | {size} | " + " | ".join(cells) + " |"


def _share(hits: int, count: int) -> str:
    low, high = intervals.share_interval(hits, count)
    return f"{100 * hits / count:.0f} % ({100 * low:.0f}–{100 * high:.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(description="Judges nights of simulated machines.")
    parser.add_argument("--machines", type=int, default=10_000)
    parser.add_argument("--figures", type=int, default=20)
    parser.add_argument("--nights", type=int, default=200, help="of each kind")
    args = parser.parse_args()
    shape = (args.machines, args.figures, args.nights)
    for part in (false_alarms(*shape), moved_together(*shape[:2], args.nights // 3), power(*shape)):
        for line in part:
            print(line, flush=True)
        print()


if __name__ == "__main__":
    main()
