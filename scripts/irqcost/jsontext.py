# SPDX-License-Identifier: GPL-2.0-only
"""JSON for people: an object's members on a line each, lists of numbers on one line."""

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
    if isinstance(value, list) and any(isinstance(item, (dict, str)) for item in value):
        return "[" + deeper + ("," + deeper).join(_text(v, deeper) for v in value) + newline + "]"
    return json.dumps(value, allow_nan=False, ensure_ascii=False)
