# SPDX-License-Identifier: GPL-2.0-only
"""JSON for people: an object's members on a line each, lists without a text in them on one line."""

import json
from typing import Any


def dumps(document: Any) -> str:
    """The text of a document. Raises ValueError where a number is none in JSON."""
    return _text(document, "\n") + "\n"


def _text(value: Any, newline: str) -> str:
    deeper = newline + "  "
    if isinstance(value, dict) and value:
        members = (f"{json.dumps(key)}: {_text(item, deeper)}" for key, item in value.items())
        return "{" + deeper + ("," + deeper).join(members) + newline + "}"
    if isinstance(value, list) and _holds_text(value):
        return "[" + deeper + ("," + deeper).join(_text(v, deeper) for v in value) + newline + "]"
    # Lists of lists are samples: half of a file would be spaces that nobody reads.
    nested = isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value)
    spaces = (",", ":") if nested else None
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=spaces)


def _holds_text(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_text, value.values()))
    if isinstance(value, list):
        return any(map(_holds_text, value))
    return isinstance(value, str)
