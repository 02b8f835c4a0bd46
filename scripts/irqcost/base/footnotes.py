# SPDX-License-Identifier: GPL-2.0-only
"""Remarks below a table: one line a cause, with a letter that marks the cells it is about."""

import re
from string import ascii_lowercase


def cause(remark: str) -> str:
    """What remarks have in common that differ by their numbers alone."""
    return re.sub(r"[\d.]+(?:e[+-]?\d+)?", "#", remark)


class Footnotes:
    """Letters for remarks, in the order in which they are first seen."""

    def __init__(self) -> None:
        self._remarks: dict[str, list[str]] = {}

    def mark(self, remark: str) -> str:
        """The letter of a remark; "" for none."""
        if not remark:
            return ""
        key = cause(remark)
        self._remarks.setdefault(key, []).append(remark)
        return _letter(list(self._remarks).index(key))

    @property
    def lines(self) -> list[str]:
        """A line for each cause: its letter, how many cells it is about, and the remark whose last
        number is the greatest, since that one says what all of them need."""
        lines = []
        for place, remarks in enumerate(self._remarks.values()):
            count = f"{len(remarks)} results, such as: " if len(remarks) > 1 else ""
            lines.append(f"{_letter(place)}  {count}{max(remarks, key=_numbers)}")
        return lines


def _letter(place: int) -> str:
    """a to z, then aa, ab and so on."""
    first, last = divmod(place, len(ascii_lowercase))
    return (ascii_lowercase[first - 1] if first else "") + ascii_lowercase[last]


def _numbers(remark: str) -> list[float]:
    return [float(one) for one in re.findall(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?", remark)][::-1]
