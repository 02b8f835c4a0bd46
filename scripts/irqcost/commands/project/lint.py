# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost lint`: every static check there is."""

import argparse

from irqcost.base.errors import Exit, IrqcostError
from irqcost.base.progress import Progress
from irqcost.commands.project.linters import CHECKS, Outcome


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "lint",
        help="run every static check",
        description="Runs formatters (as checks), linters and static analysers over the sources; "
        "changes nothing. Ends with 1 when one fails.",
    )
    parser.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        choices=[check.name for check in CHECKS],
        help="one of " + ", ".join(check.name for check in CHECKS) + "; may be repeated",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    chosen = [check for check in CHECKS if not args.only or check.name in args.only]
    outcomes = []
    for check in chosen:
        with Progress(check.name):
            try:
                outcome = check.run()
            except IrqcostError as error:
                outcome = Outcome("failed", str(error))
        print(f"{check.name}: {outcome.state}", flush=True)
        if outcome.state != "ok" and outcome.output:
            print("  " + outcome.output.strip().replace("\n", "\n  "), flush=True)
        outcomes.append(outcome.state)
    counts = [f"{outcomes.count(state)} {state}" for state in ("ok", "failed", "skipped")]
    print(", ".join(counts))
    return Exit.FAILED if "failed" in outcomes else Exit.OK
