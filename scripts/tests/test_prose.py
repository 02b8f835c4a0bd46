# SPDX-License-Identifier: GPL-2.0-only
"""The check of prose finds each kind of fault in each kind of file, and nothing in code."""

import re
import tomllib
from pathlib import Path

import pytest

from irqcost import ROOT
from irqcost.commands.project import linters, prose

RULES = tomllib.loads((Path(prose.__file__).with_name("prose.toml")).read_text("utf-8"))
FOUND = [
    ("page.md", "Text.\n\nEach epoch counts.\n", 3),
    ("page.md", "| a | stands in the file |\n", 1),
    ("page.md", "The value is held\nagainst another.\n", 1),
    ("a.py", '"""A thing.\n\nThere is none: that is none.\n"""\n', 3),
    ("a.py", "x = 1  # which is none\n", 1),
    ("a.py", 'print("the value "\n      "is in "\n      f"doubt {x}")\n', 2),
    ("a.py", "print('by which it is judged')\n", 1),
    ("a.c", "/*\n * Such a\n * one is refused.\n */\n", 2),
    ("a.py", "raise ValueError(f'the kind is in doubt')\n", 1),
    ("a.cc", "int x;  // all are\n        // alike\n", 2),
    ("a.h", 'static const char *m = "comes behind it";\n', 1),
    ("rows.def", 'ROW(1, a, "dearer than b")\n', 1),
    ("Makefile", "all:  # as it stands in the file\n", 1),
    ("page.html.j2", "<p>Figures in doubt</p>\n", 1),
    ("wide.md", "word " * 20 + "word\n", 1),
]
CLEAN = [
    ("page.md", "Code: `behind` and\n\n    the floor is none\n\n```\nepoch\n```\n"),
    ("page.md", "| " + "wide " * 40 + "|\n" + "[text](" + "x" * 120 + ")\n"),
    ("page.md", "```\n" + "long " * 30 + "\n```\n\n    " + "long " * 30 + "\n"),
    ("page.md", "There is no clock. It is no longer used.\n"),
    ("a.py", 'floor = data["epochs"]\nbehind = "in_doubt"\n'),
    ("a.py", 'print(f"{self.floor} cycles")\n'),
    ("a.py", "# The value is None.\n"),
    ("a.py", 'raise ValueError("x is none of")\n'),
    ("a.cc", "auto epoch = std::floor(behind);\n"),
]


@pytest.mark.parametrize(("name", "text", "line"), FOUND)
def test_a_fault_is_found_at_its_line(name: str, text: str, line: int) -> None:
    assert prose.is_read(name)
    assert [int(one.split(":")[1]) for one in prose.faults(name, text)] == [line]


@pytest.mark.parametrize(("name", "text"), CLEAN)
def test_code_and_plain_english_pass(name: str, text: str) -> None:
    assert list(prose.faults(name, text)) == []


@pytest.mark.parametrize("rule", [*RULES["glossary"], *RULES["habits"]])
def test_each_rule_can_match(rule: str) -> None:
    """The first words that an expression accepts: alternatives and options cut to the first."""
    words = re.sub(r"\(\?<?!.*?\)|\?-i:|\w\?|\\w\*", "", rule)
    while "(" in words:
        words = re.sub(r"\(([^()|]*)(\|[^()]*)?\)\??", r"\1", words)
    (fault, *_) = prose.faults("page.md", f"It {words.split('|')[0]} x.\n")
    assert "page.md:1: " in fault


def test_the_check_reads_the_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(linters, "ROOT", tmp_path)
    monkeypatch.setattr(linters, "_files", lambda: ["page.md", "data.json", "LICENSE"])
    for name in linters._files():
        (tmp_path / name).write_text("An epoch, and a mispelled word.\n")
    said = linters._prose()
    assert (said.state, said.output.count("\n"), "page.md:1: “epoch”" in said.output) == (
        "failed",
        0,
        True,
    )
    assert linters._codespell().state == "failed"
    (tmp_path / "page.md").write_text("A plain sentence.\n")
    assert (linters._prose().state, linters._codespell().state) == ("ok", "ok")


def test_data_is_not_read() -> None:
    assert not any(map(prose.is_read, ["data.json", "LICENSE", "recorded.xz"]))


def test_what_is_skipped_exists() -> None:
    assert [name for name in RULES["skip"] if not (ROOT / name).exists()] == []
