# SPDX-License-Identifier: GPL-2.0-only
"""Whatever a result's texts, keys and file names are, each format that shows them holds them as
text: no terminal, CI server, spreadsheet, Markdown or HTML takes them for anything else.

IRQCOST_FUZZ says how many results are made; the default is for a test's run.
"""

import contextlib
import csv
import io
import json
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings, strategies

import hostile
import machine_code
from irqcost import cli
from irqcost.base.safety import texts
from irqcost.compare.labels import series
from irqcost.compare.trend import History, Line
from irqcost.model import catalogue, naming, published, reader
from irqcost.output import charts
from irqcost.output.charts import history
from irqcost.output.charts.parts import style
from irqcost.output.charts.output_files import LIGHT, OutputFile
from irqcost.output.page import pictures
from results import document, path

_TRICKS = (
    *("\x1b[2J", "\x1b]0;x\x07", "\r", "\n::error::x", "::stop-commands::x", "##[group]x", "\t"),
    *("=cmd|'/c x'!A0", "@SUM(1)", "-1+1", "<script>x</script>", "<i x>", "](x)", "![x](x)"),
    *("|", "`", "```", '"', "'", "&lt;", "]]>", "-->", "$x$", "%0A", "\u202e", "\x00", "\ud800"),
    *("- x", "1. x", "# x", "\u2028", "\ufffe", "\x85", "{{ x }}", hostile.TEXT),
)
_TEXTS = strategies.lists(
    strategies.sampled_from(_TRICKS) | strategies.text(max_size=5), min_size=1, max_size=4
).map("".join)
_EXAMPLES = int(os.environ.get("IRQCOST_FUZZ", "6"))


@given(_TEXTS)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_plain_text_is_one_line_and_commands_nobody(text: str) -> None:
    shown = texts.plain(text)
    assert shown.isprintable() and "::" not in shown and "##" not in shown
    assert texts.plain(shown) == shown
    assert len(shown) == len(text)
    shown.encode("utf-8")


@given(_TEXTS)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_text_in_markdown_is_no_markup(text: str) -> None:
    shown = texts.markdown(text)
    bare = re.sub(r"\\.|&(amp|lt|gt);", "", shown)
    assert not set(bare) & set("`*_[]|#~<>&\n\r")
    assert not re.match(r"\s*([-+=]|\d+[.)])", shown)


@given(_TEXTS)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_text_in_csv_is_no_formula(text: str) -> None:
    assert texts.csv_cell(text)[:1] not in ("=", "+", "-", "@", "\t", "\r")
    assert texts.csv_cell(-1.5) == "-1.5" and texts.csv_cell(None) == ""


@given(_TEXTS)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_text_in_a_workflow_command_stays_there(text: str) -> None:
    assert "\n" not in texts.command_value(text)
    assert not set(texts.command_property(text)) & set(":,\n\r")


def _hostile(content: Any, words: Iterator[str]) -> None:
    """Such texts wherever a result may have one, and such keys."""
    ours = content["context"]["irqcost"]
    for one, keys in (
        (ours["cpu"], ("brand", "vendor", "codename", "microcode")),
        (ours["kernel"], ("release", "version", "command_line")),
        (ours["settings"], ("governor", "boost", "smt")),
        (ours["execution"], ("reason",)),
        (ours, ("version", "cpuid_hypervisor")),
        (content["context"], ("date",)),
    ):
        one.update({key: next(words) for key in keys})
    ours["command"] = [next(words), next(words)]
    ours["absent"] = [{"name": next(words), "reason": next(words)}]
    key = next(words)
    ours["settings"]["mitigations"] = {"plain": next(words), texts.plain(key): next(words)}
    ours["code"] = {"popf": next(words)}
    function = machine_code.function(next(words), "9dc3", {0: texts.plain(next(words))})
    ours["machine_code"] = machine_code.of("ring3/popf", function)
    for one in ours["backends"].values():
        one.update({key: next(words) for key in ("reason", "remedy") if key in one})
    for one in content["benchmarks"]:
        one["label"] = next(words)
        one["reasons"] = [next(words)]


def _endless(found: list[str]) -> Iterator[str]:
    while True:
        yield from found


_OUTSIDE = ("\x1b", "\r", "\x07", "\x00", "\u202e", "\x85", "\u2028")


def _is_plain(text: str) -> None:
    assert not any(letter in text for letter in _OUTSIDE)
    assert "##[" not in text
    text.encode("utf-8")


def _ran(*arguments: str) -> tuple[str, str]:
    """What a command said on both streams."""
    out, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        assert cli.main(arguments) in (0, 1, 2, 3)
    _is_plain(said.getvalue())
    assert "\n::" not in said.getvalue()
    return out.getvalue(), said.getvalue()


class _Tags(HTMLParser):
    """The tags of a page, and attributes that run something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str, int] = {}
        self.run: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found[tag] = self.found.get(tag, 0) + 1
        for name, value in attributes:
            if name.startswith("on") or "javascript:" in (value or ""):
                self.run.append(name)


def _page(folder: Path, *results: Path) -> _Tags:
    _ran("report", *map(str, results), "-o", str(folder), "--force")
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert not any(letter in text for letter in _OUTSIDE)
    plain = (folder / "report.md").read_text(encoding="utf-8")
    _is_plain(plain)
    shown = "\n".join(line for line in plain.splitlines() if not line.startswith("    "))
    assert not re.search(r"<[a-z/!]|(?<!\\)\]\(x", re.sub(r"`[^`]*`", "", shown))
    return _Tags(text)


@given(
    found=strategies.lists(_TEXTS, min_size=7, max_size=7), name=_TEXTS, odd=strategies.booleans()
)
@settings(
    max_examples=_EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_every_format_shows_texts_as_texts(found: list[str], name: str, odd: bool) -> None:
    content = document("alpha")
    _hostile(content, _endless(found))
    with tempfile.TemporaryDirectory() as work, pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "drawn", lambda *_: {})
        called = re.sub("[/\x00]", "", name)[:40]
        bytes_ = os.fsencode(called.encode("utf-8", "surrogateescape" if odd else "replace"))
        file = Path(work, os.fsdecode(bytes_ + b"\xff" * odd) + ".json")
        file.write_text(json.dumps(content), encoding="utf-8")
        for kind in ("text", "markdown"):
            _is_plain(
                _ran("compare", str(file), str(path("beta")), "--no-chart", "--format", kind)[0]
            )
        _csv(_ran("compare", str(file), str(path("beta")), "--no-chart", "--format", "csv")[0])
        json.loads(
            _ran("compare", str(file), str(path("beta")), "--no-chart", "--format", "json")[0]
        )
        _checked(file, Path(work))
        page = _page(Path(work, "page"), file, path("beta"))
        assert not page.run
        assert page.found["script"] == 1 and not page.found.keys() & {"i", "img", "iframe"}


def _csv(text: str) -> None:
    head, *rows = csv.reader(io.StringIO(text))
    assert rows and all(len(row) == len(head) for row in rows)
    for cell in (cell for row in rows for cell in row):
        assert cell[:1] not in ("=", "+", "@") and re.match(r"-[^0-9]|-\d.*[^0-9.e-]", cell) is None
        assert cell.isprintable()


def _checked(file: Path, work: Path) -> None:
    summary = work / "summary.md"
    summary.touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_STEP_SUMMARY", str(summary))
        out, _ = _ran(
            *("check", str(file), "--baseline", str(path("alpha"))),
            *("--github-summary", "--github-annotations", "--junit", f"{work}/junit.xml"),
            *("--bencher", f"{work}/bencher.json", "--benchmark-action", f"{work}/action.json"),
        )
    _is_plain(out)
    commands = [line for line in out.splitlines() if line.lstrip().startswith("::")]
    assert all(re.match("::(error|warning) title=irqcost[^:,]*::", line) for line in commands)
    _is_plain(summary.read_text(encoding="utf-8"))
    assert "<" not in summary.read_text(encoding="utf-8")
    ElementTree.parse(work / "junit.xml")
    for name in ("bencher", "action"):
        json.loads((work / f"{name}.json").read_text(encoding="utf-8"))


# What a chart may be made of: shapes, texts, and titles under the pointer.
_DRAWN = frozenset(
    ("svg", "metadata", "defs", "style", "g", "path", "use", "text", "tspan", "title", "clipPath")
    + ("rect", "pattern", "image", "RDF", "Work", "type", "date", "format", "creator", "Agent")
)
_FORMULA = "$\\frac{1}{2}$"
_CHARTED = {
    "alpha": ("masking", "bars"),
    "exact": ("bars", "instructions"),
}


@given(found=strategies.lists(_TEXTS, min_size=7, max_size=7), which=strategies.booleans())
@settings(
    max_examples=_EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_every_chart_shows_texts_as_texts(found: list[str], which: bool) -> None:
    """In title, labels, legend and source: no markup, no control, and a “$” is no formula."""
    golden = "exact" if which else "alpha"
    both = []
    with tempfile.TemporaryDirectory() as work:
        for number, words in enumerate((found, found[::-1])):
            content = document(golden)
            _hostile(content, _endless(words))
            ours = content["context"]["irqcost"]
            for one, key in ((ours["cpu"], "brand"), (ours["kernel"], "release")):
                one[key] = f"{_FORMULA}{number} {one[key]}"  # Of one name, files have numbers.
            file = Path(work, f"{number}.json")
            file.write_text(json.dumps(content), encoding="utf-8")
            both.append(reader.read_result(file))
        for name in _CHARTED[golden]:
            for given_ in (both[:1], both):
                inputs = charts.Inputs(series(given_), catalogue.read(), None, published.read())
                _is_a_chart(Path(work, "x.svg"), partial(charts.pages_of, name, inputs))
        times = tuple(datetime(2026, 1, 1 + day, tzinfo=timezone.utc) for day in range(2))
        contexts = tuple(one.context for one in both)
        line = Line("ring3/popf/throughput", (1.0, 2.0), (0, 1), (), 0, contexts[0].kernel.release)
        past = History(naming.title(contexts[0]), contexts, times, (line,), False)
        _is_a_chart(Path(work, "x.svg"), partial(history.pages, past))


def _is_a_chart(target: Path, pages: Any) -> None:
    style.save(lambda theme: pages(theme)[0](), [OutputFile(target, target, LIGHT)])
    text = target.read_text(encoding="utf-8")
    assert not any(letter in text for letter in _OUTSIDE)
    every = list(ElementTree.fromstring(text).iter())
    assert {one.tag.rpartition("}")[2] for one in every} <= _DRAWN
    assert not any(name.startswith("on") for one in every for name in one.attrib)
    shown = ["".join(one.itertext()) for one in every if one.tag.endswith("}text")]
    assert shown and all(words.isprintable() for words in shown)
    assert any(_FORMULA in words for words in shown)
