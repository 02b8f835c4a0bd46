# SPDX-License-Identifier: GPL-2.0-only
"""Two builds in turn: on fakes whose costs are known."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from processes_of import calibration, entry, process
from irqcost.base.errors import Exit, IrqcostError
from irqcost.base.verdicts import Order
from irqcost.compare.ab import counted, outcome, timed
from irqcost.measure.processes import Process, Request
from irqcost.output import ab_table
from irqcost.stats import difference
from irqcost.vm import both
from irqcost.vm.qemu import GuestResult

POPF = "ring3/popf/throughput"
LAHF = "ring3/lahf/throughput"
DISTURBED = "disturbed: 3 of 400 samples clean"


class Side:
    """A build whose processes have these costs, one after the other."""

    def __init__(self, name: str, log: list[str], costs: Sequence[float], **more: Any) -> None:
        self.name, self.log, self.costs, self.more = name, log, iter(costs), more
        self.asked: list[tuple[Sequence[str], int | None]] = []

    def __call__(self, request: Request, cpu: int | None) -> Process:
        assert request.names is not None
        self.log.append(self.name)
        self.asked.append((request.names, cpu))
        cost = next(self.costs)
        context = {"cpu": {"measured": 7 if cpu is None else cpu}}
        return process(*(entry(name, cost, **self.more) for name in request.names), **context)


def test_builds_take_turns_each_pair_on_one_cpu() -> None:
    order: list[str] = []
    a, b = Side("A", order, [13.0] * 4), Side("B", order, [14.0] * 4)
    pairs = timed.interleaved([a, b], 4, [POPF])
    assert "".join(order) == "ABBAABBA"
    assert [[e.entries[0]["core_cycles"] for e in pair] for pair in pairs] == [[13, 14]] * 4
    # The first of a pair chooses, the second one follows.
    assert [cpu for _, cpu in a.asked] == [None, 7, None, 7]
    assert [cpu for _, cpu in b.asked] == [7, None, 7, None]


def test_what_was_disturbed_is_measured_again_and_not_for_ever() -> None:
    order: list[str] = []
    log = [Side(name, order, [30.0] * 20, label=DISTURBED) for name in "AB"]
    assert len(timed.interleaved(log, 8, [POPF])) == 16
    assert {names for names, _ in log[0].asked} == {(POPF,)}

    class Once(Side):
        """One benchmark is disturbed in the first process, and needs one pair more."""

        def __call__(self, request: Request, cpu: int | None) -> Process:
            found = super().__call__(request, cpu)
            if len(self.asked) == 1:
                found.entries[0]["label"] = DISTURBED
            return found

    once = [Once("A", order, [30.0] * 9), Side("B", order, [30.0] * 9)]
    assert len(timed.interleaved(once, 8, [POPF, LAHF])) == 9
    assert once[1].asked[-1][0] == (POPF,)
    assert all(names == (POPF, LAHF) for names, _ in once[1].asked[:-1])


def test_an_emulated_cpu_is_refused() -> None:
    def emulated(request: Request, cpu: int | None) -> Process:
        return process(entry(POPF, 1.0), execution={"kind": "emulated", "reason": ""})

    with pytest.raises(IrqcostError, match="--vm"):
        timed.interleaved([emulated, emulated], 8, [POPF])

    class Once(Side):
        """The first process was disturbed while it looked how the CPU executes."""

        def __call__(self, request: Request, cpu: int | None) -> Process:
            found = super().__call__(request, cpu)
            return emulated(request, cpu) if len(self.asked) == 1 else found

    order: list[str] = []
    sides = [Once("A", order, [30.0] * 9), Side("B", order, [30.0] * 9)]
    assert len(timed.interleaved(sides, 8, [POPF])) == 8


def compared(a: float, b: float, pairs: int = 16, **more: Any) -> outcome.Outcome:
    both_sides = (process(entry(POPF, a)), process(entry(POPF, b, **more)))
    return outcome.Outcome(timed.judged([both_sides] * pairs, 0.125, 0.3), "core cycles")


def words(found: outcome.Outcome) -> list[str]:
    return [line.difference.status for line in found.lines]


def test_a_slower_build_is_told_and_ends_with_1() -> None:
    assert words(compared(30, 30.25)) == [Order.SLOWER]
    assert compared(30, 30.25).code == Exit.FAILED
    assert compared(30, 29).code == Exit.OK
    assert compared(30, 30).code == Exit.OK
    assert compared(30, 31, pairs=5).code == Exit.UNDECIDED
    # 0.3 % of 300 is more than 0.125.
    assert words(compared(300, 300.5)) == [Order.SAME]


def test_a_disturbed_process_makes_no_pair() -> None:
    found = compared(30, 31, label=DISTURBED)
    assert words(found) == [Order.UNDECIDED]
    assert "1 undecided" in ab_table.text(found) and "--pairs" in ab_table.text(found)
    assert "--pairs" not in ab_table.text(compared(30, 31))


def of_version(cost: float, sensor: float, **ours: Any) -> Process:
    """A process of an older harness where nothing else is said: it names neither tolerance nor
    latency."""
    baselines = {"ring3": {"sensor_cycles": sensor, "ticks_per_cycle": 2}}
    found = process(entry(POPF, cost, sensor=sensor * 1.04), baselines=baselines)
    context = found.document["context"]["irqcost"]
    del context["calibration"]
    context.update(ours)
    return found


def test_each_build_is_judged_by_its_own_sensor_and_clock() -> None:
    # The older build allows a sensor 5 % more; and its clock counted cycles of another length.
    newer = process(entry(POPF, 13.0, sensor=0.2), baseline=0.2)
    pairs = [(of_version(13.0, 0.15), newer)] * 16
    assert timed.clean_pairs(pairs) == {POPF: [(13.0, 13.0)] * 16}
    assert words(outcome.Outcome(timed.judged(pairs, 0.125, 0.3), "core cycles")) == [Order.SAME]
    swapped = [(b, a) for a, b in pairs]
    assert len(timed.clean_pairs(swapped)[POPF]) == 16


def test_a_process_that_found_another_latency_makes_no_pair() -> None:
    right, wrong = (
        process(entry(POPF, cost), calibration=calibration(latency))
        for cost, latency in ((12.0, 3), (16.0, 4))
    )
    pairs = [(right, right)] * 7 + [(right, wrong)]
    assert timed.clean_pairs(pairs) == {POPF: [(12.0, 12.0)] * 7}


def test_each_build_is_told_the_level_of_its_own_sensor() -> None:
    asked: list[dict[str, float]] = []

    def side(sensor: float) -> timed.Measure:
        def measure(request: Request, cpu: int | None) -> Process:
            asked.append(dict(request.sensor_levels))
            return process(entry(POPF, 13.0, sensor=sensor), baseline=sensor)

        return measure

    timed.interleaved([side(0.2), side(0.15)], 3, [POPF])
    assert asked[:2] == [{}, {}]
    assert asked[-2:] == [{"ring3": 0.2}, {"ring3": 0.15}]


def test_two_odd_pairs_of_sixteen_decide_nothing_alone() -> None:
    usual = (process(entry(POPF, 30)), process(entry(POPF, 30.25)))
    odd = [(process(entry(POPF, 30)), process(entry(POPF, cost))) for cost in (10, 90)]
    names = [POPF, *(f"ring3/row{n}/throughput" for n in range(95))]
    confidence = timed._confidence(len(names))
    (line,) = timed.judged([usual] * 14 + odd, 0.125, 0.3)
    assert line.difference.status == Order.SLOWER
    # And so it is where 96 figures are to be right together.
    values = [0.25] * 14 + [-20.0, 60.0]
    assert difference.judge(values, 0.125, confidence).status == Order.SLOWER
    assert difference.judge(values, 0.125, timed._confidence(97)).status == Order.UNDECIDED


def test_a_benchmark_that_one_of_them_cannot_measure_is_named() -> None:
    pairs = [(process(entry(POPF, 30), entry(LAHF, 1)), process(entry(POPF, 30)))] * 16
    found = outcome.Outcome(
        timed.judged(pairs, 0.125, 0.3), "core cycles", missing=timed.missing(pairs, [POPF, LAHF])
    )
    assert list(found.missing) == [LAHF] and [line.name for line in found.lines] == [POPF]
    assert f"Not measured in one of the two: {LAHF}" in ab_table.text(found)
    assert found.code == Exit.UNUSABLE


def test_only_common_benchmarks_are_compared_and_the_others_named() -> None:
    names, notes = outcome.common([["a", "b", "c"], ["d", "c", "b"]])
    assert names == ["b", "c"]
    assert notes == ["Only in A, not compared: a", "Only in B, not compared: d"]
    assert outcome.common([["a"], ["a"]]) == (["a"], [])
    with pytest.raises(IrqcostError, match="no benchmark in common"):
        outcome.common([["a"], ["b"]])


def test_other_code_under_the_same_name_is_told() -> None:
    a, b = {"popf": "popf", "nop": "nop"}, {"popf": "nop; popf", "x": ""}
    assert outcome.other_code(a, b) == ["Other code under the same name: popf"]
    assert outcome.other_code(a, a) == []


def result(absent: Sequence[str] = (), unusable: Sequence[str] = (), **ticks: float) -> Any:
    figures = {f"kmod/{row}/isolated": SimpleNamespace(ticks=value) for row, value in ticks.items()}
    context = SimpleNamespace(
        code={"a": str(ticks.get("a"))},
        absent=[SimpleNamespace(name=name) for name in absent],
        backends=[SimpleNamespace(name=name, usable=False) for name in unusable],
    )
    return SimpleNamespace(figures=figures, context=context)


def test_under_the_instruction_clock_one_instruction_counts() -> None:
    found = counted.exact([result(a=31, b=4)] * 2, [result(a=32, c=9)] * 2)
    assert [(line.name, line.difference.value) for line in found.lines] == [("kmod/a/isolated", 1)]
    assert words(found) == [Order.SLOWER] and found.code == Exit.FAILED
    assert found.notes == [
        "Only in A, not compared: kmod/b/isolated",
        "Only in B, not compared: kmod/c/isolated",
        "Other code under the same name: a",
    ]
    assert counted.exact([result(a=31)] * 2, [result(a=31)] * 2).code == Exit.OK
    # A count that differs between two turns of one build does not count.
    assert words(counted.exact([result(a=31), result(a=31)], [result(a=31), result(a=32)])) == [
        Order.UNDECIDED
    ]


@pytest.mark.parametrize(
    "b",
    [
        [result(a=31, absent=["kmod/b"])] * 2,
        [result(a=31, absent=["kmod/b/isolated"])] * 2,
        [result(a=31, unusable=["kmod"])] * 2,
        [result(a=31, b=4), result(a=31)],
    ],
    ids=["row", "mode", "backend", "one turn"],
)
def test_what_a_build_could_not_measure_is_no_success(b: list[Any]) -> None:
    found = counted.exact([result(a=31, b=4)] * 2, b)
    assert list(found.missing) == ["kmod/b/isolated"] and found.code == Exit.UNUSABLE
    assert [line.name for line in found.lines] == ["kmod/a/isolated"]


def test_both_modules_take_turns_in_the_guest() -> None:
    listed = both.commands((0, 1, 1, 0), "cli")
    assert [one.name for one in listed[:3]] == ["insmod-1", "measure-1", "rmmod-1"]
    assert [one.argv[1][1] for one in listed if one.name.startswith("insmod")] == list("0110")
    assert [one.argv[0][1] for one in listed if one.name.startswith("measure")] == list("0110")
    assert all("--benchmark_filter=cli" in one.argv for one in listed if "measure" in one.name)
    assert "--benchmark_filter" not in str(both.commands((0, 1), None))


def test_a_turn_without_a_result_says_why() -> None:
    status = {"insmod-2": 1, "measure-2": 2, "rmmod-2": 0}
    logs = {"insmod-2.log": b"Invalid module format", "measure-2.log": b"no such flag"}
    with pytest.raises(IrqcostError, match="turn 2: insmod fails in the guest: Invalid module"):
        both.turn_of(GuestResult(status, "", logs), 2, 1)
    with pytest.raises(IrqcostError, match="turn 2: .*\nno such flag"):
        both.turn_of(GuestResult({**status, "insmod-2": 0}, "", logs), 2, 1)
