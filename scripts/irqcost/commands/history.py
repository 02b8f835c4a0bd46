# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost history`: how results changed over many runs, and what else changed then."""

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from irqcost.base import arguments
from irqcost.base.errors import Exit, IrqcostError, name_left_out
from irqcost.compare import policy
from irqcost.compare.trend import History, histories
from irqcost.model import catalogue, store
from irqcost.model.schema1 import pattern
from irqcost.output import charts
from irqcost.output.charts.output_files import METADATA, Theme, paged, themes_of
from irqcost.output.history_table import text

# Panels of a chart.
_MOST_CHARTED = 8

_DESCRIPTION = """\
Shows each result over the runs of a machine by date, finds where its level changed for good, and
says what else changed then: kernel, microcode, settings. A change needs six runs before and six
after it, so that one odd run does not matter, and must exceed the thresholds of irqcost check
(--config). Unreliable values are ignored and counted. Kernels and microcodes of one CPU are one
history; emulated runs, PREEMPT_RT and other hypervisors are histories of their own, and so are the
results of kernels that mask in different ways.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "history", help="show how results changed over time", description=_DESCRIPTION
    )
    add = parser.add_argument
    add("paths", metavar="FOLDER|FILE", nargs="+", type=Path, help="results, at least two")
    add(
        "--select",
        type=pattern,
        metavar="REGEX",
        help="only figures whose name (backend/probe/mode) matches",
    )
    add("--config", metavar="FILE", type=Path, help="TOML, as of irqcost check: what matters")
    add("--all", action="store_true", help="show results without a change as well")
    add(
        "--out",
        metavar="PREFIX",
        type=arguments.named,
        default=Path("irqcost-history"),
        help="chart as PREFIX.png and PREFIX.svg, of several machines PREFIX-2.… "
        "(default: irqcost-history in this folder)",
    )
    add("--theme", choices=("light", "dark", "both"), default="light", help="of the chart")
    arguments.add_scheduler(parser)
    add("--no-chart", action="store_true", help="table only")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    most = 0 if args.no_chart else len(METADATA) * len(themes_of(args.theme))
    with charts.workers(most) as workers, store.readers(args.scheduler) as readers:
        return _run(args, readers, workers)


def _run(args: argparse.Namespace, readers: Executor, workers: Executor) -> int:
    rules = policy.read(args.config)
    loaded = store.read(args.paths, args.select, readers)
    name_left_out(loaded.errors)
    found = histories([one for one in loaded.records if one.names], rules, readers)
    if not found:
        raise IrqcostError("no machine has two results with figures here: no history")
    for place, one in enumerate(found):
        drawable = any(line.values for line in one.lines)
        if not drawable and not args.no_chart:
            print("no chart: these results have no core cycles and no exact counts")
        hidden = args.no_chart or not drawable
        lines = [] if hidden else _drawn(args, place, one, workers)
        print("\n".join([("" if place == 0 else "\n") + text(one, args.all), *lines]))
    # What was named and could not be read is missed; of a folder the rest is its history.
    missed = any(error.path in args.paths for error in loaded.errors)
    return Exit.UNUSABLE if missed else Exit.OK


def _drawn(args: argparse.Namespace, place: int, history: History, workers: Executor) -> list[str]:
    """Draws the chart of a machine, and says where it is."""
    prefix = args.out if place == 0 else args.out.with_name(f"{args.out.name}-{place + 1}")
    with paged(prefix, replace=True, themes=themes_of(args.theme)) as sheets:
        charts.draw_pages(partial(_pages, charted(history)), sheets, workers)
    return sheets.said()


def _pages(history: History, theme: Theme) -> Sequence[Callable[[], Any]]:
    from irqcost.output.charts import history as chart

    return chart.pages(history, theme)


def charted(history: History) -> History:
    """What its chart shows: the values of the figures that changed most for their size, or of the
    first ones, and none of the others."""
    controls = {key for key, probe in catalogue.by_key().items() if probe.group == "control"}
    with_values = [line for line in history.lines if line.values]
    with_values.sort(key=lambda line: (-line.size, line.name.split("/")[1] in controls))
    greatest = with_values[:_MOST_CHARTED]
    lines = (
        line if any(line is one for one in greatest) else replace(line, values=(), runs=())
        for line in history.lines
    )
    return replace(history, lines=tuple(lines))
