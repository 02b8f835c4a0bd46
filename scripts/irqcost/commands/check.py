# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost check`: has a result become worse than its baseline? The guard of a machine."""

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from irqcost import ROOT
from irqcost.base import arguments
from irqcost.base.errors import Exit, IrqcostError, ResultError, name_left_out
from irqcost.base.table import Table
from irqcost.compare import baseline, policy, regression
from irqcost.compare.baseline import Run
from irqcost.compare.checked import Checked, against, confirmed, outcome, some
from irqcost.compare.policy import Policy
from irqcost.compare.regression import OK, Judged
from irqcost.machine import host
from irqcost.model import filenames, reader, store
from irqcost.output import ci

CODES = {
    regression.OK: Exit.OK,
    regression.IMPROVEMENT: Exit.OK,
    regression.INCONCLUSIVE: Exit.UNDECIDED,
    regression.REGRESSION: Exit.FAILED,
    regression.INCOMPARABLE: Exit.UNUSABLE,
}

_DESCRIPTION = """\
Compares results with a baseline, figure by figure, and says which became slower. The unit is the
epoch (a fresh process); a difference counts where noise does not explain it and it is greater than
what matters, in core cycles and in percent. Under the instruction clock one instruction counts. The
baseline is the median over the latest comparable results; of a folder, those of the same CPU that
are older than the new result. --config changes what matters and what must be the same.
"""

_EPILOG = """\
verdicts: ok; regression; improvement; inconclusive (noise is greater than what matters: the reason
says what would help); incomparable (other code, emulated, controls off, missing ...)

exit codes: 0 ok or improved; 1 a regression; 3 inconclusive; 2 something is incomparable, or
wrong usage. The worst figure decides; worst is 2, since what is not guarded may hide anything,
then 1, then 3.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "check",
        help="has it become slower than a baseline? For CI",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("paths", metavar="NEW", nargs="*", type=Path, help="result files or folders to be checked")
    add(
        "--baseline",
        metavar="FILE|FOLDER",
        type=Path,
        action="append",
        help="results to compare with; may be given several times (default: the folder results/ of "
        "the checkout)",
    )
    add("--config", metavar="FILE", type=Path, help="TOML, over scripts/irqcost/compare/check.toml")
    add("--select", metavar="REGEX", help="only figures whose name (backend/probe/mode) matches")
    add("--all", action="store_true", help="show the figures that are ok as well")
    arguments.add_scheduler(parser)
    measuring = parser.add_argument_group(
        "measuring",
        "With --run the new result is measured; what then is slower or undecided is "
        "measured again, up to twice, with the time for itself alone.",
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
    speed = measuring.add_mutually_exclusive_group()
    for flag in ("--quick", "--precise"):
        speed.add_argument(flag, action="store_true", help="as of irqcost run")
    for flag, what in (
        ("--time", "SECONDS"),
        ("--backends", "LIST"),
        ("--filter", "REGEX"),
        ("--cpu", "N"),
        ("--core-type", "TYPE"),
    ):
        measuring.add_argument(flag, metavar=what, help="as of irqcost run")
    ci.add_arguments(parser.add_argument_group("for continuous integration"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.measure == bool(args.paths):
        raise IrqcostError("check needs result files, or --run, and not both")
    rules = policy.read(args.config)
    select = _compiled(args.select)
    named: list[Path] = args.baseline or [ROOT / "results"]
    errors: list[ResultError] = []
    # That the places of what is to be written are there is seen before anything is measured.
    with ci.outputs(args) as write:
        with store.readers(args.scheduler) as readers:
            known = store.read(named, executor=readers)
        # One bad file among many of a folder leaves the others; one that was named is missed.
        errors += [one for one in known.errors if one.path in named]
        name_left_out([one for one in known.errors if one.path not in named], "no baseline")
        if args.measure:
            checked = [_measured(args, rules, select, named, known.records)]
        else:
            checked = []
            found, unread = reader.find_results(args.paths)
            errors += unread
            for path in found:
                try:
                    new = baseline.load(path)
                except ResultError as error:
                    errors.append(error)
                else:
                    one = against(new, known.records, named, rules, select)
                    # There may be thousands: what was judged by is not kept.
                    checked.append(replace(one, new=new.without_grounds()))
        errors = reader.faults(errors, [*named, *args.paths])
        name_left_out(errors)
        if not checked:
            raise IrqcostError("nothing to check")
        write(checked)
    print("\n\n".join(text(one, args.all) for one in checked))
    code = CODES[regression.worst([one.word for one in checked])]
    return Exit.UNUSABLE if errors else code


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    try:
        return None if pattern is None else re.compile(pattern)
    except re.error as error:
        raise IrqcostError(f"--select {pattern}: not a regular expression: {error}") from error


# Measuring


def _measured(
    args: argparse.Namespace,
    rules: Policy,
    select: re.Pattern[str] | None,
    named: Sequence[Path],
    records: Sequence[store.Record],
) -> Checked:
    target: Path = args.out or filenames.default_path(
        host.cpu(), host.kernel_release(), datetime.now(timezone.utc)
    )

    def measure(path: Path, only: str | None) -> Run:
        _measure(args, path, only)
        print(f"Result: {path}", file=sys.stderr)
        return baseline.load(path)

    def judge(new: Run, of: int) -> Checked:
        return against(new, records, named, rules, select, of)

    return confirmed(target, measure, judge)


def _core_type(args: argparse.Namespace) -> str | None:
    """Of a hybrid CPU one type is checked: a baseline has one file for each."""
    return None if args.cpu else next(iter(host.core_types()), None)


def _measure(args: argparse.Namespace, target: Path, only: str | None) -> None:
    command = [str(ROOT / "irqcost"), "run", "--no-chart", "--out", str(target)]
    command += [flag for flag in ("--quick", "--precise") if getattr(args, flag[2:])]
    for name, value in (
        ("time", args.time),
        ("backends", args.backends),
        ("cpu", args.cpu),
        ("core-type", args.core_type or _core_type(args)),
        ("filter", only or args.filter),
    ):
        command += [] if value is None else [f"--{name}={value}"]
    done = subprocess.run(command, stdout=subprocess.DEVNULL)
    # 2 with a file: nothing could be measured, and the file says why.
    if done.returncode not in (Exit.OK, Exit.UNUSABLE) or not target.exists():
        raise IrqcostError(f"`{' '.join(command)}` ended with status {done.returncode}")


# In words


def text(checked: Checked, everything: bool) -> str:
    """The table of what is not ok (or of everything), reasons, and the outcome."""
    shown = [one for one in checked.judged if everything or one.word != OK or one.reason]
    parts = [f"{checked.new.path} against {_against(checked)}"]
    if shown and any(one.difference is not None for one in shown):
        parts += ["", str(_table(shown, checked.new.result.context.instruction_clock)), ""]
    told: dict[str, list[str]] = {}
    for one in shown:
        if one.reason:
            told.setdefault(f"{one.word}: {one.reason}", []).append(one.name)
    parts += [f"{some(names)}: {why}" for why, names in told.items()]
    parts += [f"note: {note}" for note in checked.notes]
    parts += ["", f"check: {outcome(checked)}"]
    return "\n".join(parts)


def _against(checked: Checked) -> str:
    if len(checked.against) == 1:
        return str(checked.against[0])
    return f"the median of {len(checked.against)} results" if checked.against else "nothing"


def _table(shown: Sequence[Judged], exact: bool) -> Table:
    unit = "instructions" if exact else "core cycles"
    columns = (f"figure ({unit})", "baseline", "new", "change", "%", "from", "to", "matters")
    table = Table((*columns, "verdict"), "<>>>>>>><")
    for one in shown:
        table.row(
            one.name,
            _number(one.baseline),
            _number(one.new),
            _number(one.difference, "+"),
            "-" if one.percent is None else f"{one.percent:+.1f}",
            _number(one.low, "+"),
            _number(one.high, "+"),
            _number(one.limit),
            one.word,
        )
    return table


def _number(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{round(value, 2) + 0.0:{sign}.2f}"
