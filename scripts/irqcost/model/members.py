# SPDX-License-Identifier: GPL-2.0-only
"""JSON objects whose members are read by type."""

import math
from collections.abc import Sequence
from typing import Any


def plain(text: str) -> str:
    """A text as it may be shown: a file must not move a terminal's cursor, and half a character is
    none that could be written."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


class FormatError(Exception):
    """The content is not that of a result. The message says where and why."""

    def __init__(self, message: str) -> None:
        super().__init__(plain(message))


# Beyond any cost, and far from where sums and quotients of figures overflow.
GREATEST = 1e30

# A bool is an int in Python, and no number in JSON.
_PLAIN = frozenset((float, int))


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

    def object(self, key: str) -> "Object":
        return Object(self._get(key, (dict,), "an object", False), f"{self.where}.{key}")

    def objects(self, key: str) -> list["Object"]:
        items = self._get(key, (list,), "a list", False)
        return [Object(item, f"{self.where}.{key}[{i}]") for i, item in enumerate(items)]

    def members(self) -> list[str]:
        return list(self._members)

    # Thousands of files have millions of texts and numbers: what is plainly right is seen first.

    def text(self, key: str) -> str:
        value = self._members.get(key)
        if type(value) is str and value.isprintable():
            return value
        return plain(self._get(key, (str,), "a text", False))

    def maybe_text(self, key: str) -> str | None:
        value = self._get(key, (str,), "a text or null", True)
        return None if value is None else plain(value)

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
        values = list(map(self._members.get, keys))
        if _PLAIN.issuperset(map(type, values)) and -GREATEST <= min(values) <= max(values):
            if max(values) <= GREATEST:
                return list(map(float, values))
        return [self.number(key) for key in keys]

    def maybe_number(self, key: str) -> float | None:
        return self.number(key) if self._members.get(key) is not None else None

    def raw(self, key: str) -> Any:
        """A member that is looked at later, or None."""
        return self._members.get(key)

    def run(self) -> tuple[Any, ...]:
        """What tells the entry of a run from all others: name, and repetition or aggregate."""
        get = self._members.get
        keys = (self.text("name"), get("run_name"), get("repetition_index"), get("aggregate_name"))
        return tuple(map(str, keys))

    def maybe(self, key: str) -> bool:
        """Whether there is a member, and it is not null."""
        return self._members.get(key) is not None

    def numbers(self, key: str) -> tuple[float, ...]:
        values = self._get(key, (list,), "a list", False)
        items = Object({str(i): value for i, value in enumerate(values)}, f"{self.where}.{key}")
        return tuple(items.number(i) for i in items.members())

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._get(key, (list,), "a list", False)
        if not all(isinstance(value, str) for value in values):
            raise FormatError(f"{self.where}.{key} is not a list of texts")
        return tuple(map(plain, values))

    def maybe_texts(self, key: str) -> tuple[str, ...] | None:
        return None if self.has(key) and self._members[key] is None else self.texts(key)
