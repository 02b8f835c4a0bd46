# SPDX-License-Identifier: GPL-2.0-only
"""The adaptive loop with a fake harness and a fake clock, and which processes count."""

import random
import re
from collections.abc import Callable

import pytest

from processes_of import BASELINE, TOLERANCE, calibration, entry, process, level
from irqcost import ROOT
from irqcost.base.errors import CpuGone
from irqcost.measure.merge import merge
from irqcost.measure.processes import (
    Process,
    Processes,
    Plan,
    Request,
    Target,
    collect,
    run_level,
    converged,
)
from irqcost.stats import intervals

QUIET = "ring3/popf/throughput"
NOISY = "ring3/sahf/isolated"


class FakeHarness:
    """Takes the time it is given plus 0.1 s, and draws figures."""

    def __init__(self, draws: dict[str, Callable[[], float]], overhead: float = 0.1) -> None:
        self.draws = draws
        self.overhead = overhead
        self.clock = 0.0
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Process:
        self.requests.append(request)
        seconds = request.seconds + self.overhead
        self.clock += seconds
        names = self.draws if request.names is None else request.names
        return process(*(entry(name, self.draws[name]()) for name in names), seconds=seconds)

    def collect(self, plan: Plan) -> list[Process]:
        return collect(self, plan, lambda: self.clock, self.overhead)


def test_stops_when_all_are_inside_the_target() -> None:
    harness = FakeHarness({QUIET: lambda: 13.0})
    assert len(harness.collect(Plan(60))) == intervals.FEWEST
    assert all(request.names is None for request in harness.requests)


def test_one_process_that_seems_emulated_ends_no_run() -> None:
    harness = FakeHarness({QUIET: lambda: 13.0})
    seems = {"kind": "emulated", "reason": "a multiply took 1.9 times as long as an add"}
    lost = entry(QUIET, 13.0)
    del lost["core_cycles"]

    def measure(request: Request) -> Process:
        found = harness(request)
        return found if len(harness.requests) != 3 else process(lost, execution=seems)

    run = collect(measure, Plan(60), lambda: harness.clock, 0.1)
    assert len(Processes(run).benchmarks[QUIET].used) >= intervals.FEWEST


def test_goes_on_with_those_outside_only() -> None:
    values = iter(range(10000))
    harness = FakeHarness({QUIET: lambda: 13.0, NOISY: lambda: float(next(values) % 3)})
    run = harness.collect(Plan(10))
    assert [request.names for request in harness.requests[6:]] == [(NOISY,)] * (len(run) - 6)
    assert len(run) == 12
    assert 9 < harness.clock <= 10.2
    # A process of few samples would count as much as the others.
    seconds = [request.seconds for request in harness.requests]
    assert min(seconds) > 0.8 * max(seconds)
    found = Processes(run).benchmarks
    assert len(found[QUIET].used) == 6 and len(found[NOISY].used) == len(run)


def test_one_that_comes_to_stand_still_is_left_alone() -> None:
    values = iter([1.0, 1.0, 1.2, 1.0, 1.0, 1.0] + [1.0] * 100)
    harness = FakeHarness({QUIET: lambda: next(values)})
    # Two of nine are needed on one side: one stray value is inside.
    assert len(harness.collect(Plan(60))) == 9


def test_what_is_known_is_handed_on() -> None:
    harness = FakeHarness({QUIET: lambda: 13.0})
    harness.collect(Plan(60))
    assert harness.requests[0].sensor_levels == {} and harness.requests[0].tsc_khz is None
    assert harness.requests[1].sensor_levels == {"ring3": BASELINE}
    assert harness.requests[1].tsc_khz == 2445000.0


def test_the_first_process_is_short_so_that_there_is_something_to_see() -> None:
    harness = FakeHarness({QUIET: lambda: 13.0})
    harness.collect(Plan(60))
    first, *others = (request.seconds for request in harness.requests)
    assert first == 0.8 and min(others) > 4
    # Not longer than its part of a short run.
    harness = FakeHarness({QUIET: lambda: 13.0})
    harness.collect(Plan(6))
    assert harness.requests[0].seconds == pytest.approx(6 / 12 - 0.1)


def test_too_little_time_gives_what_it_can() -> None:
    harness = FakeHarness({QUIET: lambda: 13.0})
    run = harness.collect(Plan(0.05))
    assert len(run) == 1
    assert Processes(run).benchmarks[QUIET].interval("core_cycles") is None


def test_a_cpu_that_goes_offline_loses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    harness = FakeHarness({QUIET: lambda: 13.0})

    def measure(request: Request, after: int) -> Process:
        if len(harness.requests) == after:
            raise CpuGone("CPU 1 went offline")
        return harness(request)

    run = collect(lambda request: measure(request, 2), Plan(60), lambda: harness.clock, 0.1)
    assert len(run) == 2
    assert "CPU 1 went offline; the run ends here" in capsys.readouterr().err
    with pytest.raises(CpuGone):
        collect(lambda request: measure(request, 2), Plan(60), lambda: harness.clock, 0.1)


def test_an_emulated_process_is_enough() -> None:
    execution = {"kind": "emulated", "reason": "x"}
    counted = entry(QUIET, 2.0, label="few: 5 samples")
    del counted["core_cycles"]
    asked = []

    def measure(request: Request) -> Process:
        asked.append(request)
        return process(counted, execution=execution)

    run = collect(measure, Plan(60), lambda: 0.0)
    assert len(asked) == 1 and len(Processes(run).benchmarks[QUIET].used) == 1


def test_processes_beside_a_neighbour_do_not_count() -> None:
    limit = BASELINE * (1 + TOLERANCE)
    run = [
        process(entry(QUIET, 13.0)),
        process(entry(QUIET, 13.1, sensor=limit * 0.999)),
        process(entry(QUIET, 20.0, sensor=limit * 1.001), baseline=0.3),
        process(entry(QUIET, 17.0, label="disturbed: 3 of 400 samples clean")),
    ]
    found = Processes(run).benchmarks[QUIET]
    assert [item["core_cycles"] for item in found.used] == [13.0, 13.1]
    assert [item["core_cycles"] for item in found.contaminated] == [20.0, 17.0]


def test_quiet_processes_later_tell_of_a_neighbour_before() -> None:
    loud = [process(entry(QUIET, 20.0, sensor=0.3), baseline=0.3) for _ in range(6)]
    assert converged(Processes(loud).benchmarks[QUIET], Target())
    quiet = process(entry(NOISY, 1.0))
    # One may be mistaken; two that agree are not.
    assert len(Processes([*loud, quiet]).benchmarks[QUIET].used) == 6
    assert not converged(Processes([*loud, quiet, quiet]).benchmarks[QUIET], Target())
    assert not Processes([*loud, quiet, quiet]).benchmarks[QUIET].used


@pytest.mark.parametrize(
    ("levels", "count", "expected"),
    [
        # One process alone is believed, unless it found no level.
        ([0.3], 1, 0.3),
        ([], 1, None),
        # A lucky, or mistaken, process makes no other one look slow.
        ([0.1, 0.18, 0.181, 0.182, 0.18, 0.18], 6, 0.18),
        # Two levels: the lower one counts, though most were beside a neighbour.
        ([0.317, 0.18, 0.318, 0.316, 0.182, 0.317], 6, 0.181),
        # Of many processes one in six must agree.
        ([0.18] * 2 + [0.3] * 11, 13, 0.3),
        ([0.18] * 3 + [0.3] * 11, 14, 0.18),
        # None agree; and one of two that found a level.
        ([0.1, 0.2, 0.3], 3, None),
        ([0.18], 2, None),
        # On the edge of the tolerance.
        ([0.2, 0.2 * (1 + TOLERANCE)], 2, 0.203),
        ([0.2, 0.2 * (1 + TOLERANCE) + 1e-9], 2, None),
    ],
)
def test_the_level_of_a_run(levels: list[float], count: int, expected: float | None) -> None:
    assert run_level(levels, count, TOLERANCE) == (expected and pytest.approx(expected))


def test_a_process_without_a_level_counts_as_one_that_does_not_agree() -> None:
    unsteady = process(entry(QUIET, 13.0), baselines={"ring3": level(0.1, steady=False)})
    run = [process(entry(QUIET, 13.0)) for _ in range(2)] + [unsteady] * 3
    assert Processes(run).levels == {"ring3": BASELINE}
    assert Processes([unsteady]).levels == {}
    # Where none agree nothing is clean.
    run = [process(entry(QUIET, 13.0, sensor=one), baseline=one) for one in (0.1, 0.2, 0.3)]
    assert Processes(run).limits == {"ring3": 0}
    assert (
        not Processes(run).benchmarks[QUIET].used
        and len(Processes(run).benchmarks[QUIET].contaminated) == 3
    )


def test_older_harnesses_have_their_own_tolerance() -> None:
    baselines = {"ring3": {"sensor_cycles": 0.2, "ticks_per_cycle": 2}}
    old = [process(entry(QUIET, 13.0, sensor=0.209), baselines=baselines)] * 6
    del old[0].document["context"]["irqcost"]["calibration"]
    assert Processes(old).limits == {"ring3": pytest.approx(0.21)}
    assert len(Processes(old).benchmarks[QUIET].used) == 6
    assert merge(old, Target())["benchmarks"][0]["verdict"] == "good"


@pytest.mark.parametrize(("most", "other"), [(3, 4), (10, 11), (4, None)])
def test_the_latency_that_most_processes_found_counts(most: int, other: int | None) -> None:
    found = [most] * 5 + [other] + [most] * 6
    run = [
        # In core cycles of another length the same figure is another one.
        process(entry(QUIET, 12.0 if one == most else 9.0), calibration=calibration(one))
        for one in found
    ]
    assert Processes(run).imul_latency == most
    series = Processes(run).benchmarks[QUIET]
    assert series.values("core_cycles") == [12.0] * 11
    assert [one["core_cycles"] for one in series.contaminated] == [9.0]
    document = merge(run, Target())
    assert document["context"]["irqcost"]["calibration"]["imul_latency"] == most
    assert document["context"]["irqcost"]["calibration"]["processes"] == 11
    assert document["benchmarks"][0]["core_cycles"] == 12.0
    assert document["benchmarks"][0]["processes_contaminated"] == [9.0]


def test_the_latency_of_no_process() -> None:
    lost = entry(QUIET, 13.0)
    del lost["core_cycles"]
    run = [process(lost, calibration=calibration(None)) for _ in range(6)]
    assert Processes(run).imul_latency is None
    document = merge(run, Target())
    assert document["context"]["irqcost"]["calibration"]["imul_latency"] is None
    (reason,) = document["benchmarks"][0]["reasons"]
    assert reason.startswith("ticks only, no core cycles: no whole number of adds.")


def test_all_disturbed_shows_what_there_is() -> None:
    run = [process(entry(QUIET, cycles, label="disturbed: …")) for cycles in (14.0, 15.0) * 4]
    found = Processes(run).benchmarks[QUIET]
    assert found.values("core_cycles") and found.interval("core_cycles") is None


def test_a_process_without_a_clock_does_not_count_beside_others() -> None:
    lost = entry(QUIET, 13.0)
    del lost["core_cycles"]
    found = Processes(
        [process(lost), process(entry(QUIET, 13.0)), process(entry(QUIET, 13.1))]
    ).benchmarks[QUIET]
    assert found.unit == "core_cycles" and len(found.used) == 2 and len(found.contaminated) == 1
    alone = Processes([process(lost), process(lost)]).benchmarks[QUIET]
    assert alone.unit == "ticks" and len(alone.used) == 2
    # Where all were disturbed, those with a clock make the figure.
    loud = entry(QUIET, 13.0, label="disturbed: …")
    mixed = Processes([process(lost), process(loud)]).benchmarks[QUIET]
    assert mixed.unit == "core_cycles" and mixed.shown == [loud]


def test_no_interval_is_narrower_than_a_step_of_the_clock() -> None:
    one = entry(QUIET, 13.0, core_cycles_resolution=0.25, ticks_resolution=0.5)
    found = Processes([process(one) for _ in range(6)]).benchmarks[QUIET]
    assert found.interval("core_cycles") == (12.75, 13.25)
    assert found.interval("ticks") == (25.5, 26.5)
    assert not converged(found, Target())


def test_the_target_is_the_wider_of_the_two() -> None:
    assert Target(0.2, 0.05).half_width(100) == pytest.approx(0.2)
    assert Target(0.2, 0.05).half_width(-10) == 0.05


def test_the_tolerance_is_that_of_the_harness() -> None:
    header = (ROOT / "bench_user" / "measure" / "recording.h").read_text(encoding="utf-8")
    match = re.search(r"kSensorTolerance = ([\d.]+);", header)
    assert match and float(match[1]) == TOLERANCE
    assert Processes([process(entry(QUIET, 13.0))]).tolerances["ring3"] == TOLERANCE


def test_stopping_when_it_suits_costs_little_coverage() -> None:
    """To stop as soon as the interval is narrow prefers processes that happen to agree."""
    generator = random.Random(7)
    hits = trials = 0
    for _ in range(400):
        harness = FakeHarness({QUIET: lambda: generator.gauss(20, 0.05)})
        found = Processes(harness.collect(Plan(20))).benchmarks[QUIET]
        interval = found.interval("core_cycles")
        assert interval is not None
        trials += 1
        hits += interval[0] <= 20 <= interval[1]
    print(f"covered {hits} of {trials}")
    assert hits / trials > 0.9


def test_time_goes_to_samples_and_not_to_starting() -> None:
    unsettled = {"ring3/popf/throughput": lambda: random.uniform(20, 40)}
    quick = FakeHarness(unsettled, overhead=0.1)
    quick.collect(Plan(3.5))
    assert len(quick.requests) >= 12
    slow = FakeHarness(unsettled, overhead=2.3)
    slow.collect(Plan(32))
    # After the first, which is short in any case, a process measures for a second at least.
    assert min(request.seconds for request in slow.requests[1:6]) > 1
    assert len(slow.requests) >= 6
