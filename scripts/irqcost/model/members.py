# SPDX-License-Identifier: GPL-2.0-only
"""JSON objects whose members are read by type."""

import base64
import math
import re
from collections.abc import Callable, Iterable, Sequence, Sized
from typing import Any, TypeVar

from irqcost.base.safety.texts import is_plain, plain


# No text of a result, and none of its names, is nearly so long; of a hostile one they would be
# copied into each line of a table, or laid out by a drawing library.
MOST_LETTERS = 4 << 10
MOST_LETTERS_OF_A_NAME = 200
# Nor has any so many figures, or items in a list.
MOST_ITEMS = 10_000

# Backends, probes, modes, variants: what figures are called, and shells and CI servers read.
NAME = re.compile(r"[A-Za-z0-9_.+/-]+")


_T = TypeVar("_T")


class FormatError(Exception):
    """The content is not that of a result. The message says where and why."""

    def __init__(self, message: str) -> None:
        super().__init__(plain(message))


# Beyond any cost, and far from where sums and quotients of figures overflow.
GREATEST = 1e30

# A bool is an int in Python, and no number in JSON.
_PLAIN = frozenset((float, int))


def plain_numbers(values: Sequence[Any]) -> list[float] | None:
    """Numbers as Object.number() reads each; None unless it is seen at once that all are."""
    if _PLAIN.issuperset(map(type, values)) and -GREATEST <= min(values):
        if max(values) <= GREATEST:
            return list(map(float, values))
    return None


class Object:
    """A JSON object whose members are read by type; errors name the path to the member."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise FormatError(f"{where} is not an object")
        self._members: dict[str, Any] = value
        self.where = where

    def has(self, key: str) -> bool:
        return key in self._members

    def _get(self, key: str, kinds: tuple[type, ...], what: str, nullable: bool) -> Any:
        if key not in self._members:
            raise FormatError(f"{self.where}.{key} is missing")
        value = self._members[key]
        if value is None and nullable:
            return None
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise FormatError(f"{self.where}.{key} is not {what}")
        return value

    def _within(self, value: Sized, most: int, what: str, where: str) -> None:
        if len(value) > most:
            raise FormatError(f"{where} has {len(value)} {what}; no result has more than {most}")

    def object(self, key: str) -> "Object":
        return Object(self._get(key, (dict,), "an object", False), f"{self.where}.{key}")

    def keys(self) -> Iterable[str]:
        """The keys as they are: whoever takes them bounds and checks them."""
        return self._members

    def _list(self, key: str) -> list[Any]:
        items: list[Any] = self._get(key, (list,), "a list", False)
        self._within(items, MOST_ITEMS, "items", f"{self.where}.{key}")
        return items

    def objects(self, key: str) -> list["Object"]:
        return [Object(item, f"{self.where}.{key}[{i}]") for i, item in enumerate(self._list(key))]

    def members(self) -> list[str]:
        """The keys, which are names here."""
        self._within(self._members, MOST_ITEMS, "members", self.where)
        for key in self._members:
            self._within(key, MOST_LETTERS_OF_A_NAME, "letters in a key", self.where)
            if not is_plain(key):
                raise FormatError(f"{self.where} has the key {key}, which is no name")
        return list(self._members)

    # Thousands of files have millions of texts and numbers: what is plainly right is seen first.

    def text(self, key: str) -> str:
        value = self._members.get(key)
        if type(value) is not str or len(value) > MOST_LETTERS or not is_plain(value):
            value = self._plain(self._get(key, (str,), "a text", False), f"{self.where}.{key}")
        return value

    def _plain(self, value: str, where: str) -> str:
        self._within(value, MOST_LETTERS, "letters", where)
        return plain(value)

    def maybe_text(self, key: str) -> str | None:
        value = self._get(key, (str,), "a text or null", True)
        return None if value is None else self._plain(value, f"{self.where}.{key}")

    def name(self, key: str) -> str:
        """A text that is a name of a figure, or a part of one."""
        value = self.text(key)
        self._within(value, MOST_LETTERS_OF_A_NAME, "letters", f"{self.where}.{key}")
        if not NAME.fullmatch(value):
            raise FormatError(f"{self.where}.{key} is {value!r}, which is no name of a figure")
        return value

    def encoded(self, key: str, most: int) -> bytes:
        """Bytes in base64."""
        value = self._get(key, (str,), "a text", False)
        self._within(value, (most + 2) // 3 * 4, "letters of base64", f"{self.where}.{key}")
        try:
            found = base64.b64decode(value, validate=True)
        except ValueError as error:
            raise FormatError(f"{self.where}.{key} is not base64") from error
        self._within(found, most, "bytes", f"{self.where}.{key}")
        return found

    def flag(self, key: str) -> bool:
        return bool(self._get(key, (bool,), "true or false", False))

    def number(self, key: str) -> float:
        value = self._members.get(key)
        if type(value) is float and -GREATEST <= value <= GREATEST:
            return value
        try:
            value = float(self._get(key, (int, float), "a number", False))
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise FormatError(f"{self.where}.{key} is not a finite number")
        if abs(value) > GREATEST:
            raise FormatError(f"{self.where}.{key} is {value:g}: no figure is so great")
        return value

    def each_number(self, keys: Sequence[str]) -> list[float]:
        """Several numbers, as number() reads each."""
        return plain_numbers(self.raws(keys)) or [self.number(key) for key in keys]

    def maybe_number(self, key: str) -> float | None:
        return self.number(key) if self._members.get(key) is not None else None

    def raw(self, key: str) -> Any:
        """A member that is looked at later, or None."""
        return self._members.get(key)

    def raws(self, keys: Sequence[str]) -> list[Any]:
        """Several such."""
        return list(map(self._members.get, keys))

    def taken(self, take: Callable[[dict[str, Any]], _T]) -> _T | None:
        """What an itemgetter takes out, as it is; None where one of its keys is missing."""
        try:
            return take(self._members)
        except KeyError:
            return None

    def run(self) -> tuple[Any, ...]:
        """What tells the entry of a run from all others: name, and repetition or aggregate."""
        others = map(self._members.get, ("run_name", "repetition_index", "aggregate_name"))
        return (self.text("name"), *(one if isinstance(one, (str, int)) else "" for one in others))

    def maybe(self, key: str) -> bool:
        """Whether there is a member, and it is not null."""
        return self._members.get(key) is not None

    def numbers(self, key: str) -> tuple[float, ...]:
        values = self._list(key)
        if all(type(value) is float and -GREATEST <= value <= GREATEST for value in values):
            return tuple(values)
        items = Object({str(i): value for i, value in enumerate(values)}, f"{self.where}.{key}")
        return tuple(map(items.number, items._members))

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._list(key)
        if not all(isinstance(value, str) for value in values):
            raise FormatError(f"{self.where}.{key} is not a list of texts")
        return tuple(self._plain(value, f"{self.where}.{key}") for value in values)

    def maybe_texts(self, key: str) -> tuple[str, ...] | None:
        return None if self.has(key) and self._members[key] is None else self.texts(key)


def ours_of(document: object) -> Object:
    """A result's context.irqcost. Raises FormatError."""
    return Object(document, "result.context.irqcost")
