# SPDX-License-Identifier: GPL-2.0-only
"""A run on a simulated machine (docs/SIMULATE.md): its time, which goes on from process to process.

The harness passes virtual time and says where it ended; the next process begins there. So a run of
45 seconds takes as long as its samples take to make.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irqcost.base.errors import IrqcostError


@dataclass
class Clock:
    """The virtual time of a run in seconds, and how many of its processes were started."""

    seconds: float = 0.0
    processes: int = 0

    def now(self) -> float:
        return self.seconds

    def flags(self) -> list[str]:
        """Of the next process."""
        start = f"--irqcost_simulate_start={self.seconds:.9f}"
        return [start, f"--irqcost_simulate_process={self.processes}"]

    def passed(self, context: Mapping[str, Any]) -> float:
        """Goes on to where a process ended; returns how long it took. `context` is its
        context.irqcost."""
        began, self.seconds = self.seconds, float(context["simulated"]["end_s"])
        self.processes += 1
        return self.seconds - began


def executed(context: Mapping[str, Any]) -> str:
    """How a run was executed, on a simulated machine how it seemed to be: bare-metal, virtualised
    or emulated. `context` is context.irqcost."""
    simulated: Mapping[str, Any] | None = context.get("simulated")
    kind: str = simulated["execution"] if simulated else context["execution"]["kind"]
    return kind


def merged(contexts: list[Mapping[str, Any]]) -> dict[str, Any] | None:
    """context.irqcost.simulated of a run: from the beginning of its first process to the end of its
    last. None where the machine was real."""
    if "simulated" not in contexts[0]:
        return None
    found = {**contexts[0]["simulated"], "end_s": contexts[-1]["simulated"]["end_s"]}
    # Of a process that began in a disturbance it seemed something else.
    kinds = [context["simulated"]["execution"] for context in contexts]
    found["execution"] = next((kind for kind in kinds if kind != "emulated"), kinds[0])
    del found["process"]
    return found


def name(path: Path) -> str:
    """What a description calls its machine. Raises IrqcostError where that cannot be read; the
    harness says what else may be wrong."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return str(content["name"])
    except OSError as error:
        raise IrqcostError(f"--simulate {path}: {error.strerror}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise IrqcostError(f"--simulate {path}: no description of a machine: {error}") from error
