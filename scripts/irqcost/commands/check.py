# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost check`: has a result become worse than its baseline? The guard of a machine."""

import argparse
from pathlib import Path

from irqcost.base import arguments, layout, screen, verdicts
from irqcost.base.errors import Exit, IrqcostError, name_left_out
from irqcost.base.verdicts import Change
from irqcost.commands.records import verdicts as fleet
from irqcost.compare import policy
from irqcost.compare.checked import matching
from irqcost.compare.judging import Judge
from irqcost.measure import options
from irqcost.measure.options import Options
from irqcost.model import reader, store
from irqcost.model.schema1 import pattern
from irqcost.output import ci
from irqcost.output.check_table import text

CODES = {
    Change.OK: Exit.OK,
    Change.IMPROVEMENT: Exit.OK,
    Change.INCONCLUSIVE: Exit.UNDECIDED,
    Change.REGRESSION: Exit.FAILED,
    Change.INCOMPARABLE: Exit.UNUSABLE,
}

_DESCRIPTION = """\
Compares results with a baseline and says which became slower. A difference counts if noise does not
explain it and if it exceeds both thresholds, in core cycles and in percent. Under the instruction
clock one instruction counts. The baseline is the median over the latest comparable results; of a
folder, those of the same CPU that are older than the new result. --config changes the thresholds
and what must be the same.
"""

_EPILOG = """\
exit codes: 0 OK, also where results are faster; 1 FAIL, a result is slower; 3 UNDECIDED, noise
exceeds the threshold; 2 ERROR, a result cannot be compared (other code, another CPU, a missing
result ...), or wrong usage. The worst result decides, in the order 2, 1, 3.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "check",
        help="fail if slower than a baseline (for CI)",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("paths", metavar="NEW", nargs="*", type=Path, help="result files or folders to check")
    add(
        "--baseline",
        metavar="FILE|FOLDER",
        type=Path,
        action="append",
        help="results to compare with; may be given several times (default: "
        f"{layout.results_named()})",
    )
    add("--config", metavar="FILE", type=Path, help="TOML, over scripts/irqcost/compare/check.toml")
    chosen = "judge only results whose name (backend/probe/mode) matches"
    add("--select", type=pattern, metavar="REGEX", help=chosen)
    add("--all", action="store_true", help="show all results")
    arguments.add_scheduler(parser)
    measuring = parser.add_argument_group(
        "measuring",
        "With --run the new result is measured, as by irqcost run. What is slower or undecided is "
        "measured again, up to twice, alone. Only what these options select is judged.",
    )
    measuring.add_argument(
        "--run", dest="measure", action="store_true", help="measure, and check that"
    )
    measuring.add_argument(
        "--out",
        metavar="FILE",
        type=arguments.named,
        help="result file of --run (default: as of run)",
    )
    options.add_choice(measuring)
    options.add_speed(measuring)
    options.add_place(measuring)
    fleet.add_arguments(parser)
    ci.add_arguments(parser.add_argument_group("for continuous integration"))
    parser.set_defaults(run=run, judges=True)


def run(args: argparse.Namespace) -> int:
    if args.fleet:
        return fleet.run(args)
    if args.measure == bool(args.paths):
        raise IrqcostError("check needs result files, or --run, and not both")
    named: list[Path] = args.baseline or [layout.results()]
    rules, select = policy.read(args.config), matching(args.select)
    # Fail before measuring where the places of what is to be written are not there.
    with ci.outputs(args) as write:
        with store.readers(args.scheduler) as readers:
            known = store.read(named, executor=readers)
        # Of a folder a bad file is left out; one that was named is an error.
        errors = [one for one in known.errors if one.path in named]
        name_left_out([one for one in known.errors if one.path not in named], "no baseline")
        judge = Judge(known.records, named, rules, select)
        if args.measure:
            checked = [judge.measured(arguments.chosen(Options, args), args.out)]
        else:
            checked, unread = judge.files(args.paths)
            errors += unread
        errors = reader.faults(errors, [*named, *args.paths])
        name_left_out(errors)
        if not checked:
            raise IrqcostError("nothing to check")
        write(checked)
    code = CODES[verdicts.worst(one.status for one in checked)]
    # All is decided and in its place: now what is printed.
    screen.show(text(checked, args.all, screen.width(), len(errors)))
    for line in ci.lines(args, checked):
        print(line)
    return Exit.UNUSABLE if errors else code
