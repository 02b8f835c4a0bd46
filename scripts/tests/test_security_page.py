# SPDX-License-Identifier: GPL-2.0-only
"""docs/SECURITY.md: each of its statements names a test that there is."""

import re
from pathlib import Path

from irqcost import ROOT

_PAGE = (ROOT / "docs" / "SECURITY.md").read_text(encoding="utf-8")
_TEST = re.compile(r"`(test_\w+\.py)::(test_\w+)`$")


def _statements() -> list[str]:
    """The items of the page's lists, each in one line."""
    items = re.findall(r"^- (.+?)(?=\n- |\n\n|\Z)", _PAGE, re.M | re.S)
    return [" ".join(item.split()) for item in items]


def test_each_statement_names_a_test_that_there_is() -> None:
    statements = _statements()
    assert len(statements) > 25
    for one in statements:
        found = _TEST.search(one)
        assert found, one
        file = Path(__file__).parent / found[1]
        assert re.search(rf"^def {found[2]}\(", file.read_text(encoding="utf-8"), re.M), one


def test_each_part_has_a_statement() -> None:
    parts = re.split(r"^## ", _PAGE, flags=re.M)[1:]
    assert [part.splitlines()[0] for part in parts if "\n- " not in part] == []
