# SPDX-License-Identifier: GPL-2.0-only
"""What continuous integration reads: each format by its consumer's rules, as written down in
schemas/ with their sources, and what a schema cannot say in the tests."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from lxml import etree

import results
from irqcost import cli
from irqcost.base.errors import Exit, IrqcostError
from irqcost.base.verdicts import Change
from irqcost.commands import check
from irqcost.commands.project.suites import Counts, count
from irqcost.compare import baseline
from irqcost.compare.checked import Checked
from irqcost.compare.regression import Judged
from irqcost.output import ci
from irqcost.output.ci import github, junit, trackers
from results_of import run

OK, IMPROVEMENT, INCONCLUSIVE, REGRESSION, INCOMPARABLE = Change
NAMES = [f"ring3/p{number}/throughput" for number in range(5)]
WORDS = [OK, REGRESSION, INCONCLUSIVE, INCOMPARABLE, IMPROVEMENT]
SCHEMAS = Path(__file__).with_name("schemas")
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
    judged = [Judged(f"ring3/{i}/isolated", word, "why") for i, word in enumerate(words)]
    return Checked(checked.new, checked.against, tuple(judged))


# docs.github.com, Workflow commands for GitHub Actions: `::command name=value,name=value::data`. As
# toolkit's packages/core/src/command.ts escapes and the runner's ActionCommand reads it, `%` CR LF
# in data, and `:` `,` besides in a value, stand as their codes and as nothing else.
_DATA = r"(?:[^%\r\n]|%25|%0D|%0A)*"
_VALUE = r"(?:[^%\r\n:,]|%25|%0D|%0A|%3A|%2C)+"
_COMMAND = re.compile(rf"::(error|warning|notice) title=({_VALUE})::({_DATA})")


def unescaped(text: str) -> str:
    for code, letter in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, letter)
    return text


def test_annotations_are_workflow_commands(checked: Checked) -> None:
    lines = github.annotations([checked])
    found = [_COMMAND.fullmatch(line) for line in lines]
    assert all(found) and len(lines) == 4
    kinds = [one.group(1) for one in found if one]
    assert kinds == ["error", "error", "warning", "notice"]
    assert "not comparable" in lines[0] and NAMES[1] in lines[1] and NAMES[4] in lines[3]
    # Text that could be a command is escaped, and is the same when unescaped.
    assert "%0A::error::x %250A" in lines[1]
    assert all(unescaped(one.group(3)).endswith(HOSTILE) for one in found[:3] if one)
    assert found[1] and unescaped(found[1].group(2)) == f"irqcost: slower: {NAMES[1]}"


def test_a_title_is_no_way_out_of_its_value(checked: Checked) -> None:
    name = "ring3/a,file=b::c\r\n::error::%3A/x"
    one = Judged(name, REGRESSION, "x")
    (line,) = github.annotations([Checked(checked.new, (), (one,))])
    found = _COMMAND.fullmatch(line)
    assert found and unescaped(found.group(2)) == f"irqcost: slower: {name}"


def test_there_are_at_most_ten_annotations(checked: Checked) -> None:
    # Those of one reason are one.
    assert len(github.annotations([many(checked, 9, 60)])) == 10
    lines = github.annotations([many(checked, 70, 60)])
    assert len(lines) == 10
    assert all(line.startswith("::error") for line in lines)
    assert lines[-1].endswith("::62 more: see the summary")


def test_the_summary_is_a_table_and_nothing_else(checked: Checked) -> None:
    text = github.summary([checked])
    assert text.startswith("### irqcost check: ERROR: 1 of 5 results not comparable, 1 slower.")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    # Six cells a row, whatever the reason holds.
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {7} and len(rows) == 2 + 2
    assert "<script>" not in text and "&lt;script&gt;" in text and "\\[d\\](e)" in text
    assert "1 regression" in text and "a note" in text
    assert NAMES[0] not in text  # what is ok is only counted


def test_the_summary_stays_below_githubs_limit(checked: Checked) -> None:
    text = github.summary([many(checked, 5000, 0)])
    assert len(text.encode()) < 1 << 20 and "4800 more" in text
    long = Checked(checked.new, (), (), ("x" * (2 << 20),))
    assert len(github.summary([long]).encode()) < 1 << 20


def junit_faults(text: str) -> list[str]:
    schema = etree.XMLSchema(etree.parse(str(SCHEMAS / "junit.xsd")))
    schema.validate(etree.fromstring(text.encode()))
    return [str(fault) for fault in schema.error_log]


def test_junit_has_what_its_readers_count(checked: Checked, tmp_path: Path) -> None:
    """By the schema, the counts beside it, and a reader that we have ourselves."""
    text = junit.text([checked, checked])
    assert junit_faults(text) == []
    root = ElementTree.fromstring(text)
    assert [one.tag for one in root] == ["testsuite"] * 2
    for suite in root:
        assert suite.get("tests") == str(len(list(suite))) == "5"
        for kind, key in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            found = suite.findall(f"testcase/{kind}")
            assert suite.get(key) == str(len(found)) == "1"
            # Jenkins shows the message, GitLab the text.
            assert found[0].get("message") == found[0].text == HOSTILE
    # Readers tell cases by these two and leave out the second of a pair.
    names = [(case.get("classname"), case.get("name")) for case in root[0]]
    assert len(set(names)) == len(names)
    for key in ("tests", "failures", "errors"):
        assert int(root.get(key, "")) == sum(int(suite.get(key, "")) for suite in root)
    (tmp_path / "j.xml").write_text(text, encoding="utf-8")
    assert count(tmp_path / "j.xml") == Counts(passed=4, failed=4, skipped=2)


def test_junit_of_nothing_is_well_formed(checked: Checked) -> None:
    assert junit_faults(junit.text([])) == []
    assert junit_faults(junit.text([Checked(checked.new, (), ())])) == []
    text = junit.text([Checked(checked.new, (), (), refused="another CPU")])
    assert junit_faults(text) == []
    (suite,) = ElementTree.fromstring(text)
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")
    (error,) = suite.findall("testcase/error")
    assert error.get("message") == "another CPU"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('tests="5"', 'tests="-5"'),
        ('<testsuite name="new.json" tests="5"', '<testsuite name="new.json"'),
        ('name="p0/throughput"', ""),
        ('time="0"', 'time="1e3"'),
        ("<testsuites ", '<testsuites skipped="1" '),
        ("<failure ", '<failure name="x" '),
        ("<skipped ", '<skipped type="x" '),
        ("<testcase ", "<case/><testcase "),
        ("</failure>", "</failure><error/>"),
    ],
)
def test_the_schema_of_junit_refuses_what_is_none(
    before: str, after: str, checked: Checked
) -> None:
    text = junit.text([checked])
    assert before in text
    assert junit_faults(text.replace(before, after, 1))


def test_junit_takes_texts_that_xml_cannot_hold(checked: Checked) -> None:
    odd = Judged("ring3/a\x00\x1b/b", REGRESSION, 'x\ufffe & < > "')
    text = junit.text([Checked(checked.new, (), (odd,))])
    assert junit_faults(text) == []
    root = ElementTree.fromstring(text)
    assert root[0][0].get("name") == "a\ufffd\ufffd/b"
    assert root[0][0][0].get("message") == 'x\ufffd & < > "'


def faults(text: str, name: str) -> list[str]:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    document = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    return [
        error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(document)
    ]


def test_github_action_benchmark_reads_its_list(checked: Checked) -> None:
    text = trackers.benchmark_action([checked, checked])
    assert faults(text, "benchmark_action") == []
    items = json.loads(text)
    # Its charts are by name: a name stands once.
    assert [item["name"] for item in items] == [NAMES[0], NAMES[1], NAMES[4]]
    assert {item["unit"] for item in items} == {"cycles/op"}
    assert all("range" in item and item["extra"] for item in items)
    assert faults(trackers.benchmark_action([]), "benchmark_action") == []


def test_bencher_metric_format(checked: Checked) -> None:
    text = trackers.bencher([checked, checked])
    assert faults(text, "bencher") == []
    found = json.loads(text)
    assert list(found) == [NAMES[0], NAMES[1], NAMES[4]]
    for measures in found.values():
        metric = measures["core-cycles"]
        assert metric["lower_value"] <= metric["value"] <= metric["upper_value"]
    assert faults(trackers.bencher([]), "bencher") == []


def test_counts_of_instructions_are_in_the_schemas_too(tmp_path: Path) -> None:
    exact = baseline.load(results.path("exact"))
    name = "kmod/local_irq_save_restore/throughput"
    one = Judged(name, OK, "", 10.0, 10.0, 0.0, 0.0, 0.0, 1, 1, exact=True)
    found = [Checked(exact, (tmp_path / "old.json",), (one,))]
    assert faults(trackers.bencher(found), "bencher") == []
    assert faults(trackers.benchmark_action(found), "benchmark_action") == []
    assert json.loads(trackers.bencher(found)) == {name: {"instructions": {"value": 10.0}}}


@pytest.mark.parametrize(
    ("schema", "wrong"),
    [
        ("bencher", '{"a": {"Core Cycles": {"value": 1}}}'),
        ("bencher", '{"a": {"cycles": {"value": "1"}}}'),
        ("bencher", '{"a": {"cycles": {"value": 1, "lower_value": 1}}}'),
        ("bencher", '{"a": {"cycles": {"lower_value": 1, "upper_value": 1}}}'),
        ("bencher", '{"a": {}}'),
        ("bencher", '[{"a": 1}]'),
        ("benchmark_action", '[{"name": "a", "unit": "x"}]'),
        ("benchmark_action", '[{"name": "a", "unit": "x", "value": "1"}]'),
        ("benchmark_action", '[{"name": "a", "unit": "x", "value": 1, "range": 0.1}]'),
        ("benchmark_action", '{"name": "a", "unit": "x", "value": 1}'),
    ],
)
def test_the_schemas_refuse_what_their_consumers_do(schema: str, wrong: str) -> None:
    assert faults(wrong, schema)


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
    assert summary.read_text(encoding="utf-8").startswith("before\n### irqcost check: FAIL: 5 of 5")
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
    assert set(check.CODES) == set(Change)
