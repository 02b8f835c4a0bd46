# SPDX-License-Identifier: GPL-2.0-only
"""The report: what it says, that hostile files stay text, and that it is written whole."""

import re
from collections.abc import Sequence
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
from irqcost.compare.columns import Column
from irqcost.model import catalogue, published
from irqcost.output import charts, finding
from irqcost.output.page import article, data, html, markdown, pictures, prefer, sections, table
from irqcost.output.page.words import Code, Statement


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
    monkeypatch.setattr(pictures, "drawn", lambda *_: {})


def part(*paths: Path) -> data.Part:
    (found,) = data.parts(read(*paths))
    return found


def read(*paths: Path) -> list[Column]:
    return columns.of_files(paths, [results.reader.read_result(path) for path in paths])


def made(*paths: Path) -> article.Article:
    """The article on these files, without pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "drawn", lambda *_: {})
        return article.made(read(*paths), None, [], {}, catalogue.read(), Path("."), Here())


def said(statements: Sequence[Statement]) -> str:
    return "\n".join("".join(one.pieces) for one in statements)


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
    assert "What saving and restoring costs" in page and "How many instructions it takes" in page
    copies = sorted(path.name for path in (plain / "data").iterdir())
    assert copies == ["alpha.json", "beta.json", "exact.json"]
    assert all(f'href="data/{name}"' in page and f"(data/{name})" in text for name in copies)
    assert not list(plain.glob(".*"))  # nothing temporary is left


def test_nothing_in_the_page_names_another_place(plain: Path) -> None:
    page = (plain / "report.html").read_text(encoding="utf-8")
    tags = _Tags(page)
    assert not re.search(r"https?://|@import", page)
    for tag, attributes in tags.tags:
        for key in ("src", "srcset", "action", "data", "poster"):
            assert key not in attributes, tag
        for key in ("href", "xlink:href"):
            assert (attributes.get(key) or "#").startswith(("#", "data/")), tag
    (policy,) = [m["content"] for m in tags.named("meta") if m.get("http-equiv")]
    assert policy is not None and policy.startswith("default-src 'none';")


def test_ids_are_unique(plain: Path) -> None:
    page = (plain / "report.html").read_text(encoding="utf-8")
    ids = [attributes["id"] for _, attributes in _Tags(page).tags if attributes.get("id")]
    # Within one picture the drawing library repeats the ids of panels that share an axis.
    assert len([one for one in ids if one and "-" not in one]) == len(
        {one for one in ids if one and "-" not in one}
    )
    light = {one for one in ids if one and "-light-" in one}
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
    series = [column.series for column in read(results.path("alpha"))]
    wanted = [pictures.Wanted("costs", "bars", series)]
    asked: list[str] = []

    def draw(name: str, *_: object) -> None:
        asked.append(name)
        raise error

    monkeypatch.setattr(pictures.charts, "draw_one", draw)
    error: Exception = NoChart("nothing")
    assert not pictures.drawn(wanted, (), (), tmp_path, Here())
    assert len(asked) == 4  # two colours, two widths
    for error in (IrqcostError("broken"), ValueError("broken")):
        with pytest.raises(type(error), match="broken"):
            pictures.drawn(wanted, (), (), tmp_path, Here())


def test_counts_of_several_kernels_have_their_ratio() -> None:
    columns_ = read(results.path("exact"), results.path("exact-rt"))
    (part_,) = data.parts(columns_)
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
    (alone,) = data.parts(columns_[:1])
    assert len(table.view(alone, ()).headings) == 4


def test_results_of_two_kinds_are_never_in_one_table(tmp_path: Path) -> None:
    paths = [results.path(name) for name in ("exact", "alpha", "exact-rt")]
    parts = data.parts(read(*paths))
    assert [(one.kind, len(one.columns)) for one in parts] == [("real", 1), ("counted", 2)]
    assert parts[1].columns[1].series.name  # distinct from its neighbour
    # A kernel that masks by a store says nothing about the CPU's masking; ring 3 on it does.
    parts = data.parts(read(results.path("pvm")))
    assert [one.kind for one in parts] == ["real", "paravirtual"]
    # The kernel takes faults, whatever raised them.
    assert all(one.name.startswith("bpf/") or "_fault" in one.name for one in parts[1].rows)
    assert all(one.name.startswith("ring3/") for one in parts[0].rows)
    simulated = results.changed("alpha", tmp_path / "simulated.json", _simulated)
    assert [one.kind for one in data.parts(read(simulated, results.path("alpha")))] == [
        "real",
        "simulated",
    ]


def _simulated(document: Any) -> None:
    document["context"]["irqcost"]["execution"]["kind"] = "simulated"


def test_the_headline_is_the_most_striking_contrast(tmp_path: Path) -> None:
    pair = "ring3/pushf_pop_push_popf"
    path = results_of.run(
        tmp_path / "a.json",
        {f"{pair}/throughput": [40.0] * 8, f"{pair}/in_situ/100": [2.0] * 8},
    )
    found = made(path)
    assert found.headline.startswith(
        "Saving and restoring the flags through a register costs 40.0 core cycles back to back, "
        "but adds 2.0 around"
    )
    assert [one.key for one in found.sections] == ["costs", "work"]
    assert "Reliable: 2 of 2 results" in " ".join(found.facts)
    assert 20 < len(found.description) <= 200


def test_of_unreliable_results_nothing_is_asserted(tmp_path: Path) -> None:
    path = results_of.run(tmp_path / "a.json", {"ring3/popf/throughput": [20.0] * 3})
    found = made(path)
    assert found.headline.startswith("Unreliable results on ")
    assert found.notice.startswith("None of these results is reliable") and not found.lead
    assert not found.sections and found.tables[0].view.lines
    text = markdown.text(found, "report.html")
    assert text.index("None of these results is reliable") < text.index("Measured")


def test_two_cpus_are_compared_in_words(tmp_path: Path) -> None:
    names = ("ring3/popf/throughput", "ring3/pushf_pop_push_popf/throughput")
    one = results_of.run(tmp_path / "1.json", dict.fromkeys(names, [20.0] * 8))
    two = results_of.run(tmp_path / "2.json", dict.fromkeys(names, [50.0] * 8))
    found = made(one, two)
    assert "2.5 times as much" in found.headline
    told = {one.key: said(one.statements) for one in found.sections}
    assert "50.0" in told["cpus"] and told["cpus"] not in found.headline


def test_simulated_results_say_so_first(tmp_path: Path) -> None:
    found = made(results.changed("alpha", tmp_path / "a.json", _simulated))
    assert found.headline.startswith("Simulated: ")
    assert "say nothing about any CPU" in found.notice and found.description.startswith("A simul")


def test_no_more_sections_than_a_reader_takes_in(plain: Path) -> None:
    page = (plain / "report.html").read_text(encoding="utf-8")
    shown = [one for one in sections.SECTIONS if f'id="{one.key}-heading"' in page]
    assert 1 < len(shown) <= sections.MOST == 5
    assert len({one.key for one in sections.SECTIONS}) == len(sections.SECTIONS)
    assert {one.chart for one in sections.SECTIONS} <= {"", *charts.CHARTS}


def test_markdown_is_short_and_names_no_place_of_this_machine(tmp_path: Path) -> None:
    folder = tmp_path / "somewhere"
    many = [results.changed("exact", folder / f"{n}.json", lambda _: None) for n in range(8)]
    for paths in ([results.path("alpha")], many, [*many, results.path("alpha")]):
        text = markdown.text(made(*paths), "report.html")
        assert text.count("\n") <= markdown.MOST_LINES
        assert str(tmp_path) not in text and str(results.DATA) not in text


def test_those_who_show_a_link_are_told_what_it_leads_to() -> None:
    page = html.text(made(results.path("alpha")), "costs.png")
    tags = {
        one.get("property") or one.get("name"): one.get("content")
        for one in _Tags(page).named("meta")
    }
    assert tags["og:title"] and tags["og:title"] in page.partition("<h1>")[2]
    assert tags["description"] == tags["og:description"] != ""
    assert tags["og:image"] == "costs.png"


def test_primitives_for_one_purpose_stand_by_cost(tmp_path: Path) -> None:
    path = results_of.run(
        tmp_path / "a.json",
        {
            "bpf/res_spin_lock/throughput": [20.0] * 8,
            "bpf/res_spin_lock_irqsave/throughput": [50.0] * 8,
            "bpf/helper_spin_lock/throughput": [50.001] * 8,
        },
        masking={"kind": "native", "reason": "", "rows": {}},
    )
    (statement,) = prefer.statements(part(path))
    text = said([statement])
    assert text.startswith("To lock in a BPF program: res_spin_lock (where no ")
    assert "handler takes the lock) 20.0; res_spin_lock_irqsave 50.0; helper_spin_lock" in text
    assert Code("res_spin_lock") in statement.pieces


def test_primitives_whose_intervals_meet_show_no_difference(tmp_path: Path) -> None:
    path = results_of.run(
        tmp_path / "a.json",
        {
            "bpf/irq_save_restore/throughput": [20 + n / 1000 for n in range(8)],
            "bpf/kfunc_preempt_disable_enable/throughput": [20.001 + n / 1000 for n in range(8)],
        },
        masking={"kind": "native", "reason": "", "rows": {}},
    )
    assert "no visible difference" in said(prefer.statements(part(path)))


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
def test_machine_code_is_shown_with_its_cost(tmp_path: Path) -> None:
    def with_text(document: Any) -> None:
        function = machine_code.function("restore", "9dc3cccc")
        document["context"]["irqcost"]["machine_code"] = machine_code.of("ring3/popf", function)

    path = results.changed("alpha", tmp_path / "a.json", with_text)
    assert report(tmp_path / "out", path) == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "restores the flags" in page
    cost = finding.cost(results.result("alpha"), "ring3/popf/throughput")
    assert cost is not None and f"{cost.text} (throughput)" in page
