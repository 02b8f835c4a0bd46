# SPDX-License-Identifier: GPL-2.0-only
"""What `irqcost compare` says, for tests."""

import json
from typing import Any

import pytest

from irqcost import cli


def compare(*arguments: object) -> int:
    return cli.main(["compare", "-v", *map(str, arguments)])


def as_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    assert compare("--format", "json", *arguments) == 0
    return json.loads(capsys.readouterr().out)


def cell(document: Any, name: str, column: str, unit: str = "core cycles") -> Any:
    (figure,) = [figure for figure in document["figures"] if figure["name"] == name]
    (found,) = [c for c in figure["cells"] if (c["column"], c["unit"]) == (column, unit)]
    return found
