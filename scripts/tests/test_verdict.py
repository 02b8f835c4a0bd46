# SPDX-License-Identifier: GPL-2.0-only
"""Each verdict for its reason, and with a next step."""

from collections.abc import Sequence

import pytest

from processes_of import calibration, entry, process, level
from irqcost.measure import verdict
from irqcost.measure.merge import merge
from irqcost.measure.processes import Benchmark, Processes, Target
from irqcost.measure.verdict import Controls, RunVerdict, Verdict

NAME = "ring3/popf/throughput"


def series(values: Sequence[float], disturbed: Sequence[float] = ()) -> Benchmark:
    return Benchmark(NAME, [entry(NAME, v) for v in values], [entry(NAME, v) for v in disturbed])


def judged(
    one: Benchmark,
    execution: str = "bare-metal",
    fault: str | None = None,
    target: Target = Target(),
) -> Verdict:
    return verdict.of_figure(one, target, execution, fault)


def test_good() -> None:
    assert judged(series([13.0, 13.01, 12.99, 13.0, 13.02, 13.0])) == Verdict("good")
    # Zero variance; quantised; with processes beside it that were disturbed and do not count.
    assert judged(series([13.0] * 6)).status == "good"
    assert judged(series([13.0, 13.04] * 3)).status == "good"
    assert judged(series([13.0] * 6, [20.0] * 9)).status == "good"


def test_a_fault_is_never_good() -> None:
    found = judged(Benchmark(NAME, [entry(NAME, 4500.0, faults=1.0) for _ in range(6)]))
    assert found.status == "imprecise" and "caches that others share" in found.reasons[0]


@pytest.mark.parametrize(
    ("one", "word", "reason"),
    [
        (series([13.0]), "imprecise", "1 process; an interval needs 6. Measure longer (--time)"),
        (series([13.0] * 5), "imprecise", "5 processes; an interval needs 6. Measure longer"),
        (series([13.0] * 5, [20.0]), "disturbed", "too noisy: 5 of 6 processes ran undisturbed"),
        (series([], [20.0] * 9), "disturbed", "too noisy: 0 of 9 processes ran undisturbed"),
        # Two modes.
        (series([13.0, 20.0] * 5), "imprecise", "±3.5 cycles, wanted ±0.05: measuring longer"),
        # Enough processes were alone, whatever the others were.
        (series([13.0, 20.0] * 5, [30.0]), "imprecise", "±3.5 cycles, wanted ±0.05"),
    ],
)
def test_disturbed_is_what_something_else_was_beside(
    one: Benchmark, word: str, reason: str
) -> None:
    """A wide interval is none of a neighbour's doing."""
    found = verdict.of_figure(one, Target(), "bare-metal", None, seconds=16)
    assert found.status == word and found.reasons[0].startswith(reason)


def test_what_all_noisy_processes_say_is_said() -> None:
    def of(*labels: str) -> str:
        entries = [entry(NAME, 13.0, label=label) for label in labels]
        return judged(Benchmark(NAME, [], entries)).reasons[0]

    why = "the sensor has no level"
    assert of(*[f"disturbed: {why}"] * 6).endswith(f"6 are needed ({why})")
    assert of(*[f"disturbed: {why}"] * 5, "disturbed: 3 of 200 samples clean").endswith(
        "are needed"
    )


@pytest.mark.parametrize(
    ("times", "seconds", "advice"),
    [
        # The width of an interval falls as the root of the time.
        (2, 30, "about 120 s would do (--time)"),
        (1.01, 16, "about 17 s would do (--time)"),
        (1.2, 3.5, "about 6 s would do (--time)"),
        (3, 137, "about 1300 s would do (--time)"),
        (10, 36, "about 3600 s would do (--time)"),
        (10, 36.1, "measuring longer would not help; keep other work off the core"),
        # Nobody knows how long it was measured.
        (2, 0, "measuring longer would not help; keep other work off the core"),
    ],
)
def test_how_much_longer(times: float, seconds: float, advice: str) -> None:
    assert verdict._longer(times, seconds) == advice


def test_the_advice_is_of_the_time_that_all_processes_took() -> None:
    # ±0.1, wanted ±0.05, in 12 processes of 2 s.
    values = [13.0, 13.1, 12.9] * 4
    run = [process(entry(NAME, value), seconds=2) for value in values]
    (one,) = merge(run, Target())["benchmarks"]
    assert one["reasons"] == ["±0.1 cycles, wanted ±0.05: about 96 s would do (--time)"]


def test_the_target_decides() -> None:
    one = series([100, 100.1, 100.2, 100.1, 100.1, 100.1])
    assert judged(one).status == "good"
    assert judged(one, target=Target(0.05, 0.02)).status == "imprecise"


def test_emulated_and_uncalibrated() -> None:
    assert judged(series([13.0] * 6), "emulated").status == "emulated"
    one = series([13.0] * 6)
    for item in one.used:
        del item["core_cycles"]  # type: ignore[attr-defined]
    found = judged(one)
    assert found.status == "uncalibrated" and "ticks only" in found.reasons[0]


def controls_of(
    cycles: dict[str, dict[str, object]] | None = None,
    latency: int | None = 3,
    label: str = "clean",
    **cost: float | list[float],
) -> Controls:
    """Those of backend ring3: by probe what it costs, in each of six processes."""
    each = {k: v if isinstance(v, list) else [v] * 6 for k, v in cost.items()}
    run = [
        process(*(entry(f"ring3/{k}/throughput", v[i], label=label) for k, v in each.items()))
        for i in range(6)
    ]
    return Controls(Processes(run).benchmarks, cycles or {}, latency)


@pytest.mark.parametrize(
    ("probe", "right", "wrong", "known"),
    [
        ("empty", 0.009, -0.02, "0"),
        ("empty", -0.0099, 0.0101, "0"),
        ("dep_add", 1.009, 1.011, "1"),
        ("dep_add", 0.991, 0.75, "1"),
    ],
)
def test_controls(probe: str, right: float, wrong: float, known: str) -> None:
    assert controls_of(**{probe: right}).notes == []
    controls = controls_of(**{probe: wrong})
    (note,) = controls.notes
    assert note == (
        f"ring3/{probe} took {wrong:.3f} cycles; expected {known} ± 0.01. Run again on a quiet "
        "machine; if it persists, please open an issue."
    )
    reason = controls.why_unreliable(NAME)
    assert reason == f"control ring3/{probe} is off: see the note"
    found = judged(series([13.0] * 6), fault=reason)
    assert found == Verdict("inconsistent", (reason,))


def test_a_control_is_off_with_its_whole_interval_only() -> None:
    assert controls_of(dep_add=[0.9, 0.95, 0.9, 0.9, 0.9, 1.0]).notes == []
    assert controls_of(dep_add=[0.9, 0.95, 0.9, 0.9, 0.9, 0.9]).notes
    # Processes that were all disturbed tell nothing.
    assert controls_of(dep_add=0.9, label="disturbed: …").notes == []


@pytest.mark.parametrize("latency", [3, 4, 5, 6, 10, 14])
@pytest.mark.parametrize("nop", [0.1, 0.114, 0.25, 1.1])
def test_what_differs_from_core_to_core_is_a_figure(latency: int, nop: float) -> None:
    costs = {"empty": 0.001, "dep_add": 1.002, "nop": nop, "dep_imul": float(latency), "popf": 13}
    clock = {"source": "chain", "counter": "aperf", "imul_cycles": latency * 1.001}
    run = [
        process(
            *(entry(f"ring3/{probe}/throughput", cost) for probe, cost in costs.items()),
            calibration=calibration(latency),
            cycles={"ring3": clock},
        )
        for _ in range(6)
    ]
    document = merge(run, Target())
    assert {one["verdict"] for one in document["benchmarks"]} == {"good"}
    assert document["context"]["irqcost"]["verdict"] == {
        "verdict": "good",
        "sentence": "5 of 5 figures good",
        "reasons": [],
    }


BACKENDS = ("ring3", "kmod", "bpf")


def judged_with(control: str, cost: float) -> tuple[dict[str, str], RunVerdict]:
    """The words by name of a run of three backends in which one control costs that, and the
    run's."""
    names = [f"{b}/{p}/throughput" for b in BACKENDS for p in ("empty", "dep_add", "popf")]
    names += [
        f"{b}/popf/{mode}" for b in BACKENDS for mode in ("isolated", "in_situ/20", "softirq")
    ]
    known = {"empty": 0.0, "dep_add": 1.0, "popf": 13.0}
    costs = {name: known[name.split("/")[1]] for name in names} | {control: cost}
    baselines = {backend: level(0.18) for backend in BACKENDS}
    run = [process(*(entry(n, c) for n, c in costs.items()), baselines=baselines) for _ in range(6)]
    document = merge(run, Target())
    found = document["context"]["irqcost"]["verdict"]
    words = {one["name"]: one["verdict"] for one in document["benchmarks"]}
    return words, RunVerdict(found["verdict"], found["sentence"], tuple(found["reasons"]))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_control_of_throughput_doubts_that_of_its_backend(backend: str) -> None:
    words, run = judged_with(f"{backend}/empty/throughput", 0.05)
    doubted = {name for name, word in words.items() if word == "inconsistent"}
    assert doubted == {f"{backend}/{p}/throughput" for p in ("empty", "dep_add", "popf")}
    assert set(words.values()) == {"good", "inconsistent"}
    assert run.status == "good" and run.sentence == "15 of 18 figures good; 3 inconsistent"
    assert run.reasons == (
        f"{backend}/empty took 0.050 cycles; expected 0 ± 0.01. Run again on a quiet machine; if "
        "it persists, please open an issue.",
        f"3 inconsistent, such as: control {backend}/empty is off: see the note",
    )


def test_a_control_of_the_clock_doubts_all_of_its_backend() -> None:
    words, run = judged_with("bpf/dep_add/throughput", 1.33)
    doubted = {name for name, word in words.items() if word == "inconsistent"}
    assert doubted == {name for name in words if name.startswith("bpf/")}
    assert run.sentence == "12 of 18 figures good; 6 inconsistent"
    assert sum("bpf/dep_add took 1.330 cycles" in reason for reason in run.reasons) == 1


GOOD = Verdict("good")
NOISY = Verdict("imprecise", ("±0.2 cycles, wanted ±0.05: about 60 s would do (--time)", "y"))


@pytest.mark.parametrize(
    ("verdicts", "word", "sentence", "reasons"),
    [
        ([GOOD], "good", "1 of 1 figures good", ()),
        (
            [GOOD] * 54 + [NOISY] * 8,
            "good",
            "54 of 62 figures good; 8 imprecise",
            (f"8 imprecise, such as: {NOISY.reasons[0]}",),
        ),
        (
            [GOOD, *[NOISY] * 2, Verdict("inconsistent", ("z",))],
            "imprecise",
            "1 of 4 figures good; 2 imprecise; 1 inconsistent",
            (f"2 imprecise, such as: {NOISY.reasons[0]}", "1 inconsistent, such as: z"),
        ),
        # Of two words that as many have, the worse one.
        (
            [GOOD, Verdict("uncalibrated", ("no clock",))],
            "uncalibrated",
            "1 of 2 figures good; 1 uncalibrated",
            ("1 uncalibrated, such as: no clock",),
        ),
        ([], "disturbed", "nothing was measured", ("nothing was measured",)),
    ],
)
def test_the_verdict_of_a_run_is_a_sentence(
    verdicts: list[Verdict], word: str, sentence: str, reasons: tuple[str, ...]
) -> None:
    assert verdict.of_run(verdicts) == RunVerdict(word, sentence, reasons)


def test_the_example_is_of_the_cause_that_most_have() -> None:
    def noisy(half: float) -> Verdict:
        return Verdict("imprecise", (f"±{half} cycles, wanted ±0.05",))

    few = Verdict("imprecise", ("too noisy: 0 of 9",))
    found = verdict.of_run([few, noisy(0.1), noisy(0.2), few, noisy(0.3)])
    assert found.reasons == ("5 imprecise, such as: ±0.1 cycles, wanted ±0.05",)


def test_notes_come_first() -> None:
    found = verdict.of_run([GOOD, NOISY, GOOD], notes=["a note"])
    assert found.reasons[0] == "a note" and len(found.reasons) == 2
    assert found.status == "good" and found.sentence == "2 of 3 figures good; 1 imprecise"
