# SPDX-License-Identifier: GPL-2.0-only
"""What continuous integration reads: each format by its consumer's rules."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from irqcost import baseline, check, ci, cli, guard
from irqcost.check import Checked
from irqcost.ci import github, junit, trackers
from irqcost.errors import Exit, IrqcostError
from irqcost.guard import IMPROVEMENT, INCOMPARABLE, INCONCLUSIVE, OK, REGRESSION, Judged
from irqcost.test import Counts, count
from results_of import run

NAMES = [f"ring3/p{number}/throughput" for number in range(5)]
WORDS = [OK, REGRESSION, INCONCLUSIVE, INCOMPARABLE, IMPROVEMENT]
HOSTILE = "a|b <script>\n::error::x %0A `c` [d](e)"


@pytest.fixture
def checked(tmp_path: Path) -> Checked:
    """One figure of each word, and a reason that wants to be more than a text."""
    new = baseline.load(run(tmp_path / "new.json", {name: [30.0] * 8 for name in NAMES}))
    judged = [
        Judged(name, word, HOSTILE if word != OK else "", 29.0, 30.0, 0.9, 1.1, 0.25, 8, 5)
        for name, word in zip(NAMES, WORDS)
    ]
    return Checked(new, (tmp_path / "old.json",), tuple(judged), ("a note",))


def many(checked: Checked, regressions: int, inconclusive: int) -> Checked:
    words = [REGRESSION] * regressions + [INCONCLUSIVE] * inconclusive
    judged = [Judged(f"ring3/{i}/latency", word, "why") for i, word in enumerate(words)]
    return Checked(checked.new, checked.against, tuple(judged))


# A workflow command, by the documentation: ::name key=value,key=value::data
_COMMAND = re.compile(r"::(error|warning) title=([^:,\r\n]*)::([^\r\n]*)")


def test_annotations_are_workflow_commands(checked: Checked) -> None:
    lines = github.annotations([checked])
    found = [_COMMAND.fullmatch(line) for line in lines]
    assert all(found) and len(lines) == 3
    assert [one.group(1) for one in found if one] == ["error", "error", "warning"]
    assert "incomparable" in lines[0] and NAMES[1] in lines[1]
    # What a command could be made of is escaped, as @actions/core does it.
    assert "%0A::error::x %250A" in lines[1]


def test_there_are_at_most_ten_annotations(checked: Checked) -> None:
    assert len(github.annotations([many(checked, 4, 6)])) == 10
    lines = github.annotations([many(checked, 7, 60)])
    assert len(lines) == 10
    assert [line.startswith("::error") for line in lines] == [True] * 7 + [False] * 3
    assert lines[-1].endswith("::58 more figures: see the summary")


def test_the_summary_is_a_table_and_nothing_else(checked: Checked) -> None:
    text = github.summary([checked])
    assert text.startswith("### irqcost check: incomparable\n")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    # Six cells a row, whatever the reason holds.
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {7} and len(rows) == 2 + 4
    assert "<script>" not in text and "&lt;script&gt;" in text and "\\[d\\](e)" in text
    assert "1 regression" in text and "a note" in text
    assert NAMES[0] not in text  # what is ok is only counted


def test_the_summary_stays_below_githubs_limit(checked: Checked) -> None:
    text = github.summary([many(checked, 5000, 0)])
    assert len(text.encode()) < 1 << 20 and "4800 more" in text
    long = Checked(checked.new, (), (), ("x" * (2 << 20),))
    assert len(github.summary([long]).encode()) < 1 << 20


def test_junit_has_what_its_readers_count(checked: Checked, tmp_path: Path) -> None:
    """By the schema of the Jenkins plugin: names, counts and the elements that a case may have; and
    by a reader that we have ourselves."""
    text = junit.text([checked, checked])
    root = ElementTree.fromstring(text)
    assert root.tag == "testsuites" and [one.tag for one in root] == ["testsuite"] * 2
    for suite in root:
        assert {"name", "tests", "failures", "errors", "skipped", "time"} <= set(suite.keys())
        cases = list(suite)
        assert suite.get("tests") == str(len(cases)) == "5"
        for kind, key in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert suite.get(key) == str(len(suite.findall(f"testcase/{kind}"))) == "1"
        for case in cases:
            assert case.tag == "testcase" and {"name", "classname", "time"} <= set(case.keys())
            assert {one.tag for one in case} <= {"failure", "error", "skipped"} and len(case) <= 1
    (tmp_path / "j.xml").write_text(text, encoding="utf-8")
    assert count(tmp_path / "j.xml") == Counts(passed=4, failed=4, skipped=2)


def test_junit_takes_texts_that_xml_cannot_hold(checked: Checked) -> None:
    odd = Judged("ring3/a\x00\x1b/b", REGRESSION, 'x\ufffe & < > "')
    root = ElementTree.fromstring(junit.text([Checked(checked.new, (), (odd,))]))
    assert root[0][0].get("name") == "a\ufffd\ufffd/b"
    assert root[0][0][0].get("message") == 'x\ufffd & < > "'


def test_github_action_benchmark_reads_its_list(checked: Checked) -> None:
    """BenchmarkResult in its src/extract.ts: name, unit, value, and as texts range and extra."""
    items = json.loads(trackers.benchmark_action([checked]))
    assert [item["name"] for item in items] == [NAMES[0], NAMES[1], NAMES[4]]
    for item in items:
        assert item.keys() <= {"name", "value", "unit", "range", "extra"}
        assert isinstance(item["value"], float) and item["unit"] == "cycles/op"
        assert re.fullmatch(r"± [\d.e-]+", item["range"]) and isinstance(item["extra"], str)


def test_bencher_metric_format(checked: Checked) -> None:
    """Its schema: benchmark → measure → value, and optional bounds around it."""
    found = json.loads(trackers.bencher([checked]))
    assert list(found) == [NAMES[0], NAMES[1], NAMES[4]]
    for measures in found.values():
        (measure,) = measures
        assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", measure)  # a slug
        metric = measures[measure]
        assert metric.keys() == {"value", "lower_value", "upper_value"}
        assert metric["lower_value"] <= metric["value"] <= metric["upper_value"]


def test_the_command_writes_them_all(
    checked: Checked,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    base = run(tmp_path / "base.json", {name: [29.0] * 8 for name in NAMES})
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    files = {flag: tmp_path / flag for flag in ("junit", "benchmark-action", "bencher")}
    options = [text for flag, file in files.items() for text in (f"--{flag}", str(file))]
    options += ["--github-summary", "--github-annotations"]
    new = str(checked.new.path)
    assert cli.main(["check", new, "--baseline", str(base), *options]) == Exit.FAILED
    assert summary.read_text(encoding="utf-8").startswith("before\n### irqcost check: regression")
    assert capsys.readouterr().out.count("::error title=") == 5
    assert all(file.stat().st_size > 100 for file in files.values())


def test_nothing_is_left_half_written(
    checked: Checked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = run(tmp_path / "base.json", {name: [29.0] * 8 for name in NAMES})

    def fail(_: Any) -> str:
        raise IrqcostError("broken")

    monkeypatch.setitem(ci._FILES, "bencher", (fail, ""))
    arguments = ["check", str(checked.new.path), "--baseline", str(base)]
    arguments += ["--junit", str(tmp_path / "j.xml"), "--bencher", str(tmp_path / "b.json")]
    before = set(tmp_path.iterdir())
    assert cli.main(arguments) == Exit.UNUSABLE
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("value", [None, "", "/nonexistent/folder/file", "/tmp"])
def test_without_githubs_file_there_is_an_error(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    if value is not None:
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", value)
    with pytest.raises(IrqcostError, match="--github-summary"):
        github.summary_file()


def test_every_word_has_an_exit_code() -> None:
    assert set(check.CODES) == set(guard.WORDS)
