# SPDX-License-Identifier: GPL-2.0-only
"""The command line: one subcommand, one module with add_parser() and run()."""

import argparse
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from irqcost import (
    ab,
    check,
    compare,
    disasm,
    doctor,
    history,
    lint,
    probes,
    run,
    selftest,
    sweep,
    test,
    tune,
)
from irqcost import waits_command as waits
from irqcost.errors import Exit, IrqcostError
from irqcost.page import command as report
from irqcost.vm import command as vm

_COMMANDS = (
    run,
    compare,
    report,
    check,
    history,
    waits,
    sweep,
    ab,
    selftest,
    vm,
    probes,
    disasm,
    doctor,
    tune,
    test,
    lint,
)

_EPILOG = """\
exit codes: 0 fine, 1 a check failed, 2 wrong usage or unusable data (also where the rest was
still done), 3 undecided, 4 skipped, 255 the guest died

Missing packages are installed on Debian and Ubuntu; --no-install, anywhere before --, forbids it.
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="irqcost",
        description="What masking interrupts costs: on this CPU, with this kernel, by primitive.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for module in _COMMANDS:
        module.add_parser(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code. Usage errors leave through argparse, with 2."""
    args = parser().parse_args(arguments)
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
