# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost disasm`: the instructions with which the running kernel masks interrupts.

The bytes are those that the CPU executes, after alternatives, paravirt and retpoline patching. They
show whether local_irq_restore is popf or test-and-sti here, which NOPs paravirt left, and which
thunk returns go through.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from irqcost.base.errors import Exit
from irqcost.measure import build
from irqcost.measure.live_code import body, default_functions, read, stored
from irqcost.model import catalogue
from irqcost.model.machine_code.disassembly import THUNK, listing


# The module's device: if it is there, probes are shown as the module has them.
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
        "or a probe: its code in the module if that is loaded (kmod/PROBE: only there), else its "
        "assembler code, which needs no privilege",
    )
    parser.add_argument(
        "--result",
        type=Path,
        metavar="FILE",
        help="show the code that this result measured; FUNCTION is a probe, such as "
        "kmod/cli_sti (default: all)",
    )
    parser.add_argument(
        "--callees",
        action="store_true",
        help="show the functions that they call or jump to as well",
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
    # A named function must exist; of the defaults a kernel may lack some.
    return Exit.UNUSABLE if absent and (args.functions or not functions) else Exit.OK
