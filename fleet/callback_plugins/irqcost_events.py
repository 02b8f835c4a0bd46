# SPDX-License-Identifier: GPL-2.0-only
"""Writes what becomes of each host, a line of JSON each, into the file $IRQCOST_FLEET_EVENTS."""

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: irqcost_events
type: aggregate
short_description: what becomes of each host of an irqcost fleet
description: Writes failures and what hosts say of themselves into $IRQCOST_FLEET_EVENTS.
"""

# A host may say what it wants.
_MOST = 4 << 10


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Failures, lost connections, and what our module says."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "irqcost_events"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        path = os.environ.get("IRQCOST_FLEET_EVENTS")
        self.disabled = not path
        self._file = open(path, "a", encoding="utf-8", buffering=1) if path else None

    def _write(self, result: Any, kind: str, text: str) -> None:
        if self._file is None:
            return
        event = {
            "host": result._host.get_name(),
            "event": kind,
            "task": result._task.get_name().rpartition(" : ")[2],
            "text": text[:_MOST],
        }
        self._file.write(json.dumps(event) + "\n")

    def v2_runner_on_ok(self, result: Any) -> None:
        facts = result._result.get("irqcost")
        if isinstance(facts, dict):
            self._write(result, "said", json.dumps(facts))

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        found = result._result
        # What a program wrote says more than "non-zero return code".
        keys = ("stderr", "module_stderr", "stdout", "module_stdout", "msg")
        words = [found.get(key) for key in keys]
        text = next((one for one in words if isinstance(one, str) and one.strip()), "failed")
        self._write(result, "ignored" if ignore_errors else "failed", text)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._write(result, "unreachable", str(result._result.get("msg", "")))
