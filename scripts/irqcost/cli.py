# SPDX-License-Identifier: GPL-2.0-only
"""The command line: one subcommand, one module with add_parser() and run()."""

import argparse
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from types import FrameType

from irqcost import ROOT
from irqcost.base.errors import Exit, IrqcostError

# By name, in the order of the help, the modules. Loading all of them takes as long as a small
# comparison, so only the one that was asked for is.
_COMMANDS = {
    "run": "irqcost.commands.run",
    "compare": "irqcost.commands.compare",
    "report": "irqcost.commands.report",
    "check": "irqcost.commands.check",
    "history": "irqcost.commands.history",
    "waits": "irqcost.commands.waits",
    "sweep": "irqcost.commands.sweep",
    "ab": "irqcost.commands.ab",
    "selftest": "irqcost.commands.selftest",
    "vm": "irqcost.commands.vm",
    "probes": "irqcost.commands.project.probes",
    "disasm": "irqcost.commands.disasm",
    "doctor": "irqcost.commands.doctor",
    "tune": "irqcost.commands.tune",
    "test": "irqcost.commands.project.test",
    "lint": "irqcost.commands.project.lint",
}

_EPILOG = """\
exit codes: 0 fine, 1 a check failed, 2 wrong usage or unusable data (also where the rest was
still done), 3 undecided, 255 the guest died

Missing packages are installed on Debian and Ubuntu; --no-install, anywhere before --, forbids it.
"""


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """The whole command line, or that of one command."""
    top = argparse.ArgumentParser(
        prog="irqcost",
        description="What masking interrupts costs: on this CPU, with this kernel, by primitive.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    top.add_argument("--version", action="version", version=f"irqcost {version}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for name, module in _COMMANDS.items():
        if command in (None, name):
            import_module(module).add_parser(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code. Usage errors leave through argparse, with 2."""
    given = sys.argv[1:] if arguments is None else arguments
    asked = given[0] if given and given[0] in _COMMANDS else None
    args = parser(asked).parse_args(given)
    # An end from outside takes the way of Ctrl-C, so that what was begun is cleaned up.
    signal.signal(signal.SIGTERM, _interrupt)
    # (nohup has SIGHUP ignored: that stays.)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)
    try:
        return int(args.run(args))
    except IrqcostError as error:
        print(f"irqcost: {error}", file=sys.stderr)
        return error.code
    except BrokenPipeError:
        # The reader (head, less) has seen enough. Nothing may be flushed to it at exit.
        sys.stdout = None  # type: ignore[assignment]
        return Exit.OK
    except OSError as error:
        print(f"irqcost: {error.filename or 'error'}: {error.strerror}", file=sys.stderr)
        return Exit.UNUSABLE
    except KeyboardInterrupt:
        print("irqcost: interrupted; nothing was kept", file=sys.stderr)
        return Exit.INTERRUPTED


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
