# SPDX-License-Identifier: GPL-2.0-only
"""Sentences of a page: pieces of text and of code, and numbers as they are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


class Code(str):
    """A piece of a sentence that is code: the name of a primitive."""


@dataclass(frozen=True)
class Statement:
    """A sentence, in pieces."""

    pieces: tuple[str, ...]


def said(text: str) -> Statement:
    return Statement((text,))


def coded(text: str) -> Statement:
    """A text of the catalogue, whose code is in backticks."""
    return Statement(
        tuple(Code(one) if place % 2 else one for place, one in enumerate(text.split("`")))
    )


def some(names: Sequence[str], most: int = 5) -> str:
    """The first of many names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def day(date: str) -> str:
    """The day of a result's date, as people write it; what is no date stays as it is."""
    try:
        return f"{datetime.fromisoformat(date):%-d %B %Y}"
    except ValueError:
        return date
