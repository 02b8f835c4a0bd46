# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost push`: sends slim records of results to where their owner collects them."""

import argparse
import sys
from pathlib import Path

from irqcost.base import layout
from irqcost.base.errors import Exit, IrqcostError, name_left_out
from irqcost.base.safety.texts import plain
from irqcost.machine import identity
from irqcost.model import reader
from irqcost.model.members import FormatError
from irqcost.model.records import slim
from irqcost.output.push import credentials, pushing, targets
from irqcost.output.push.ledger import Ledger

_DESCRIPTION = f"""\
Makes a slim record of each result, at most {slim.MOST_BYTES} bytes with its figures and context,
and puts it into TARGET: a folder that is there; an address that takes HTTP PUT
(https://HOST/PATH); or what rsync reaches (rsync://HOST/PATH, or HOST:PATH over SSH, with keys that
ask nobody). A record has the name of its content, so one that comes late or twice does no harm.
Results that were pushed to TARGET before are left out, and what could not be pushed is tried again
the next time. Push results of this machine only: the record says that they are.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "push", help="send slim records of results to a collector", description=_DESCRIPTION
    )
    add = parser.add_argument
    add("target", metavar="TARGET", help="a folder, https://HOST/PATH, rsync://… or HOST:PATH")
    add("paths", metavar="FOLDER|FILE", nargs="+", type=Path, help="results of this machine")
    add(
        "--name",
        metavar="NAME",
        help="what records call this machine (default: made of its machine id, which nobody can "
        "make of it)",
    )
    add(
        "--credentials",
        metavar="FILE",
        type=Path,
        help="of HTTP, a file of headers such as `Authorization: Bearer …`; of rsync's daemon, its "
        "password. Others must not be able to read it (default: what systemd's LoadCredential "
        f"calls {credentials.NAME})",
    )
    add("--again", action="store_true", help="push what was pushed before as well")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    try:
        machine = identity.machine() if args.name is None else slim.checked_machine(args.name)
    except FormatError as error:
        raise IrqcostError(f"--name: {error}") from None
    target = targets.found(args.target, credentials.of(args.credentials))
    ledger = Ledger(layout.state() / "pushed", forget=args.again)
    done = pushing.push(args.paths, machine, args.target, target, ledger)
    for path, count in done.left_out.items():
        print(f"{plain(path)}: {count} figures had no room; the record counts them by mode")
    said = f"{done.sent} record{'' if done.sent == 1 else 's'} of machine {machine} pushed"
    print(f"{said}, {done.before} pushed before" if done.before else said)
    sys.stdout.flush()
    errors = reader.faults(done.errors, args.paths)
    name_left_out(errors)
    return Exit.UNUSABLE if errors else Exit.OK
