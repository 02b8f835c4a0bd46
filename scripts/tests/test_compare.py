# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost compare`: the table, what it refuses, and the headline."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from irqcost import ROOT, cli
from irqcost.compare import reading
from irqcost.model import naming, reader
from compared import as_json, cell, compare
from results import changed, document, path, result
from results_of import run


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def cells(text: str, name: str) -> list[str]:
    """What the line with this identifier has after it."""
    found = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    (line,) = [parts for parts in found if name in parts[:2]]
    return line[line.index(name) + 1 :]


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(path("alpha"), path("beta")) == 0
    text = capsys.readouterr().out
    assert "A  Test CPU Alpha @ 2.45GHz (19-01-01), kernel 6.1.0-50-amd64, bare metal" in text
    assert "core cycles" in text and cells(text, "identifier") == ["A", "B", "B/A"]
    assert cells(text, "ring3/popf/throughput") == ["13.00", "17.00", "1.31"]
    # Nothing is a multiple of nothing.
    assert cells(text, "ring3/empty/throughput")[-1] == "-"
    assert cells(text, "ring3/sahf/throughput")[0] == "1.10 a"
    assert any(line.startswith("a  ") for line in text.splitlines())


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("cycles", ["13.00", "17.00", "1.31"]),
        ("ns", ["4.01", "5.28", "1.32"]),
        ("ticks", ["9.81", "12.14", "1.24"]),
    ],
)
def test_units(unit: str, expected: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert compare("--unit", unit, path("alpha"), path("beta")) == 0
    assert cells(capsys.readouterr().out, "ring3/popf/throughput") == expected


def test_a_clock_in_doubt_is_named_where_times_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def change(content: Any) -> None:
        content["context"]["irqcost"]["tsc"]["clock_source"] = "kvm-clock"

    other = changed("beta", tmp_path / "b.json", change)
    (note,) = [naming.why_clock_unreliable(reader.read_result(other).context)]
    note = f"B: {note}"
    assert compare("--unit", "ns", path("alpha"), other) == 0
    text = capsys.readouterr().out
    assert cells(text, "ring3/popf/throughput")[:2] == ["4.01", "5.28 a"]
    assert note in text.splitlines()
    assert compare("--unit", "ticks", path("alpha"), other) == 0
    text = capsys.readouterr().out
    assert cells(text, "ring3/popf/throughput") == ["9.81", "12.14 a", "1.24?"]
    assert note in text.splitlines()
    # Core cycles do not need that clock.
    assert compare("--unit", "cycles", path("alpha"), other) == 0
    assert note not in capsys.readouterr().out


def test_counts_are_called_instructions(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(path("exact"), path("exact-rt")) == 0
    text = capsys.readouterr().out
    assert "instructions" in text and cells(text, "identifier") == ["A", "B", "B/A"]
    assert cells(text, "kmod/spin_lock/throughput") == ["17", "108", "6.35"]
    assert "EMULATED by QEMU (TCG)" in text


def test_emulated_and_real_have_sections(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(path("exact"), path("alpha"), path("exact-rt"), path("beta")) == 0
    real, _, emulated = capsys.readouterr().out.partition("Emulated: no measure of a CPU's time\n")
    assert real.startswith("Measured on real hardware\n") and "instructions" not in real
    # Ratios are to the first of the section.
    assert cells(real, "identifier") == ["A", "B", "B/A"]
    assert cells(emulated, "identifier") == ["C", "D", "D/C"]
    assert cells(emulated, "kmod/spin_lock/throughput") == ["17", "108", "6.35"]
    found = as_json(capsys, path("exact"), path("alpha"), path("exact-rt"))
    assert [one["execution"] for one in found["columns"]] == ["bare-metal", "emulated", "emulated"]
    lock = cell(found, "kmod/spin_lock/throughput", "C", "instructions")
    assert lock["ratio"] == pytest.approx(108 / 17)


def test_all_committed_results_are_compared(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for columns in (80, 120):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert cli.main(["compare", str(ROOT / "results")]) == 0
        text = capsys.readouterr().out
        paths = [line for line in text.splitlines() if str(ROOT) in line]
        assert all(len(x) <= columns for x in text.splitlines() if x not in paths)
        assert "Measured on real hardware" in text and "Emulated" in text


def test_a_chart_needs_results_of_one_kind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "c"
    assert compare("--chart", "bars", "--out", out, path("alpha"), path("exact")) == 2
    output = capsys.readouterr()
    assert output.out == "" and "--mix" in output.err and not list(tmp_path.iterdir())


def test_charts_are_drawn_only_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["compare", str(path("alpha")), str(path("beta"))]) == 0
    assert not list(tmp_path.iterdir())


def test_units_that_differ_have_no_ratio(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def emulate(content: Any) -> None:
        ours = content["context"]["irqcost"]
        ours["execution"]["kind"] = "emulated"
        ours["instruction_clock"] = True
        for entry in content["benchmarks"]:
            del entry["core_cycles"]

    counted = changed("alpha", tmp_path / "counted.json", emulate)
    assert compare("--mix", path("alpha"), counted) == 0
    row = cells(capsys.readouterr().out, "ring3/popf/throughput")
    assert row == ["13.00", "9.8113", "- a"]


def test_bad_files_are_named_and_the_rest_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.json"
    cut.write_bytes(path("alpha").read_bytes()[:5000])
    other = changed(
        "alpha", tmp_path / "other.json", lambda c: c["context"]["irqcost"].update(schema=7)
    )
    assert compare(cut, path("alpha"), other, tmp_path / "none.json", path("beta")) == 2
    output = capsys.readouterr()
    assert cells(output.out, "ring3/popf/throughput") == ["13.00", "17.00", "1.31"]
    reasons = output.err.splitlines()
    assert reasons[0].startswith(f"irqcost: left out: {cut}: truncated")
    assert reasons[1] == f"irqcost: left out: {other}: schema 7, but this irqcost reads schema 2"
    assert reasons[2] == f"irqcost: left out: {tmp_path / 'none.json'}: No such file or directory"


@pytest.mark.parametrize("by", ["file", "machine"])
def test_records_among_results_are_passed_over(
    by: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "alpha.json").write_bytes(path("alpha").read_bytes())
    kinds: dict[str, list[Path]] = {"selftest": [], "ab": [], "executed": []}
    for record in (ROOT / "results").rglob("*.json"):
        kinds.get(record.parent.name, []).append(record)
    for kind, records in kinds.items():
        (tmp_path / f"{kind}.json").write_bytes(records[0].read_bytes())
    assert compare("--by", by, tmp_path) == 0
    assert capsys.readouterr().err == ""
    # A result is one, whatever else is in it.
    changed("beta", tmp_path / "beta.json", lambda content: content.update(ab=1))
    assert compare("--by", by, "--format", "csv", tmp_path) == 0
    assert "beta.json" in capsys.readouterr().out
    # One that was asked for by its name is missed.
    assert compare("--by", by, path("alpha"), tmp_path / "ab.json") == 2
    assert "ab.json: not a result, but a record of irqcost: ab" in capsys.readouterr().err


def test_nothing_to_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(tmp_path) == 2
    assert "nothing to compare" in capsys.readouterr().err
    assert compare("--filter", "(", path("alpha")) == 2
    assert "not a regular expression" in capsys.readouterr().err
    assert compare("--filter", "nosuch", path("alpha")) == 2
    assert "no benchmark in these files has a name that matches" in capsys.readouterr().err


def test_filter(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare("--filter", "/popf/", path("alpha")) == 0
    text = capsys.readouterr().out
    assert "ring3/popf/isolated" in text and "pushf" not in text


def test_folder_and_many_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for index in range(28):
        (tmp_path / f"{index:02}.json").write_bytes(path("alpha").read_bytes())
    assert compare("--unit", "ns", "--by", "file", tmp_path) == 0
    assert "B1/A" in capsys.readouterr().out  # -v has all ratios


def shifted(target: Path, factor: float, **context: Any) -> Path:
    """Alpha with every figure multiplied, an interval of 1 % to each side, and another context."""

    def change(content: Any) -> None:
        content["context"]["irqcost"].update(context)
        for entry in content["benchmarks"]:
            for key in ("real_time", "ticks", "core_cycles"):
                entry[key] *= factor
            for key in ("ticks", "core_cycles"):
                entry[f"{key}_low"], entry[f"{key}_high"] = sorted(
                    (entry[key] * 0.99, entry[key] * 1.01)
                )

    return changed("alpha", target, change)


def test_ratios_have_intervals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = shifted(tmp_path / "1.json", 1), shifted(tmp_path / "2.json", 2)
    found = cell(as_json(capsys, one, two), "ring3/popf/throughput", "B")
    assert (found["value"], found["low"], found["high"]) == pytest.approx((26, 25.74, 26.26))
    assert found["ratio"] == pytest.approx(2)
    assert found["ratio_low"] == pytest.approx(2 * 0.99 / 1.01)
    assert found["ratio_high"] == pytest.approx(2 * 1.01 / 0.99)
    assert not found["ratio_doubtful"]
    assert compare(one, two) == 0
    text = capsys.readouterr().out
    assert cells(text, "ring3/popf/throughput")[1] == "26.00 ±0.26"


def test_the_baseline_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files_ = [shifted(tmp_path / f"{factor}.json", factor) for factor in (1, 2, 4)]
    document = as_json(capsys, "--baseline", files_[1], tmp_path)
    assert [column["paths"] for column in document["columns"]] == (
        [[str(files_[i])] for i in (1, 0, 2)]
    )
    ratios = [cell(document, "ring3/popf/isolated", column)["ratio"] for column in "BC"]
    assert ratios == pytest.approx([0.5, 2])
    missing = tmp_path / "none.json"
    assert compare("--baseline", missing, tmp_path) == 2
    assert f"no baseline: {missing}: No such file" in capsys.readouterr().err


def test_many_are_put_together_by_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(9):
        shifted(tmp_path / f"a{number}.json", 1 + number / 100)
        kernel = {"kernel": {**document("alpha")["context"]["irqcost"]["kernel"], "release": "9.9"}}
        shifted(tmp_path / f"b{number}.json", 2 + number / 100, **kernel)
    (tmp_path / "c.json").write_text("{}")
    assert compare("--format", "json", tmp_path) == 2
    output = capsys.readouterr()
    assert "c.json: not a result" in output.err
    found = json.loads(output.out)
    assert [column["files"] for column in found["columns"]] == [9, 9]
    assert [column["kernel"] for column in found["columns"]] == ["6.1.0-50-amd64", "9.9"]
    # The median, and its 95 % interval: of nine the second from each end.
    popf = cell(found, "ring3/popf/throughput", "A")
    assert (popf["value"], popf["low"], popf["high"]) == pytest.approx((13.52, 13.13, 13.91))
    assert cell(found, "ring3/popf/throughput", "B")["ratio"] == pytest.approx(2.04 / 1.04)
    # Unreliable in all of them.
    assert "none of 9 values is reliable" in cell(found, "ring3/sahf/throughput", "A")["remark"]


def test_a_machine_of_one_result_loses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    both = path("alpha"), path("beta")
    not_comparable, together = (as_json(capsys, "--by", by, *both) for by in ("file", "machine"))
    assert together["figures"] == not_comparable["figures"]
    read = reading.columns(both, None, "machine", None).columns
    assert [column.result for column in read] == [result("alpha"), result("beta")]


def test_one_bad_file_leaves_the_other_machines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What only a whole reading finds wrong."""
    for number in range(reading.MOST_COLUMNS + 1):
        shifted(tmp_path / "many" / f"{number}.json", 1)
    lone = shifted(tmp_path / "lone.json", 1)
    text = lone.read_text(encoding="utf-8").replace('"6.1.0-50-amd64"', '"9.9"')
    assert '"samples": ' in text
    lone.write_text(text.replace('"samples": ', '\n"windows": [NaN],\n"samples": ', 1))
    assert compare("--format", "json", lone, tmp_path / "many") == 2
    output = capsys.readouterr()
    assert "lone.json: NaN is no figure" in output.err
    assert [column["files"] for column in json.loads(output.out)["columns"]] == [13]
    assert compare("--baseline", lone, tmp_path / "many") == 2
    assert "no baseline: " in capsys.readouterr().err


def test_a_folder_may_be_the_baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(5):
        shifted(tmp_path / "old" / f"{number}.json", 1 + number / 100)
    new = shifted(tmp_path / "new.json", 2)
    found = as_json(capsys, "--baseline", tmp_path / "old", new)
    assert [column["files"] for column in found["columns"]] == [5, 1]
    assert cell(found, "ring3/popf/throughput", "B")["ratio"] == pytest.approx(2 / 1.02)
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "selftest.json").write_text('{"selftest": 1}')
    assert compare("--baseline", tmp_path / "none", new) == 2
    assert "none: no result in this folder" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["compare", "history"])
def test_without_a_chart_matplotlib_is_not_loaded(command: str, tmp_path: Path) -> None:
    for number in range(2):
        shifted(tmp_path / f"{number}.json", 1)
    script = (
        "import sys\nfrom irqcost import cli\n"
        f"assert cli.main([{command!r}, '--no-chart', {str(tmp_path)!r}]) == 0\n"
        "assert 'matplotlib' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)


def test_many_files_of_which_few_are_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        shifted(tmp_path / f"{number}.json", 1 + number)
    for number in range(reading.MOST_COLUMNS):
        (tmp_path / f"selftest-{number}.json").write_text('{"selftest": 1}')
    found = as_json(capsys, tmp_path)
    assert [column["files"] for column in found["columns"]] == [1, 1]


def test_a_ratio_of_doubtful_figures_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    document_ = as_json(capsys, path("alpha"), path("beta"))
    assert cell(document_, "ring3/sahf/throughput", "B")["ratio_doubtful"]
    assert not cell(document_, "ring3/popf/throughput", "B")["ratio_doubtful"]
    assert compare(path("alpha"), path("beta")) == 0
    assert cells(capsys.readouterr().out, "ring3/sahf/throughput")[-1].endswith("?")


def test_why_figures_are_not_comparable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = shifted(tmp_path / "1.json", 1, code={"popf": "push; popf"})
    two = shifted(tmp_path / "2.json", 2, code={"popf": "popf"})
    document_ = as_json(capsys, one, two)
    popf = cell(document_, "ring3/popf/throughput", "B")
    assert popf["ratio"] == pytest.approx(2)
    assert popf["not_comparable"] == "the catalogue's row is another one"
    assert "not_comparable" not in cell(document_, "ring3/pushf/throughput", "B")
    assert compare(one, two) == 0
    text = capsys.readouterr().out
    assert re.fullmatch(r"2\.00 [a-z]", cells(text, "ring3/popf/throughput")[-1])
    assert "the catalogue's row is another one" in text and "--code shows it" in text
    assert compare("--code", one, two) == 0
    assert "B runs different code from A:" in capsys.readouterr().out
    mixed = as_json(capsys, "--mix", path("exact"), one)
    lock = cell(mixed, "kmod/spin_lock/throughput", "B")
    assert "value" not in lock and lock["missing"] == "/dev/irqcost does not exist"


def test_types_of_core_have_no_ratio(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cpu = document("alpha")["context"]["irqcost"]["cpu"]
    big, other, small, old = (
        shifted(tmp_path / f"{place}.json", 1, cpu={**cpu, **more})
        for place, more in enumerate(
            [
                {"core_type": "performance"},
                {"core_type": "performance"},
                {"core_type": "efficiency"},
                {},
            ]
        )
    )
    found = as_json(capsys, big, other, small, old)
    assert cell(found, "ring3/popf/throughput", "B")["ratio"] == pytest.approx(1)
    not_comparable = cell(found, "ring3/popf/throughput", "C")
    assert "ratio" not in not_comparable
    assert not_comparable["not_comparable"] == "another type of core: efficiency beside performance"
    # A file that does not tell, such as one of another CPU, is compared.
    assert cell(found, "ring3/popf/throughput", "D")["ratio"] == pytest.approx(1)


def test_another_mode_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def only_latency(content: Any) -> None:
        kept = [e for e in content["benchmarks"] if e["name"] == "ring3/popf/isolated"]
        content["benchmarks"] = kept

    other = changed("alpha", tmp_path / "o.json", only_latency)
    found = as_json(capsys, path("alpha"), other)
    assert cell(found, "ring3/popf/throughput", "B")["missing"] == (
        "measured in another mode only: isolated"
    )


@pytest.mark.parametrize("wrong", ["A", "B"])
def test_only_what_rests_on_a_control_that_is_off_has_no_ratio(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    figures = {
        "ring3/empty/throughput": [0.0] * 6,
        "ring3/popf/throughput": [13.0] * 6,
        "ring3/popf/isolated": [20.0] * 6,
    }
    off = {**figures, "ring3/empty/throughput": [0.1] * 6}
    files = [run(tmp_path / f"{w}.json", off if w == wrong else figures) for w in "AB"]
    assert compare(*files) == 0
    text = capsys.readouterr().out
    assert cells(text, "ring3/popf/isolated")[-1] == "1.00"
    assert cells(text, "ring3/popf/throughput")[-1].startswith("- ")
    assert "inconsistent: control ring3/empty is off: see the note" in text
    # Each result says what it came to.
    assert "   3 of 3 figures good; " in text
    assert "   1 of 3 figures good; 2 inconsistent; " in text
    assert compare(*files, "--format", "json") == 0
    columns = json.loads(capsys.readouterr().out)["columns"]
    sentences = [one["sentence"] for one in columns]
    assert sorted(sentences) == [
        "1 of 3 figures good; 2 inconsistent",
        "3 of 3 figures good",
    ]


def test_an_older_file_shows_its_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = run(tmp_path / "old.json", {"ring3/popf/throughput": [13.0] * 6})
    document = json.loads(file.read_text())
    del document["context"]["irqcost"]["verdict"]["sentence"]
    file.write_text(json.dumps(document))
    assert compare(file, file) == 0
    assert "   good; " in capsys.readouterr().out
