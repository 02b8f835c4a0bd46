# SPDX-License-Identifier: GPL-2.0-only
"""Tables and text as wide as what they are printed on."""

import pytest

from irqcost.base import screen
from irqcost.base.table import Table


def table() -> Table:
    made = Table(("name", "around 100 cycles of work", "ns", "remark"), "<>><")
    made.heading("a group with a name that is longer than the table is wide")
    made.row("  save and restore by popf", "1.00", "10.00", "too noisy to say anything about")
    made.row("  nop", "10.00", "2.00", "")
    return made


def test_columns_by_width() -> None:
    made = Table(("name", "n", "remark"), "<><")
    made.heading("group")
    made.row("a", "1.00", "")
    made.row("long", "10.00", "x")
    lines = ["name      n  remark", "-------------------", "group"]
    lines += ["a      1.00", "long  10.00  x"]
    assert str(made).splitlines() == lines == made.fitted(80).splitlines()


@pytest.mark.parametrize("width", [30, 40, 50, 60, 80, 200])
def test_no_line_is_wider_and_no_word_is_lost(width: int) -> None:
    fitted = table().fitted(width)
    assert max(map(len, fitted.splitlines())) <= width
    assert {"popf", "1.00", "10.00", "too", "about", "group"} <= set(fitted.split())


def test_text_is_broken_below_itself_and_numbers_are_not() -> None:
    lines = table().fitted(60).splitlines()
    (first,) = (i for i, line in enumerate(lines) if line.startswith("  save and"))
    assert "1.00" in lines[first] and "10.00" in lines[first]
    assert lines[first + 1].startswith("    ")


def test_too_many_numbers_are_divided() -> None:
    made = Table(("probe", *(f"column{i}" for i in range(12))), "<" + ">" * 12)
    made.row("nop", *(f"{i}.00" for i in range(12)))
    parts = made.fitted(60).split("\n\n")
    assert len(parts) > 1 and all(part.startswith("probe") for part in parts)
    assert all(f" {i}.00" in made.fitted(60) for i in range(12))


def test_the_width_is_that_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert screen.width() == screen.PIPED_WIDTH
    monkeypatch.setenv("COLUMNS", "120")
    assert screen.width() == 120
    monkeypatch.setenv("COLUMNS", "20")
    assert screen.width() == screen.LEAST_WIDTH


def test_lines_are_broken_at_spaces_and_keep_their_indent() -> None:
    text = "short\n    " + "word " * 30
    lines = screen.wrapped(text, "  ", 80).splitlines()
    assert lines[0] == "short" and lines[1].startswith("    word")
    assert lines[2].startswith("      word") and max(map(len, lines)) <= 80


def test_in_a_pipe_nothing_is_coloured(capsys: pytest.CaptureFixture[str]) -> None:
    screen.show("a  unreliable: EMULATED")
    assert capsys.readouterr().out == "a  unreliable: EMULATED\n"


def test_a_table_whose_first_column_fills_the_width_ends() -> None:
    table = Table(("n" * 20, "wide", "more"), "<>>")
    table.row("a" * 20, "1" * 70, "2")
    assert "1" * 70 in table.fitted(80)
