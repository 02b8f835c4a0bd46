# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost contention`: lock contention and deferred interrupts of a result, tables and charts."""

import argparse
from pathlib import Path

from irqcost.base import arguments, screen
from irqcost.base.errors import Exit, IrqcostError
from irqcost.compare.labels import series
from irqcost.model import catalogue, contention, naming, reader
from irqcost.output import contention_table


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "contention",
        help="show lock contention and deferred interrupts of a result",
        description="Shows and draws what a result says about locks that several CPUs wanted, and "
        "about interrupts raised while they were masked. `irqcost run --contention` measures both.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="a result file")
    parser.add_argument(
        "--out",
        metavar="PREFIX",
        type=arguments.named,
        help="charts as PREFIX-contention.png, PREFIX-pending.svg … (default: beside the file)",
    )
    parser.add_argument("--no-chart", action="store_true", help="tables only")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    result = reader.read_result(args.file)
    found = contention.modes(result.figures)
    if not found:
        raise IrqcostError(
            f"{args.file}: no contention and no deferred interrupts in it; "
            "`irqcost run --contention` measures them"
        )
    screen.show(screen.wrapped(naming.title(result.context)))
    for mode in found:
        screen.show(f"\n{screen.wrapped(naming.mode_name(mode))}\n")
        entries = [entry for entry in result.figures.values() if entry.mode == mode]
        screen.show(contention_table.table(mode, result.context, entries))
    if args.no_chart:
        return Exit.OK
    from irqcost.output.charts import Inputs, draw
    from irqcost.output.charts import output_files

    prefix = args.out or args.file.with_suffix("")
    for mode in found:
        with output_files.paged(prefix.with_name(f"{prefix.name}-{mode}"), replace=True) as sheets:
            draw(mode, Inputs(series([result]), catalogue.read()), sheets)
        print("\n".join(sheets.said()))
    return Exit.OK
