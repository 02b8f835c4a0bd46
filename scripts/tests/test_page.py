# SPDX-License-Identifier: GPL-2.0-only
"""The report: what it says, that hostile files stay text, and that it is written whole."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import hostile
import machine_code
import results
import results_of
from irqcost import cli
from irqcost.base.errors import IrqcostError, NoChart
from irqcost.base.executors import Here
from irqcost.compare import columns
from irqcost.model import catalogue, published
from irqcost.model.result import Result
from irqcost.output.page import data, pictures, summary, table
from irqcost.output.page.summary import Statement


def report(out: Path, *arguments: str | Path) -> int:
    return cli.main(["report", *map(str, arguments), "-o", str(out)])


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report that has every picture, once for all who only read it."""
    folder = tmp_path_factory.mktemp("plain") / "out"
    assert report(folder, *(results.path(name) for name in ("alpha", "beta", "exact"))) == 0
    return folder


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pictures, which take seconds."""
    monkeypatch.setattr(pictures, "drawn", lambda *_: [])


def part(*paths: Path) -> data.Part:
    read = columns.of_files(paths, [results.reader.read_result(path) for path in paths])
    (found,) = data.parts(read)
    return found


def said(statements: list[Statement]) -> str:
    return "\n".join("".join(one.pieces) for each in statements for one in (each, *each.items))


class _Tags(HTMLParser):
    """The elements of a page with their attributes, and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def test_a_page_and_markdown_with_its_pictures_are_written(plain: Path) -> None:
    page = (plain / "report.html").read_text(encoding="utf-8")
    text = (plain / "report.md").read_text(encoding="utf-8")
    named = re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)
    assert named and all((plain / name).stat().st_size for name in named)
    assert "What it costs" in page and "How many instructions it is" in page
    assert not list(plain.glob(".*"))  # nothing temporary is left


def test_nothing_in_the_page_names_another_place(plain: Path) -> None:
    page = (plain / "report.html").read_text(encoding="utf-8")
    tags = _Tags(page)
    assert not re.search(r"https?://|@import", page)
    for tag, attributes in tags.tags:
        for key in ("src", "srcset", "action", "data", "poster"):
            assert key not in attributes, tag
        for key in ("href", "xlink:href"):
            assert (attributes.get(key) or "#").startswith("#"), tag
    (policy,) = [m["content"] for m in tags.named("meta") if m.get("http-equiv")]
    assert policy is not None and policy.startswith("default-src 'none';")


def test_ids_are_unique(plain: Path) -> None:
    page = (plain / "report.html").read_text(encoding="utf-8")
    ids = [attributes["id"] for _, attributes in _Tags(page).tags if attributes.get("id")]
    # Within one picture the drawing library repeats the ids of panels that share an axis.
    assert len([one for one in ids if one and "-" not in one]) == len(
        {one for one in ids if one and "-" not in one}
    )
    light = {one for one in ids if one and one.startswith("costs-light-")}
    assert light and not light & {one for one in ids if one and "-dark-" in one}


def test_hostile_text_stays_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Markup in a file's texts becomes neither an element nor an attribute, in any picture too."""
    monkeypatch.setattr(published, "read", lambda: ())  # Its chart takes long, without such text.
    path = hostile.result(tmp_path / "hostile.json")
    assert report(tmp_path / "out", path, results.path("beta")) == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "owned" in page  # It is shown.
    tags = _Tags(page)
    assert len(tags.named("script")) == 1 and not tags.named("img")
    assert not [key for _, attributes in tags.tags for key in attributes if key.startswith("on")]
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    outside = [line for line in text.splitlines() if not line.startswith("    ")]
    assert not any(re.search(r"<(script|img)", line) for line in outside)


@pytest.mark.usefixtures("undrawn")
def test_an_earlier_report_is_kept_without_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "report.md").write_text("mine", encoding="utf-8")
    assert report(tmp_path, results.path("alpha")) == 2
    assert "exists" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["report.md"]
    assert (tmp_path / "report.md").read_text(encoding="utf-8") == "mine"
    assert report(tmp_path, results.path("alpha"), "--force") == 0
    assert (tmp_path / "report.md").read_text(encoding="utf-8") != "mine"


@pytest.mark.usefixtures("undrawn")
def test_bad_files_are_named_and_the_rest_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{", encoding="utf-8")
    assert report(tmp_path / "out", results.path("alpha"), bad) == 2
    assert str(bad) in capsys.readouterr().err
    assert (tmp_path / "out" / "report.html").exists()
    assert report(tmp_path / "none", bad) == 2
    assert not (tmp_path / "none").exists()


def test_a_chart_that_fails_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has nothing to show is left out; any other error ends the report."""
    columns_ = columns.of_files(
        [results.path("alpha")], [results.reader.read_result(results.path("alpha"))]
    )
    (found,) = data.parts(columns_)
    asked: list[str] = []

    def draw(name: str, *_: object) -> None:
        asked.append(name)
        raise error

    monkeypatch.setattr(pictures.charts, "draw", draw)
    error: Exception = NoChart("nothing")
    assert pictures.drawn(found, (), (), tmp_path, Here()) == []
    assert len(asked) > 4
    for error in (IrqcostError("broken"), ValueError("broken")):
        with pytest.raises(type(error), match="broken"):
            pictures.drawn(found, (), (), tmp_path, Here())


def test_counts_of_several_kernels_have_their_ratio() -> None:
    paths = [results.path(name) for name in ("exact", "exact-rt")]
    read = columns.of_files(paths, [results.reader.read_result(path) for path in paths])
    (part_,) = data.parts(read)
    shown = table.view(part_, ())
    assert [one.text for one in shown.headings][-1] == "most/fewest"
    for line in shown.lines:
        assert len(line.fields) == 3
        counts = [one.number for one in line.fields[:2] if one.number is not None]
        ratio = line.fields[2].number
        if len(counts) == 2 and min(counts) > 0:
            assert ratio == max(counts) / min(counts) and len(line.fields[2].details) == 2
        else:
            assert ratio is None
    (alone,) = data.parts(read[:1])
    assert len(table.view(alone, ()).headings) == 1


def test_counted_and_measured_figures_are_parts_of_their_own() -> None:
    paths = [results.path(name) for name in ("exact", "alpha", "exact-rt")]
    read = columns.of_files(paths, [results.reader.read_result(path) for path in paths])
    parts = data.parts(read)
    assert [(one.kind, len(one.columns)) for one in parts] == [("measured", 1), ("counted", 2)]
    assert parts[1].columns[1].series.name  # told from its neighbour


def test_the_cheapest_is_named_with_what_others_cost_more(tmp_path: Path) -> None:
    path = results_of.run(
        tmp_path / "a.json",
        {
            "bpf/res_spin_lock/throughput": [20.0] * 8,
            "bpf/res_spin_lock_irqsave/throughput": [50.0] * 8,
            "bpf/helper_spin_lock/throughput": [50.001] * 8,
        },
    )
    (statement,) = summary.preferences(part(path))
    first, second, third = ("".join(one.pieces) for one in statement.items)
    assert first.startswith("bpf/res_spin_lock 20.0 core cycles")
    assert "30.0 more (2.5 times as much)" in second
    assert third.startswith("bpf/helper_spin_lock")


def test_figures_whose_intervals_meet_are_not_told_apart(tmp_path: Path) -> None:
    path = results_of.run(
        tmp_path / "a.json",
        {
            "bpf/irq_save_restore/throughput": [20.0, 21, 22, 23, 24, 25, 26, 27],
            "bpf/kfunc_preempt_disable_enable/throughput": [19.0, 20, 21, 22, 23, 24, 25, 26],
        },
    )
    assert "cannot be told apart" in said(summary.preferences(part(path)))


def test_a_derived_figure_is_told_of_only_beside_what_it_derives_from(tmp_path: Path) -> None:
    derived = {"name": "bpf/irq_save_restore/alone", "core_cycles": 20.0, "formula": "x"}
    both = {"kmod/local_irq_save_restore/throughput": [9.0] * 8}
    both["bpf/irq_save_restore/throughput"] = [30.0] * 8
    ours: dict[str, Any] = {"derived": [derived | {"low": 19.0, "high": 21.0}]}
    ours["masking"] = {"kind": "native", "reason": "", "rows": {}}
    path = results_of.run(tmp_path / "both.json", both, **ours)
    assert "Of that" not in said(summary.costs(part(path)))
    del both["kmod/local_irq_save_restore/throughput"]
    path = results_of.run(tmp_path / "bpf.json", both, **ours)
    assert "20.0 core cycles are the masking itself" in said(summary.costs(part(path)))


def test_a_figure_without_an_interval_is_not_named(tmp_path: Path) -> None:
    path = results_of.run(tmp_path / "a.json", {"bpf/irq_save_restore/throughput": [20.0] * 3})
    assert not summary.costs(part(path))


@pytest.mark.usefixtures("undrawn")
def test_a_regression_against_the_baseline_is_told(tmp_path: Path) -> None:
    steady = [30.0, 30.01, 29.99, 30.0, 30.01, 30.0, 29.99, 30.0]
    names = ("ring3/popf/throughput", "ring3/pushf/throughput")
    before = results_of.run(tmp_path / "before.json", dict.fromkeys(names, steady))
    slower = {names[0]: [one + 5 for one in steady], names[1]: steady}
    after = results_of.run(tmp_path / "after.json", slower, date="2026-11-02T00:00:00+00:00")
    assert report(tmp_path / "out", after, "--baseline", before) == 0
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "1 slower, 1 unchanged" in text and "slower by 5.00 core cycles" in text


def test_a_picture_in_a_page_keeps_its_references() -> None:
    svg = (
        '<?xml version="1.0"?><!DOCTYPE svg><svg xmlns="x" viewBox="0 0 1 1" width="1">'
        '<metadata>m</metadata><!-- c --><clipPath id="p"/>'
        '<g clip-path="url(#p)"><use xlink:href="#p"/></g></svg>'
    )
    assert pictures.inline(svg, "a-", "words") == (
        '<svg viewBox="0 0 1 1" role="img" aria-label="words" stroke-linejoin="round" '
        'stroke-linecap="butt"><clipPath id="a-p"/>'
        '<g clip-path="url(#a-p)"><use xlink:href="#a-p"/></g></svg>'
    )


def test_purposes_name_probes_of_the_catalogue() -> None:
    from irqcost.output.page.purposes import PURPOSES

    known = {probe.key for probe in catalogue.read()}
    assert {choice.probe for purpose in PURPOSES for choice in purpose.choices} <= known


@pytest.mark.usefixtures("undrawn")
def test_live_text_stands_beside_its_figure(tmp_path: Path) -> None:
    def with_text(document: Any) -> None:
        function = machine_code.function("restore", "9dc3cccc")
        document["context"]["irqcost"]["machine_code"] = machine_code.of("ring3/popf", function)

    path = results.changed("alpha", tmp_path / "a.json", with_text)
    assert report(tmp_path / "out", path) == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "restores the flags" in page
    result: Result = results.reader.read_result(path)
    cycles = result.figures["ring3/popf/throughput"].core_cycles
    assert f"{cycles:.2f} core cycles (throughput" in page
