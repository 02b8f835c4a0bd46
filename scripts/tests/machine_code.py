# SPDX-License-Identifier: GPL-2.0-only
"""`machine_code` of a result, for tests."""

import base64
from collections.abc import Mapping
from typing import Any


def function(symbol: str, code: str, targets: Mapping[int, str] | None = None) -> dict[str, Any]:
    """A function of hexadecimal `code`; `targets` by the offset of a call."""
    places: dict[str, list[int]] = {}
    for offset, name in (targets or {}).items():
        places.setdefault(name, []).append(offset)
    return {
        "symbol": symbol,
        "code": base64.b64encode(bytes.fromhex(code)).decode(),
        "targets": places,
    }


def of(probe: str, *functions: Mapping[str, Any]) -> dict[str, Any]:
    """Of one probe, `backend/probe`."""
    return {"functions": list(functions), "probes": {probe: list(range(len(functions)))}}
