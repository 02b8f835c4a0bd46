# SPDX-License-Identifier: GPL-2.0-only
"""JSON for people: the members of an object, and the items of a list that holds objects, on a line
each; what is within such an item is on its line."""

import json
from typing import Any

# More than any figure is good to, and half of what Python would write.
_DIGITS = 7


def dumps(document: Any) -> str:
    """The text of a document, its numbers rounded. Raises ValueError for a number that JSON
    does not have."""
    return _text(_rounded(document), "\n") + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return list(map(_rounded, value)) if isinstance(value, (list, tuple)) else value


def _text(value: Any, newline: str) -> str:
    deeper = newline + "  "
    if isinstance(value, dict) and value:
        members = (f"{_line(key)}: {_text(item, deeper)}" for key, item in value.items())
        return "{" + deeper + ("," + deeper).join(members) + newline + "}"
    if isinstance(value, list) and any(isinstance(item, (dict, str)) for item in value):
        return "[" + deeper + ("," + deeper).join(map(_line, value)) + newline + "]"
    return _line(value)


def _line(value: Any) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
