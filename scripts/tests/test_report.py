# SPDX-License-Identifier: GPL-2.0-only
"""What the report says beside its tables of figures."""

from irqcost.model import catalogue, parsing
from irqcost.output import terminal
import machine_code
from results import document


def test_derived_figures_clocks_and_live_text() -> None:
    content = document("alpha")
    ours = content["context"]["irqcost"]
    derived = {"core_cycles": 22.7, "low": 21.7, "high": 27.71, "inputs": {}}
    ours["derived"] = [{"name": "bpf/pair/alone", "formula": "pair - 2 * call", **derived}]
    clock = {"name": "bpf_ktime_get_ns", "source": "tsc", "step_ns": 1}
    ours["backends"]["bpf"] = {"usable": True, "clock": clock}
    ours["machine_code"] = machine_code.of("bpf/pair", machine_code.function("f", "c3"))
    text = terminal.text(parsing.parse(content), catalogue.read())
    (line,) = [line.split() for line in text.splitlines() if line.startswith("  bpf/pair ")]
    assert line == ["bpf/pair", "22.70", "21.70", "27.71", "pair", "-", "2", "*", "call"]
    assert "bpf measured with bpf_ktime_get_ns (clock source tsc), in steps of 1 ns" in text
    assert "live text of 1 kernel function" in text


def test_a_run_without_them_has_no_word_of_them() -> None:
    text = terminal.text(parsing.parse(document("alpha")), catalogue.read())
    assert "derived" not in text and "live text" not in text and "measured with" not in text


def test_a_clock_in_doubt_and_a_quota_are_named() -> None:
    content = document("alpha")
    ours = content["context"]["irqcost"]
    ours["tsc"]["clock_source"] = "tsc"
    sound = terminal.text(parsing.parse(content), catalogue.read())
    assert "in doubt" not in sound and "quota" not in sound
    ours["tsc"] |= {"clock_source": "hpet", "invariant": False}
    ours["settings"]["cpu_quota"] = 0.5
    text = terminal.text(parsing.parse(content), catalogue.read())
    assert (
        "ns and ticks are in doubt: the CPU does not say that its TSC keeps its rate and "
        "the kernel tells the time by hpet and not by the TSC"
    ) in text.splitlines()
    assert "measured under a quota of 0.5 CPUs (cgroup)" in text


def test_the_runs_verdict_is_its_sentence_and_each_reason_once() -> None:
    content = document("alpha")
    verdict = {"verdict": "good", "sentence": "54 of 62 figures good; 8 disturbed"}
    note = "ring3/empty took 0.050 cycles; expected 0 ± 0.01."
    why = "8 disturbed, such as: x"
    content["context"]["irqcost"]["verdict"] = {**verdict, "reasons": [note, why, note]}
    lines = terminal.text(parsing.parse(content), catalogue.read()).splitlines()
    place = lines.index("Verdict: 54 of 62 figures good; 8 disturbed")
    assert lines[place + 1 : place + 3] == [f"  {note}", f"  {why}"]
    assert sum(note in line for line in lines) == 1
    # Older files have a word alone.
    content["context"]["irqcost"]["verdict"] = {"verdict": "disturbed", "reasons": [why]}
    text = terminal.text(parsing.parse(content), catalogue.read())
    assert f"Verdict: disturbed\n  {why}" in text
