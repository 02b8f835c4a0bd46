# SPDX-License-Identifier: GPL-2.0-only
"""Each verdict for its reason, and with a next step."""

from collections.abc import Sequence

import pytest

from epochs_of import entry, epoch
from irqcost import verdict
from irqcost.epochs import Series, Target, gather
from irqcost.verdict import Verdict

NAME = "ring3/popf/throughput"


def series(values: Sequence[float], disturbed: Sequence[float] = ()) -> Series:
    return Series(NAME, [entry(NAME, v) for v in values], [entry(NAME, v) for v in disturbed])


def judged(
    one: Series, execution: str = "bare-metal", fault: str | None = None, target: Target = Target()
) -> Verdict:
    return verdict.of_figure(one, target, execution, fault)


def test_good() -> None:
    assert judged(series([13.0, 13.01, 12.99, 13.0, 13.02, 13.0])) == Verdict("good")
    # Zero variance; quantised; with epochs beside it that were disturbed and do not count.
    assert judged(series([13.0] * 6)).word == "good"
    assert judged(series([13.0, 13.04] * 3)).word == "good"
    assert judged(series([13.0] * 6, [20.0] * 9)).word == "good"


def test_a_fault_is_never_good() -> None:
    found = judged(Series(NAME, [entry(NAME, 4500.0, faults=1.0) for _ in range(6)]))
    assert found.word == "disturbed" and "caches that others share" in found.reasons[0]


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (series([13.0]), "1 epoch, and an interval needs 6: run longer"),
        (series([13.0] * 5), "5 epochs, and"),
        (series([13.0] * 5, [20.0]), "5 of 6 epochs free, and"),
        (series([], [20.0] * 9), "0 of 9 epochs free, and"),
        # Two modes.
        (series([13.0, 20.0] * 5), "epochs differ: ±3.5 core cycles, wanted ±0.05"),
    ],
)
def test_disturbed(one: Series, reason: str) -> None:
    found = judged(one)
    assert found.word == "disturbed"
    assert found.reasons[0].startswith(reason) and ": run longer (--time)" in found.reasons[0]


def test_the_target_decides() -> None:
    one = series([100, 100.1, 100.2, 100.1, 100.1, 100.1])
    assert judged(one).word == "good"
    assert judged(one, target=Target(0.05, 0.02)).word == "disturbed"


def test_emulated_and_uncalibrated() -> None:
    assert judged(series([13.0] * 6), "emulated").word == "emulated"
    one = series([13.0] * 6)
    for item in one.used:
        del item["core_cycles"]  # type: ignore[attr-defined]
    found = judged(one)
    assert found.word == "uncalibrated" and "ticks only" in found.reasons[0]


def control(probe: str, *cycles: float, **more: object) -> dict[str, Series]:
    name = f"ring3/{probe}/throughput"
    return gather([epoch(entry(name, value, **more)) for value in cycles])


@pytest.mark.parametrize(
    ("probe", "right", "wrong"),
    [
        ("empty", 0.009, -0.02),
        ("dep_add", 1.004, 1.006),
        ("dep_imul", 2.99, 2.98),
        ("nop", 0.1718, 0.1),
        ("nop", 0.99, 1.1),
    ],
)
def test_controls(probe: str, right: float, wrong: float) -> None:
    assert verdict.control_faults(control(probe, *[right] * 6), {}) == {}
    faults = verdict.control_faults(control(probe, *[wrong] * 6), {})
    assert f"control ring3/{probe} costs {wrong:.3f} core cycles" in faults["ring3"]
    found = judged(series([13.0] * 6), fault=faults["ring3"])
    assert found.word == "inconsistent" and found.reasons == (faults["ring3"],)


def test_a_control_is_off_with_its_whole_interval_only() -> None:
    assert not verdict.control_faults(control("dep_imul", 2.9, 2.95, 2.9, 2.9, 2.9, 3.0), {})
    assert verdict.control_faults(control("dep_imul", 2.9, 2.95, 2.9, 2.9, 2.9, 2.9), {})
    # Disturbed epochs tell nothing, and a control of one backend nothing about another.
    assert not verdict.control_faults(control("dep_imul", 2.9, label="disturbed: …"), {})
    other = {"bpf/call/throughput": Series("bpf/call/throughput")}
    assert set(verdict.control_faults({**control("dep_imul", 2.9), **other}, {})) == {"ring3"}


def test_controls_of_the_start_stand_in_where_the_filter_left_them_out() -> None:
    one = {NAME: series([13.0] * 6)}
    assert not verdict.control_faults(one, {"dep_add": 1.0, "dep_imul": 3.0, "nop": 0.2})
    assert "dep_imul" in verdict.control_faults(one, {"dep_imul": 2.5})["ring3"]
    own = control("dep_imul", *[3.0] * 6)
    assert not verdict.control_faults(own, {"dep_imul": 2.5})


def test_the_run_is_as_good_as_its_worst_figure() -> None:
    good, bad = Verdict("good"), Verdict("disturbed", ("x: run longer", "y"))
    assert verdict.of_run([good, good]) == good
    assert verdict.of_run([good, bad, bad]) == Verdict(
        "disturbed", ("2 of 3 figures disturbed, such as: x: run longer",)
    )
    worst = verdict.of_run([bad, Verdict("inconsistent", ("z",))])
    assert worst.word == "inconsistent" and len(worst.reasons) == 2
    assert verdict.of_run([]).word == "disturbed"
