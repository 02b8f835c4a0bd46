# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost check --fleet`: which groups of many machines became slower?"""

import argparse
from datetime import datetime, timezone

from irqcost.base import arguments, screen
from irqcost.base.errors import Exit, IrqcostError, name_left_out
from irqcost.compare import policy
from irqcost.compare.fleet import verdicts
from irqcost.compare.fleet.gather import Night, gather
from irqcost.model import reader, store
from irqcost.model.members import FormatError
from irqcost.model.records import slim
from irqcost.output import fleet_table

# Of a hundred nights one may have a false alarm.
_BUDGET = 0.01

# Options of check that are for one machine.
_NOT_HERE: tuple[str, ...] = (
    "measure",
    "baseline",
    "out",
    "github_summary",
    "github_annotations",
    "junit",
)
_NOT_HERE += ("benchmark_action", "bencher")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "many machines",
        "With --fleet, NEW are folders and files of slim records (irqcost push). Machines of one "
        "CPU, microcode and kernel are a group, and the alarm is that more than half of a group "
        "became slower, each compared with its own earlier records. Machines that differ from "
        "their group are listed. docs/method/fleet.md says what is promised.",
    )
    add = group.add_argument
    add("--fleet", action="store_true", help="judge groups of machines")
    add(
        "--budget",
        type=budget,
        default=_BUDGET,
        metavar="ALARMS",
        help=f"false alarms to be expected a night, at most (default: {_BUDGET:g})",
    )
    add(
        "--until",
        type=time,
        metavar="DATE",
        help="the end of the night, as ISO 8601, such as 2026-11-30T06:00Z (default: the present)",
    )
    add(
        "--hours",
        type=arguments.positive,
        default=24.0,
        metavar="N",
        help="records of so many hours are new (default: 24)",
    )


def budget(text: str) -> float:
    """The type of --budget."""
    value = arguments.positive(text)
    if value > 1:
        raise argparse.ArgumentTypeError(f"{text} is more than one false alarm a night")
    return value


def time(text: str) -> datetime:
    """The type of --until."""
    try:
        return slim.when(text)
    except FormatError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(args: argparse.Namespace) -> int:
    if not args.paths:
        raise IrqcostError("check --fleet needs folders or files of records")
    for one in _NOT_HERE:
        if getattr(args, one):
            option = "run" if one == "measure" else one.replace("_", "-")
            raise IrqcostError(f"check --fleet has no --{option}")
    rules = policy.read(args.config)
    night = Night(args.until or datetime.now(timezone.utc), args.hours)
    with store.readers(args.scheduler) as readers:
        gathered = gather(args.paths, night, rules.runs, args.select, readers)
    # Parts are of absolute paths, as readers elsewhere need them.
    named = [path.absolute() for path in args.paths]
    errors = reader.faults(gathered.errors, named)
    name_left_out(errors)
    verdict = verdicts.judge(gathered, rules, args.budget)
    screen.show(fleet_table.text(verdict, gathered, night, screen.width()))
    if not verdict.groups:
        return Exit.UNUSABLE
    if verdict.alarms:
        return Exit.FAILED
    if not verdict.testable:
        return Exit.UNDECIDED
    return Exit.UNUSABLE if any(one.path.absolute() in named for one in errors) else Exit.OK
