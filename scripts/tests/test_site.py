# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost site`: its pages, what they link to, and that hostile results stay text."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

import hostile
import results
from irqcost import cli
from irqcost.model import catalogue, filenames
from irqcost.output.page import pictures


class _Page(HTMLParser):
    """What a page links to, its ids, and what might run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.tags: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for key, value in attrs:
            if key == "href" and value and tag == "a":
                self.links.append(value)
            if key == "id" and value:
                self.ids.add(value)
            if key.startswith("on"):
                self.handlers.append(key)


def _simulated(document: Any) -> None:
    document["context"]["irqcost"]["execution"]["kind"] = "simulated"


def _unknown_probe(document: Any) -> None:
    """A primitive that no catalogue has."""
    name = "ring3/no_such_row/throughput"
    document["benchmarks"][0] |= {"name": name, "run_name": name}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of each kind, some of them hostile, and the site that was made of them."""
    work = tmp_path_factory.mktemp("site")
    given = work / "given"
    for name in ("alpha", "beta", "exact", "exact-rt", "pvm"):
        results.changed(name, given / f"{name}.json", lambda _: None)
    results.changed("alpha", given / "simulated.json", _simulated)
    hostile.result(given / '"><img src=x onerror=alert(1)>.json')
    results.changed("beta", given / "probe.json", _unknown_probe)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "drawn", lambda *_: {})
        out = ["-o", str(work / "out"), "--url", "https://example.org/irqcost"]
        assert cli.main(["site", str(given), *out]) == 0
    return work / "out"


@pytest.fixture(scope="module")
def pages(folder: Path) -> dict[Path, _Page]:
    found = {path: _Page(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}
    assert found
    return found


def test_each_cpu_and_each_primitive_has_a_page(folder: Path) -> None:
    cpus = {path.stem for path in (folder / "cpu").glob("*.html")}
    assert {one for one in cpus if one.startswith(("simulated-", "counted-"))} and len(cpus) >= 5
    known = {probe.key for probe in catalogue.read()}
    primitives = {path.stem for path in (folder / "primitive").glob("*.html")}
    assert {"popf", "local_irq_save_restore"} <= primitives & known
    assert "no_such_row" in primitives
    assert (folder / "table.html").exists() and (folder / ".nojekyll").exists()


def test_all_links_lead_to_what_is_there(folder: Path, pages: dict[Path, _Page]) -> None:
    seen = set()
    for path, page in pages.items():
        for link in page.links:
            place, _, anchor = link.partition("#")
            target = (path.parent / unquote(place)).resolve() if place else path
            assert target.is_relative_to(folder) and target.is_file(), (path, link)
            seen.add(target)
            if anchor and target in pages:
                assert anchor in pages[target].ids, (path, link)
    # And whatever is there can be reached.
    files = {path for path in folder.rglob("*.*") if path.is_file()}
    assert {path.name for path in files - seen} == {".nojekyll"}


def test_hostile_results_reach_neither_pages_nor_names_of_files(
    folder: Path, pages: dict[Path, _Page]
) -> None:
    for path, page in pages.items():
        assert page.tags.count("script") == 1 and "img" not in page.tags and not page.handlers
        text = path.read_text(encoding="utf-8")
        assert hostile.TEXT not in text
    assert any("owned" in path.read_text(encoding="utf-8") for path in pages)
    for path in folder.rglob("*"):
        assert re.fullmatch(r"[A-Za-z0-9._+-]+", path.name) and len(path.name) < 100, path


def test_kinds_of_results_have_sections_of_their_own(folder: Path) -> None:
    for name in ("index.html", "table.html", "primitive/popf.html"):
        text = (folder / name).read_text(encoding="utf-8")
        sections = re.split(r'<section id="', text)[1:]
        kinds = {one.partition('"')[0]: one for one in sections}
        assert {"real", "counted", "simulated"} <= kinds.keys(), name
        assert "simulated-" not in kinds["real"] and "counted-" not in kinds["real"]
        assert "cpu/simulated-" in kinds["simulated"]


def test_the_overview_says_how_to_add_a_machine(folder: Path) -> None:
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert "./irqcost run\n./irqcost submit FILE" in text
    assert 'property="og:url" content="https://example.org/irqcost/index.html"' in text


def test_a_folder_that_is_no_site_is_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "drawn", lambda *_: {})
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine", encoding="utf-8")
    command = ["site", str(results.path("alpha")), "-o", str(tmp_path / "out")]
    for options in ([], ["--force"]):
        assert cli.main([*command, *options]) == 2
        assert [path.name for path in tmp_path.rglob("*")] == ["out", "mine"]
    assert "no site of irqcost" in capsys.readouterr().err
    command[-1] = str(tmp_path / "site")
    assert cli.main(command) == 0
    assert cli.main(command) == 2
    assert cli.main([*command, "--force"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "site"]


def test_nothing_is_written_where_there_is_nothing_to_show(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert cli.main(["site", str(tmp_path / "empty"), "-o", str(tmp_path / "out")]) == 2
    assert "no result" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_names_of_files_are_apart() -> None:
    names = ["a.json", "A.json", "../a.json", ".a.json", "", "x" * 300 + ".json", "a b/c.json"]
    found = filenames.distinct(names)
    assert len({one.lower() for one in found}) == len(names)
    assert found[:2] == ["a.json", "A-2.json"]
    assert all(re.fullmatch(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]{0,95}", one) for one in found)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from browser import started

    with started() as made:
        yield made


def test_pages_open_in_a_browser_without_errors(browser: Any, folder: Path) -> None:
    from browser import emulate

    for name in ("index.html", "table.html", "primitive/popf.html"):
        for width in (1280, 360):
            emulate(browser, width, "light")
            browser.get((folder / name).as_uri())
            assert browser.get_log("browser") == []
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    browser.get((folder / "table.html").as_uri())
    rows = "return [...document.querySelectorAll('#real-table tbody tr')].filter((r) => !r.hidden)"
    all_rows = browser.execute_script(f"{rows}.length")
    script = (
        "const one = document.querySelector('#real select[name=mode]'); one.value = 'isolated';"
    )
    browser.execute_script(f"{script} one.dispatchEvent(new Event('change', {{bubbles: true}}));")
    assert 0 < browser.execute_script(f"{rows}.length") < all_rows
