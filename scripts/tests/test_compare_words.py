# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost compare`: the answer in words, and the block for a mail."""

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from irqcost import cli
from results import document, path
from results_of import run


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


CPU_OF = {
    "one": {"vendor": "GenuineIntel", "family": 6, "model": 0xCF, "codename": "Raptor Cove"},
    "two": {"vendor": "AuthenticAMD", "family": 0x1A, "model": 2, "codename": "Zen 5"},
}
_POPF = "ring3/popf/throughput"
_AROUND = "ring3/pushf_pop_push_popf/in_situ/100"


def pair(tmp_path: Path, one: dict[str, Any], two: dict[str, Any], **more: Any) -> list[Path]:
    """Results of two CPUs."""
    cpu = document("alpha")["context"]["irqcost"]["cpu"]
    return [
        run(tmp_path / f"{name}.json", figures, cpu={**cpu, **CPU_OF[name]}, **more)
        for name, figures in (("one", one), ("two", two))
    ]


def near(value: float, width: float = 0.001) -> list[float]:
    return [value + width * k for k in range(8)]


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The sentences, one a line."""
    assert cli.main(["compare", *map(str, arguments)]) == 0
    return capsys.readouterr().out.partition("\n\n")[0]


def test_the_answer_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = pair(
        tmp_path,
        {_POPF: near(29.9), _AROUND: near(16.6), "ring3/popf_ac/throughput": near(60)},
        {_POPF: near(14.0), _AROUND: near(0.04), "ring3/popf_ac/throughput": near(233)},
    )
    lines = said(capsys, *files).splitlines()
    assert lines[0] == (
        "Restoring the flags takes 2.1 times as many core cycles on A (Raptor Cove, Emerald "
        "Rapids) as on B (Zen 5, Turin): 29.9 and 14.0."
    )
    assert lines[1].startswith("Around 100 cycles of work, saving and restoring the flags ")
    assert lines[2].startswith("Largest other difference: ring3/popf_ac/throughput, 60.0 on A, 233")
    assert lines[3] == "B takes fewer core cycles in 2 of 3 common results, more in 1."


def test_what_is_unreliable_is_never_left_out_silently(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wild = [20.0, 25, 30, 35, 40, 45, 50, 55]
    files = pair(tmp_path, {_POPF: wild}, {_POPF: near(14.0)})
    text = said(capsys, *files)
    assert "(unreliable: A)" in text
    assert "Too noisy to compare: the only common result is unreliable." in text
    # Clear differences are not hidden by an unreliable row.
    both = {_POPF: near(30), "ring3/popf_df/throughput": wild}
    files = pair(tmp_path, both, {**both, _POPF: near(60)})
    assert "more in 1; 1 unreliable." in said(capsys, *files)


def test_no_difference_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = pair(tmp_path, {_POPF: near(30)}, {_POPF: near(30)})
    text = said(capsys, *files)
    assert "Restoring the flags: no visible difference (30.0 core cycles)." in text
    assert "1 without a visible difference" in text


def test_more_than_two_are_ranked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [run(tmp_path / f"{v}.json", {_POPF: near(v)}) for v in (30.0, 15.0, 60.0)]
    assert said(capsys, *files).startswith("Restoring the flags takes least on B ")
    assert "4.0 times as many core cycles: 60.0 and 15.0" in said(capsys, *files)


def test_a_mail_has_what_judging_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = pair(tmp_path, {_POPF: near(29.9)}, {_POPF: near(14.0)})
    assert cli.main(["compare", "--mail", *map(str, files)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("irqcost ")
    assert max(map(len, text.splitlines())) <= 76
    assert re.search(r"restore the flags .* 29\.90 ±0\.\d\d +14\.00 ±0\.\d\d +0\.47", text)
    for fact in ("CPU", "microcode", "kernel", "config", "masking", "clock", "command", "date"):
        assert len(re.findall(rf"^  {fact}: +\S", text, re.M)) == 2, fact
    for file in files:
        assert hashlib.sha256(file.read_bytes()).hexdigest() in text


def test_a_multiple_of_almost_nothing_is_not_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    around = "ring3/pushf_popf/in_situ/100"
    files = pair(tmp_path, {around: near(16.4)}, {around: near(0.04)})
    text = said(capsys, *files)
    assert "Largest other difference: " + around in text and "times" not in text


def test_what_is_not_comparable_is_not_counted_as_unreliable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wild = [20.0, 25, 30, 35, 40, 45, 50, 55]
    fault = "ring3/cli_fault/throughput"
    kinds: list[dict[str, Any]] = [
        {"kind": kind, "reason": "", "rows": {}} for kind in ("native", "paravirtual:pvm")
    ]
    (one, _), (_, two) = (
        pair(
            tmp_path / kind["kind"],
            {_POPF: near(30), fault: wild},
            {_POPF: near(14), fault: wild},
            masking=kind,
        )
        for kind in kinds
    )
    assert "; 1 not comparable." in said(capsys, one, two)


def test_counts_are_compared_as_counts(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, path("exact"), path("exact-rt")).splitlines()
    assert lines[0].endswith("no visible difference (10 instructions).")
    assert lines[2] == (
        "Largest other difference: kmod/spin_lock/throughput, 17 on A, 108 on B instructions "
        "(6.4 times)."
    )
    assert lines[3].startswith("B takes fewer instructions in 0 of 12 common results, more in 3; ")
