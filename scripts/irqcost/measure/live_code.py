# SPDX-License-Identifier: GPL-2.0-only
"""Machine code that is measured: of results, of the running kernel, of the module, of a row."""

import base64
import json
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from irqcost.base.errors import IrqcostError
from irqcost.model import catalogue, reader
from irqcost.model.machine_code.disassembly import Function

# What a kernel's own code takes and releases a lock with; BPF's functions come from the catalogue.
_LOCKS = ("_raw_spin_lock_irqsave", "_raw_spin_unlock_irqrestore")


def stored(path: Path, rows: Sequence[str], callees: bool) -> list[Function]:
    """The machine code of a result: of these rows or of all, with @callees also of what they call.

    A row is named with its backend or without. Raises IrqcostError where one has none.
    """
    context = reader.read_result(path).context
    code = context.machine_code
    if not code:
        raise IrqcostError(f"{path} has no machine code: only ring-0 backends store it")
    for row in rows:
        if not any(row in (name, name.split("/")[1]) for name in code):
            known = ", ".join(sorted(code))
            raise IrqcostError(f"{path} has no machine code of {row}, only of {known}")
    return [
        Function(f"{name}: {symbol}", 0, one.code, one.targets, context.architecture)
        for name, functions in code.items()
        if not rows or name in rows or name.split("/")[1] in rows
        for symbol, one in functions.items()
        if callees or "window" not in functions or symbol == "window"
    ]


def default_functions() -> list[str]:
    """Functions that the rows of backend bpf call (as probes.def names them), and the locks."""
    rows = [probe.code for probe in catalogue.read() if probe.kind == "bpf"]
    called = re.findall(r"\b(bpf_\w+)\s*\(", " ".join(rows))
    return list(dict.fromkeys([*called, *_LOCKS]))


def body(probe: catalogue.Probe) -> Function:
    """What one operation of an assembler row is, as the assembler makes it: the same bytes in every
    backend that has windows (body.h), without work in its critical section."""
    source = f".macro irqcost_section\n.endm\n{probe.code}\n"
    with tempfile.TemporaryDirectory(prefix="irqcost-") as folder:
        made, plain = Path(folder, "row.o"), Path(folder, "row")
        subprocess.run(["as", "-o", made, "-"], input=source, text=True, check=True)
        subprocess.run(["objcopy", "-O", "binary", "-j", ".text", made, plain], check=True)
        return Function(probe.key, 0, plain.read_bytes())


def read(bench: Path, symbols: Sequence[str]) -> tuple[list[Function], list[str]]:
    """Functions with those that they call, read by the harness, and why others are absent."""
    command = [str(bench), "--irqcost_machine_code=" + ",".join(symbols)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise IrqcostError(done.stderr.strip().removeprefix("irqcost-bench: "))
    document = json.loads(done.stdout)
    functions = [
        Function(
            item["symbol"],
            int(item.get("address", "0"), 16),
            base64.b64decode(item["code"]),
            {at: symbol for symbol, places in item["targets"].items() for at in places},
            document["architecture"],
        )
        for item in document["functions"]
    ]
    return functions, [item["reason"] for item in document["absent"]]
