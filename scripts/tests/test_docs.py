# SPDX-License-Identifier: GPL-2.0-only
"""The documentation names files that are there, and commands that exist."""

import re
from pathlib import Path

import pytest

from irqcost import ROOT
from irqcost.cli import COMMANDS

PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
PAGES += [ROOT / "results/README.md", ROOT / "scripts/evidence/README.md"]

_PATH = re.compile(r"`((?:scripts|bench_user|bench_kmod|docs|results)/[\w./+-]*\w)`")
# What an example of a page adds.
_ADDED = re.compile(r"^`(\S+)`:$", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
_COMMAND = re.compile(r"(?<![\w/])\./irqcost ([a-z]+)\b")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(_PATH.findall(text)) - set(_ADDED.findall(text))
    missing = [name for name in sorted(named) if not list(ROOT.glob(f"{name}*"))]
    missing += [link for link in _LINK.findall(text) if not (page.parent / link).exists()]
    missing += [name for name in _COMMAND.findall(text) if name not in COMMANDS]
    assert missing == []


def test_the_first_page_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_every_command_is_on_its_page() -> None:
    page = (ROOT / "docs/COMMANDS.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if not re.search(rf"\b{name}\b", page)] == []
