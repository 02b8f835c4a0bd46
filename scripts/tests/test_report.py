# SPDX-License-Identifier: GPL-2.0-only
"""What the report says beside its tables of figures."""

from irqcost.model import parsing
from irqcost.output import terminal
import machine_code
from results import document


def test_derived_figures_clocks_and_machine_code() -> None:
    content = document("alpha")
    ours = content["context"]["irqcost"]
    derived = {"core_cycles": 22.7, "low": 21.7, "high": 27.71, "inputs": {}}
    ours["derived"] = [{"name": "bpf/pair/alone", "formula": "pair - 2 * call", **derived}]
    clock = {"name": "bpf_ktime_get_ns", "source": "tsc", "step_ns": 1}
    ours["backends"]["bpf"] = {"usable": True, "clock": clock}
    ours["machine_code"] = machine_code.of("bpf/pair", machine_code.function("f", "c3"))
    text = terminal.text(parsing.parse(content), verbose=True)
    (line,) = [line.split() for line in text.splitlines() if line.startswith("  bpf/pair ")]
    assert line == ["bpf/pair", "22.70", "21.70", "27.71", "pair", "-", "2", "*", "call"]
    assert "bpf measured with bpf_ktime_get_ns (clock source tsc), in steps of 1 ns" in text
    assert "machine code of 1 kernel function" in text


def test_a_run_without_them_has_no_word_of_them() -> None:
    text = terminal.text(parsing.parse(document("alpha")), verbose=True)
    assert "derived" not in text and "machine code" not in text and "measured with" not in text


def test_a_clock_in_doubt_and_a_quota_are_named() -> None:
    content = document("alpha")
    ours = content["context"]["irqcost"]
    ours["tsc"]["clock_source"] = "tsc"
    sound = terminal.text(parsing.parse(content), verbose=True)
    assert "ns and ticks" not in sound and "quota" not in sound
    ours["tsc"] |= {"clock_source": "hpet", "invariant": False}
    ours["settings"]["cpu_quota"] = 0.5
    text = terminal.text(parsing.parse(content), verbose=True)
    assert (
        "  ns and ticks are unreliable: the CPU does not say that its TSC keeps its rate and the "
        "kernel tells"
    ) in text.splitlines()
    assert "measured under a quota of 0.5 CPUs (cgroup)" in text


def test_a_reason_of_the_run_is_said_once_and_that_of_its_results_by_letters() -> None:
    content = document("alpha")
    verdict = {"verdict": "good", "sentence": "54 of 62 figures good; 8 disturbed"}
    note = "ring3/empty took 0.050 cycles; expected 0 ± 0.01."
    why = "8 disturbed, such as: x"
    content["context"]["irqcost"]["verdict"] = {**verdict, "reasons": [note, why, note]}
    text = terminal.text(parsing.parse(content))
    assert f"\nWarnings:\n  {note}\n" in text
    assert text.count(note) == 1 and why not in text
