# SPDX-License-Identifier: GPL-2.0-only
"""Running irqcost-bench. It measures; this only starts it and watches."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from irqcost.errors import Exit, IrqcostError
from irqcost.model import Backend
from irqcost.process import child
from irqcost.progress import Progress


def _ask(bench: Path, arguments: Sequence[str]) -> str:
    """What the harness answers without measuring. Raises IrqcostError with what it said."""
    done = subprocess.run([bench, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise IrqcostError(done.stderr.strip() or f"{bench} ended with status {done.returncode}")
    return done.stdout


def backends(bench: Path, arguments: Sequence[str] = ()) -> tuple[Backend, ...]:
    """Which backends can run here, and why the others cannot."""
    listed = json.loads(_ask(bench, [*arguments, "--irqcost_list_backends"]))
    return tuple(
        Backend(name, item["usable"], item.get("reason", ""), item.get("remedy", ""))
        for name, item in listed.items()
    )


def measure(bench: Path, arguments: Sequence[str], out: Path) -> int:
    """Measures into a file, with progress. Returns the exit code of the harness.

    That is 0, or 2 where a part could not be measured and the rest is in the file. Anything else
    raises IrqcostError with what the harness said.
    """
    names = _ask(bench, [*arguments, "--benchmark_list_tests"]).split()
    command = [str(bench), *arguments, f"--benchmark_out={out}", "--benchmark_out_format=json"]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        with Progress("measuring") as progress, child(command, said) as process:
            assert process.stdout is not None
            progress.count(0, len(names), names[0])
            waiting = dict.fromkeys(names)
            for line in process.stdout:
                # The console reporter begins the line of a finished benchmark with its name.
                words = line.split(maxsplit=1)
                if words and words[0] in waiting:
                    del waiting[words[0]]
                    left = next(iter(waiting), "finishing")
                    progress.count(len(names) - len(waiting), len(names), left)
        code = process.returncode
        if code not in (Exit.OK, Exit.UNUSABLE) or out.stat().st_size == 0:
            said.seek(0)
            raise IrqcostError(said.read().strip() or f"{bench.name} ended with status {code}")
    return code
