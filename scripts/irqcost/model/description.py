# SPDX-License-Identifier: GPL-2.0-only
"""What the harness has, whatever the machine: catalogue, backends, modes, contexts, constants.

description.json is what `irqcost-bench --irqcost_describe` prints. It is kept beside this file so
that a command that only reads needs no harness. `./irqcost probes --update` writes it anew, and a
test fails while it is stale.
"""

import json
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

from irqcost.base.errors import IrqcostError

PATH = Path(__file__).with_suffix(".json")


@lru_cache(maxsize=1)
def read() -> dict[str, Any]:
    """The description; bench_user/report/describe.cc says what is in it."""
    content: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return content


def of(bench: Path) -> str:
    """What a harness says, as it is in the file. Raises IrqcostError."""
    done = subprocess.run([bench, "--irqcost_describe"], capture_output=True, text=True)
    if done.returncode:
        raise IrqcostError(done.stderr.strip() or f"{bench} ended with {done.returncode}")
    return done.stdout


def backends() -> dict[str, dict[str, Any]]:
    """The backends by name, in their order."""
    return {one["name"]: one for one in read()["backends"]}
