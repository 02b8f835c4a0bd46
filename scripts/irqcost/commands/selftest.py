# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost selftest`: how precisely this machine can measure."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from irqcost.base import arguments, files, screen, jsontext
from irqcost.base.errors import Exit, IrqcostError
from irqcost.measure import build, injected
from irqcost.measure.selftest import SelftestOptions, failures, measured, undecided
from irqcost.output.selftest_table import text

_DESCRIPTION = """\
Shows how precisely this machine can measure: how far the controls are off, how well processes
agree, how often an interval holds the true value, how long a result takes, how often a difference
is seen where there is none, and how often slowdowns of 0.25, 0.5, 1 and 2 core cycles in a
primitive of about 40 are detected by two builds that alternate. Ring 3 only: it needs no privilege.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "selftest",
        help="show how precisely this machine can measure",
        description=_DESCRIPTION,
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="fewer processes and trials, in about 20 s")
    add(
        "--trials",
        metavar="N",
        type=arguments.count,
        help="trials of each slowdown (default: 100)",
    )
    add(
        "--threshold",
        metavar="CYCLES",
        type=float,
        default=injected.THRESHOLD,
        help="ignore smaller differences (default: %(default)s, half of the smallest slowdown)",
    )
    add("--cpu", metavar="N", help="the CPU to measure on")
    add(
        "--out",
        metavar="PREFIX",
        type=arguments.named,
        default=Path("irqcost-selftest"),
        help="PREFIX.json, .png and .svg (default: irqcost-selftest in this folder)",
    )
    add("--no-chart", action="store_true", help="table and file only")
    parser.set_defaults(run=run, judges=True)


def run(args: argparse.Namespace) -> int:
    if not args.threshold >= 0:
        raise IrqcostError(f"--threshold: {args.threshold} is below 0")
    asked = arguments.chosen(SelftestOptions, args)
    bench = build.harness()
    target = args.out.with_name(args.out.name + ".json")
    with files.written_whole(target, replace=True) as partial:
        if args.no_chart:
            record = measured(bench, asked)
        else:
            # matplotlib takes a second to load, so only if there is a chart.
            from irqcost.output.charts import output_files
            from irqcost.output.charts import selftest as chart

            with output_files.made(args.out, replace=True) as outputs:
                record = measured(bench, asked)
                chart.draw(record, outputs)
        partial.write_text(jsontext.dumps(record), encoding="utf-8")
    screen.show(text(record))
    print(f"\nRecord: {target}")
    return code(record)


def code(document: Mapping[str, Any]) -> int:
    """The exit code."""
    if failures(document):
        return Exit.FAILED
    return Exit.UNDECIDED if undecided(document) else Exit.OK
