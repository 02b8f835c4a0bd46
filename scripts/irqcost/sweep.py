# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost sweep`: whether a throughput stands on a plateau, or hangs on the unroll factor."""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from irqcost import build, catalogue, description, files, harness, model, report, units
from irqcost.epochs import Plan, Target, collect
from irqcost.errors import Exit, IrqcostError
from irqcost.merge import merge
from irqcost.model import Context, Entry
from irqcost.progress import Progress
from irqcost.table import Table
from irqcost.units import Figure

# Those that there are windows for.
UNROLLS = tuple(description.read()["unroll"])

# For each of them, at most.
_SECONDS = 2.0

# Figures agree where their intervals meet, or within this part of them.
_TOLERANCE = 0.01

_DESCRIPTION = """\
Measures the throughput of one probe with every unroll factor, and shows whether it is the same
with all of them. The factor is the probe's code footprint, and what one pass of the loop is spread
over. A figure that depends on it says as much of the window as of the probe.
"""


@dataclass(frozen=True)
class Point:
    """The throughput at one unroll factor."""

    unroll: int
    entry: Entry
    figure: Figure


@dataclass(frozen=True)
class Sweep:
    """One probe at the unroll factors that it has, in ascending order."""

    name: str  # backend/probe
    context: Context
    unit: str
    points: tuple[Point, ...]


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "sweep", help="one probe over all unroll factors: table and chart", description=_DESCRIPTION
    )
    parser.add_argument("probe", metavar="PROBE", help="such as popf (irqcost probes lists them)")
    parser.add_argument(
        "--backend", default="ring3", metavar="NAME", help="such as kmod (default: %(default)s)"
    )
    parser.add_argument("--cpu", metavar="N", help="the CPU to measure on")
    parser.add_argument("--samples", metavar="N", help="samples of each figure")
    parser.add_argument(
        "--out",
        metavar="PREFIX",
        type=files.named,
        default=Path("irqcost-sweep"),
        help="chart as PREFIX.png and PREFIX.svg (default: irqcost-sweep in this folder)",
    )
    parser.add_argument("--no-chart", action="store_true", help="table only")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.probe not in {probe.key for probe in catalogue.read()}:
        raise IrqcostError(f"no probe is called {args.probe}; `irqcost probes` lists them")
    bench = build.harness()
    arguments = [
        f"--irqcost_backends={args.backend}",
        f"--benchmark_filter=^{args.backend}/{args.probe}/throughput$",
    ]
    arguments += [f"--irqcost_cpu={args.cpu}"] if args.cpu else []
    arguments += [f"--irqcost_samples={args.samples}"] if args.samples else []
    if args.no_chart:
        print(text(_measure(bench, arguments)))
        return Exit.OK
    from irqcost.charts import places as places_
    from irqcost.charts import sweep as chart  # matplotlib: only where it draws

    with places_.made(args.out, replace=True) as places:
        sweep = _measure(bench, arguments)
        print(text(sweep))
        chart.draw(sweep, verdict(sweep), places)
    for place in places:
        print(f"Chart:  {place.target}")
    return Exit.OK


def _measure(bench: Path, arguments: Sequence[str]) -> Sweep:
    """Measures at every factor that the probe has. Raises IrqcostError where it has none."""
    points = []
    refusal = None
    for unroll in UNROLLS:
        asked = [*arguments, f"--irqcost_unroll={unroll}"]
        try:
            (name,) = harness.names(bench, asked)
        except IrqcostError as error:
            refusal = error
            continue
        with Progress(f"measuring with unroll factor {unroll}") as progress:
            session = harness.Session(bench, asked, _SECONDS, progress)
            epochs = collect(session.measure, Plan(_SECONDS), time.monotonic)
        result = model.parse(merge(epochs, Target()))
        entry = result.figures[name]
        figure = units.figure(result, entry, None)
        assert figure is not None  # every figure has one in the result's natural unit
        points.append(Point(unroll, entry, figure))
        unit = units.unit_name(units.natural(result), result)
        context = result.context
    if not points:
        assert refusal is not None
        raise refusal
    return Sweep(name.rpartition("/")[0], context, unit, tuple(points))


def plateau(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points from that factor on from which all agree with the greatest one.

    One point alone is no plateau, and one in doubt is on none: then it is empty.
    """
    last = points[-1]
    level: list[Point] = []
    for point in reversed(points):
        if point.entry.doubtful or not _agree(point.figure, last.figure):
            break
        level.insert(0, point)
    return tuple(level) if len(level) > 1 else ()


def _agree(one: Figure, other: Figure) -> bool:
    near = abs(one.value - other.value) <= _TOLERANCE * abs(other.value)
    return near or (one.low <= other.high and other.low <= one.high)


def verdict(sweep: Sweep) -> str:
    """What is seen, in a sentence."""
    probe = sweep.name.split("/")[1]
    level = plateau(sweep.points)
    if level:
        cost = report.number(level[-1].figure.value, 2)
        return f"{probe} costs {cost} {sweep.unit} from unroll factor {level[0].unroll} on"
    values = [point.figure.value for point in sweep.points]
    low, high = (report.number(value, 2) for value in (min(values), max(values)))
    if len(values) == 1:
        return f"{probe} has one unroll factor only: {low} {sweep.unit}"
    if any(point.entry.doubtful for point in sweep.points[-2:]):
        return f"{probe}: no plateau to be told, for figures of the greatest factors are in doubt"
    return f"{probe} stands on no plateau: {low} to {high} {sweep.unit}, by unroll factor"


def text(sweep: Sweep) -> str:
    """The sweep as a table."""
    table = Table(("unroll", sweep.unit, "from", "to", "free", "remark"), ">>>>><")
    for point in sweep.points:
        entry = point.entry
        table.row(
            str(point.unroll),
            report.number(point.figure.value, 3),
            report.number(point.figure.low, 3),
            report.number(point.figure.high, 3),
            f"{entry.free:.0f}/{entry.samples:.0f}",
            entry.label if entry.doubtful else "",
        )
    heading = f"{sweep.name}/throughput: {report.title(sweep.context)}"
    return "\n".join([heading, "", str(table), "", verdict(sweep)])
