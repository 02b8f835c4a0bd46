# SPDX-License-Identifier: GPL-2.0-only
"""The catalogue: its own rules, and the page generated from it."""

import json
import re
from pathlib import Path

import pytest

from irqcost import ROOT, cli
from irqcost.base.errors import IrqcostError
from irqcost.measure import build
from irqcost.model import catalogue, description
from irqcost.model.machine_code import executed
from irqcost.model.machine_code.executed import Executed, Recording
from irqcost.output import probes_page

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
    sources = [*catalogue.PROBES.glob("*.def"), catalogue.INSTRUCTIONS]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    starts = [line for line in text.splitlines() if line.startswith("IRQCOST_")]
    assert len(ROWS) == len(starts) > 30


def test_ids_are_unique_and_in_order() -> None:
    ids = [probe.id for probe in ROWS]
    assert ids == sorted(set(ids))


def test_keys_are_unique_words() -> None:
    keys = [probe.key for probe in ROWS]
    assert len(set(keys)) == len(keys)
    assert all(key.isidentifier() and key == key.lower() for key in keys)


def test_titles_are_unique_short_and_without_keys() -> None:
    titles = [probe.title for probe in ROWS]
    assert len(set(titles)) == len(titles)
    assert all(0 < len(title) <= 35 and "_" not in title for title in titles)


def test_what_unmasks_says_so() -> None:
    """A row that turned interrupts on in an interrupt handler would break the kernel: what the code
    of a row shows is compared with its column."""
    for probe in ROWS:
        if probe.kind == "fault":
            continue
        if probe.kind == "insn":
            guarded = re.search(r"test \$0x200, %eax; jz \w+; sti", probe.code)
            pushed = {int(word, 16) for word in re.findall(r"push \$(0x\w+); ", probe.code)}
            sets = "popfq" in probe.code and any(word & 0x200 for word in pushed)
            unmasks = "sti" in re.findall(r"\bsti\b", probe.code) and not guarded or sets
        else:
            unmasks = bool(re.search(r"local_irq_enable|_irq\(&", probe.code))
        assert probe.where.endswith("_UNMASKS") == unmasks, probe.key
        softirqs = probe.kind == "call" and bool(re.search(r"_bh\(|local_bh_", probe.code))
        assert probe.where.endswith("_SOFTIRQS") == softirqs, probe.key


def test_contexts_follow_from_the_columns() -> None:
    rows = {probe.key: probe for probe in ROWS}
    assert rows["spin_lock_irqsave"].contexts() == catalogue.CONTEXTS
    assert rows["spin_lock_irqsave"].contexts(realtime=True) == ("process", "softirq")
    assert rows["raw_spin_lock_irqsave"].contexts(realtime=True) == catalogue.CONTEXTS
    assert rows["spin_lock_irq"].contexts() == ("process", "softirq")
    assert rows["spin_lock_bh"].contexts() == ("process", "softirq")
    assert rows["mutex_lock"].contexts() == ("process",)


def test_columns_have_known_words() -> None:
    for probe in ROWS:
        assert probe.group in catalogue.GROUPS
        assert probe.rings and probe.interrupts and probe.summary
    only_latency = {probe.key for probe in ROWS if not probe.repeatable}
    assert only_latency == {"cli_clearing", "sti_setting", "popf_setting", "popf_clearing"}


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "PROBES.md").read_text(encoding="utf-8")
    assert page == probes_page.markdown(ROWS), "run: ./irqcost probes --markdown > docs/PROBES.md"


def test_every_row_says_when_to_use_it() -> None:
    assert all(row.use == row.use.strip() and row.use.endswith((".", "?")) for row in ROWS)


def test_the_page_explains_a_row() -> None:
    page = probes_page.markdown(ROWS)
    section = page.partition("### `spin_lock_irqsave`\n")[2].partition("\n#")[0]
    section = " ".join(section.split())
    assert "**Kernel API**: `spin_lock_irqsave() + spin_unlock_irqrestore()`" in section
    assert "contexts process, softirq, hardirq, timer (on PREEMPT_RT process, softirq)" in section
    assert "`kmod/spin_lock_irqsave/…`: throughput, isolated, in situ" in section
    assert catalogue.by_key()["spin_lock_irqsave"].use in section


def test_recorded_instructions_are_listed_once_and_counted(tmp_path: Path) -> None:
    spin = catalogue.by_key()["spin_lock"]
    row = Executed(2, {"softirq": 2, "hardirq": 1}, ("pushfq", "  cli"))
    for release in ("6.1", "6.2"):
        document = executed.dump(Recording(release, {"spin_lock": row}), {"spin_lock": spin})
        (tmp_path / f"{release}.json").write_text(json.dumps(document))
    section = probes_page._section(spin, executed.read(tmp_path))
    assert "2, 1 in hardirq on each of 6.1, 6.2\n" in section
    assert section.count("```asm\npushfq\n  cli\n```") == 1


def test_code_that_is_not_listed_is_not_recorded() -> None:
    probes = catalogue.by_key()
    rows = {"spin_lock": Executed(41, {}, ("nop",) * 41), "cli": Executed(1, {}, ("cli",))}
    document = executed.dump(Recording("6.1", rows), probes)
    assert [(row["count"], row.get("code")) for row in document["rows"]] == [(41, None), (1, None)]


def test_the_description_is_that_of_the_harness() -> None:
    stale = "stale: run ./irqcost probes --update"
    assert description.of(build.harness()) == description.PATH.read_text("utf-8"), stale


def test_a_harness_that_describes_nothing_is_an_error() -> None:
    with pytest.raises(IrqcostError, match="ended with 1"):
        description.of(Path("/bin/false"))


def test_listings(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["probes", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [row["key"] for row in listed] == [probe.key for probe in ROWS]
    assert cli.main(["probes"]) == 0
    # Lines are broken at the width of the terminal.
    text = " ".join(capsys.readouterr().out.split())
    assert all(probe.key in text and probe.summary in text for probe in ROWS)
