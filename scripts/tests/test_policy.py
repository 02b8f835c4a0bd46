# SPDX-License-Identifier: GPL-2.0-only
"""The configuration of a check: what it changes, and what it refuses."""

from pathlib import Path

import pytest

from irqcost.base.errors import ResultError
from irqcost.compare import policy
from irqcost.compare.regression import Threshold


def read(tmp_path: Path, text: str) -> policy.Policy:
    path = tmp_path / "check.toml"
    path.write_text(text, encoding="utf-8")
    return policy.read(path)


def test_the_defaults() -> None:
    found = policy.read(None)
    assert (found.runs, found.same, found.risk) == (5, ("cpu",), 0.05)
    assert found.at("ring3/popf/isolated") == Threshold(0.25, 0.5)
    assert not found.ignores("ring3/popf/isolated")


def test_in_situ_percent_are_of_the_whole_window() -> None:
    rules = policy.read(None)
    assert rules.at("ring3/pushf_popf/in_situ/500") == Threshold(0.25, 0.5, beside=500)
    assert rules.at("ring3/pushf_popf/in_situ/500").at(20) == pytest.approx(2.6)
    assert rules.at("ring3/pushf_popf/in_situ/20").at(20) == 0.25
    # A section whose length is not in the name, and what only looks like one.
    assert rules.at("kmod/cli_sti/in_situ/percpu").beside == 0
    assert rules.at("ring3/popf/throughput").beside == 0


def test_patterns_of_a_file_count_beyond_those_of_the_defaults(tmp_path: Path) -> None:
    assert policy.read(None).at("bpf/call/throughput") == Threshold(1.0, 0.5)
    found = read(tmp_path, '[figure."*"]\ncycles = 0.1\n')
    assert found.at("bpf/call/throughput") == Threshold(0.1, 0.5)


def test_a_file_is_laid_over_the_defaults(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
        baseline.same = ["cpu", "kernel"]
        threshold.cycles = 1
        [figure."kmod/spin_lock*"]
        percent = 2.5
        [figure."*/isolated"]
        cycles = 3
        [figure."*/in_situ/*"]
        ignore = true
        [figure."*/in_situ/0"]
        ignore = false
        """,
    )
    assert (found.runs, found.same) == (5, ("cpu", "kernel"))
    assert found.at("kmod/popf/throughput") == Threshold(1, 0.5)
    assert found.at("kmod/spin_lock_irq/throughput") == Threshold(1, 2.5)
    assert found.at("kmod/spin_lock/isolated") == Threshold(3, 2.5)
    assert found.ignores("ring3/pushf_popf/in_situ/20")
    assert not found.ignores("ring3/pushf_popf/in_situ/0")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[threshold", "not TOML"),
        ("[thresholds]\ncycles = 1", "the tables are baseline, threshold"),
        ("[threshold]\ncycle = 1", "'cycle': the keys are cycles, percent"),
        ("threshold = 3", "the tables are"),
        ('[threshold]\ncycles = "1"', "cycles is no number"),
        ("[threshold]\ncycles = true", "cycles is no number"),
        ("[threshold]\ncycles = -1", "no number from 0 on"),
        ("[threshold]\npercent = nan", "no number from 0 on"),
        ("[baseline]\nruns = 0", "whole number from 1"),
        ("[baseline]\nruns = 2.5", "whole number from 1"),
        ('[baseline]\nsame = ["colour"]', "same is no list of cpu, microcode"),
        ("[statistics]\nrisk = 0.9", "risk is not from"),
        ("figure = 3", "the tables are"),
        ("[figure]\npopf = 3", 'figure."popf"'),
        ('[figure."popf"]\nlimit = 3', "the keys are cycles, percent, ignore"),
        ('[figure."popf"]\nignore = 1', "ignore is not true or false"),
        ('[figure."popf"]\ncycles = inf', "cycles is inf"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ResultError) as error:
        read(tmp_path, text)
    assert said in str(error.value) and "check.toml" in str(error.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path, said in ((tmp_path, "not a regular file"), (tmp_path / "none", "no such file")):
        with pytest.raises(ResultError, match=said):
            policy.read(path)
    (tmp_path / "large").write_bytes(b"#" * (2 << 20))
    with pytest.raises(ResultError, match="larger than"):
        policy.read(tmp_path / "large")
    (tmp_path / "bytes").write_bytes(b"\xff")
    with pytest.raises(ResultError, match="no UTF-8"):
        policy.read(tmp_path / "bytes")
