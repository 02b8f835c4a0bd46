# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost disasm`: the instructions with which the running kernel masks interrupts.

The bytes are those that the CPU executes, after alternatives, paravirt and retpoline patching. They
show whether local_irq_restore is popf or test-and-sti here, which NOPs paravirt left, and which
thunk returns go through.
"""

import argparse
import base64
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from irqcost.base.errors import Exit, IrqcostError
from irqcost.measure import build
from irqcost.model import catalogue, reader
from irqcost.model.machine_code.disassembly import THUNK, Function, listing

# What a kernel's own code takes and releases a lock with; BPF's functions come from the catalogue.
_LOCKS = ("_raw_spin_lock_irqsave", "_raw_spin_unlock_irqrestore")


# The module's device: where it is, rows are shown as the module has them.
_DEVICE = Path("/dev/irqcost")
_MODULE = "kmod/"


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "disasm", help="show the running kernel's own masking instructions", description=__doc__
    )
    parser.add_argument(
        "functions",
        nargs="*",
        metavar="FUNCTION",
        help="of the kernel (default: those that backend bpf measures, and the irqsave spin lock); "
        "or a row of the catalogue: its window in the module where that is loaded (kmod/ROW: only "
        "there), else the body of an assembler row, which needs no rights to be seen",
    )
    parser.add_argument(
        "--result",
        type=Path,
        metavar="FILE",
        help="show what this result measured; FUNCTION is a row: kmod/cli_sti (default: all)",
    )
    parser.add_argument(
        "--callees", action="store_true", help="also each function that they call or jump to"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.result:
        for function in stored(args.result, args.functions, args.callees):
            print(listing(function, {}))
        return Exit.OK
    kinds = {probe.key: probe for probe in catalogue.read() if probe.kind in ("insn", "call")}
    windows, bodies, wanted = [], [], []
    for name in args.functions:
        if name.startswith(_MODULE) or (name in kinds and _DEVICE.exists()):
            windows.append(_MODULE + name.removeprefix(_MODULE))
        elif name in kinds and kinds[name].kind == "insn":
            bodies.append(name)
        else:
            wanted.append(name)
    for name in bodies:
        print(listing(body(kinds[name]), {}, trim=False))
    absent: list[str] = []
    if windows:
        texts, absent = read(build.harness(), windows)
        for function in texts:
            if args.callees or function.symbol in windows:
                print(listing(function, {}))
        for reason in absent:
            print(f"irqcost: {reason}", file=sys.stderr)
    if args.functions and not wanted:
        return Exit.UNUSABLE if absent else Exit.OK
    status = _show_kernel(args, wanted or default_functions())
    return Exit.UNUSABLE if absent else status


def _show_kernel(args: argparse.Namespace, wanted: Sequence[str]) -> int:
    """Functions of the running kernel, by name."""
    functions, absent = read(build.harness(), wanted)
    names = {function.address: function.symbol for function in functions}
    for function in functions:
        if args.callees or function.symbol in wanted or function.symbol.endswith(THUNK):
            print(listing(function, names))
    for reason in absent:
        print(f"irqcost: {reason}", file=sys.stderr)
    # What was asked for by name must be there; the defaults are what a kernel may have.
    return Exit.UNUSABLE if absent and (args.functions or not functions) else Exit.OK


def stored(path: Path, rows: Sequence[str], callees: bool) -> list[Function]:
    """The texts of a result, of these rows or of all, with @callees those of what they call, too.

    A row is named with its backend or without. Raises IrqcostError where one has no text.
    """
    text = reader.read_result(path).context.machine_code
    if not text:
        raise IrqcostError(f"{path} has no text: only ring-0 backends store what they measured")
    for row in rows:
        if not any(row in (name, name.split("/")[1]) for name in text):
            raise IrqcostError(f"{path} has no text of {row}; it has {', '.join(sorted(text))}")
    return [
        Function(f"{name}: {symbol}", 0, one.code, one.targets)
        for name, functions in text.items()
        if not rows or name in rows or name.split("/")[1] in rows
        for symbol, one in functions.items()
        if callees or "window" not in functions or symbol == "window"
    ]


def default_functions() -> list[str]:
    """Functions behind the rows of backend bpf (as probes.def names them), and the locks."""
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
    command = [str(bench), "--irqcost_text=" + ",".join(symbols)]
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
        )
        for item in document["functions"]
    ]
    return functions, [item["reason"] for item in document["absent"]]
