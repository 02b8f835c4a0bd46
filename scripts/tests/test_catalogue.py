# SPDX-License-Identifier: GPL-2.0-only
"""The catalogue: its own rules, and the page generated from it."""

import json
from pathlib import Path

import pytest

from irqcost import ROOT, catalogue, cli, probes
from irqcost.errors import IrqcostError

ROWS = catalogue.read()


def test_a_row_is_read() -> None:
    (row,) = [probe for probe in ROWS if probe.key == "save_cli_test_sti"]
    assert (row.kind, row.id, row.group, row.where, row.irqs) == (
        ("insn", 48, "mask", "RING0", "IF_11")
    )
    assert (
        row.code == "pushfq; pop %rax; cli; irqcost_section; test $0x200, %eax; jz 771f; sti; 771:"
    )
    (call,) = [probe for probe in ROWS if probe.key == "spin_lock_irqsave"]
    assert call.kind == "call"
    assert call.code == (
        "spin_lock_irqsave(&o->lock, flags); irqcost_section(); "
        "spin_unlock_irqrestore(&o->lock, flags)"
    )


def test_no_row_is_lost() -> None:
    text = catalogue.PROBES_DEF.read_text(encoding="utf-8")
    starts = [line for line in text.splitlines() if line.startswith("IRQCOST_")]
    assert len(ROWS) == len(starts) > 30


def test_ids_are_unique_and_in_order() -> None:
    ids = [probe.id for probe in ROWS]
    assert ids == sorted(set(ids))


def test_keys_are_unique_words() -> None:
    keys = [probe.key for probe in ROWS]
    assert len(set(keys)) == len(keys)
    assert all(key.isidentifier() and key == key.lower() for key in keys)


def test_columns_have_known_words() -> None:
    for probe in ROWS:
        assert probe.group in catalogue.GROUPS
        assert probe.rings and probe.interrupts and probe.summary
    only_latency = {probe.key for probe in ROWS if not probe.repeatable}
    assert only_latency == {"cli_clearing", "sti_setting", "popf_setting", "popf_clearing"}


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "PROBES.md").read_text(encoding="utf-8")
    assert page == probes.markdown(ROWS), "run: ./irqcost probes --markdown > docs/PROBES.md"


def test_a_bar_does_not_end_a_cell() -> None:
    row = catalogue.Probe("insn", 1, "k", "mask", "ANY", "IF_00", "a | b", "", "c")
    assert "`a \\| b`" in probes.markdown((row,))


def test_a_broken_catalogue_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.def").write_text("#error broken\n")
    with pytest.raises(IrqcostError, match="broken"):
        catalogue.read(tmp_path / "x.def")


def test_listings(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["probes", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [row["key"] for row in listed] == [probe.key for probe in ROWS]
    assert cli.main(["probes"]) == 0
    text = capsys.readouterr().out
    assert all(probe.key in text and probe.summary in text for probe in ROWS)
