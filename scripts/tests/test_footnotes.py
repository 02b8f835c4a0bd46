# SPDX-License-Identifier: GPL-2.0-only
"""Remarks below a table."""

from irqcost.base.footnotes import Footnotes


def test_one_line_a_cause_with_the_most_that_is_needed() -> None:
    notes = Footnotes()
    assert notes.mark("") == ""
    marks = [
        notes.mark(one)
        for one in (
            "disturbed: ±1.2e+02 cycles, wanted ±66: about 98 s would do",
            "no sample was clean",
            "disturbed: ±0.22 cycles, wanted ±0.12: about 120 s would do",
        )
    ]
    assert marks == ["a", "b", "a"]
    assert notes.lines == [
        "a  2 results, such as: disturbed: ±0.22 cycles, wanted ±0.12: about 120 s would do",
        "b  no sample was clean",
    ]


def test_there_are_more_letters_than_letters() -> None:
    notes = Footnotes()
    marks = [notes.mark("x" * (place + 1)) for place in range(60)]
    assert len(set(marks)) == 60 and marks[25:28] == ["z", "aa", "ab"] and marks[52] == "ba"
