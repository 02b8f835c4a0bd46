# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost run`: measure with every backend that this machine allows."""

import argparse
import sys
from datetime import datetime, timezone
from pathlib import Path

from irqcost import build, catalogue, files, harness, host, report
from irqcost.errors import Exit
from irqcost.model import Result
from irqcost.series import series


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "run",
        help="measure on this machine: table, result file and chart",
        description="Builds the harness, measures with every backend that can run here, prints a "
        "table, and writes a result file and a chart.",
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        help="result file; the chart lies beside it "
        "(default: results/CPU/TIME-KERNEL.json in the checkout)",
    )
    parser.add_argument("--filter", metavar="REGEX", help="only benchmarks whose name matches")
    parser.add_argument("--backends", metavar="LIST", help="such as ring3,kmod (default: all)")
    parser.add_argument("--samples", metavar="N", help="samples of each benchmark")
    parser.add_argument("--cpu", metavar="N", help="the CPU to measure on")
    parser.add_argument("--no-chart", action="store_true", help="table and result file only")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    bench = build.harness()
    arguments = _arguments(args)
    for backend in harness.backends(bench, arguments):
        if not backend.usable:
            print(
                f"left out: {backend.name}: {backend.reason} (remedy: {backend.remedy})",
                file=sys.stderr,
            )
    target: Path = args.out or files.default_path(
        host.cpu(), host.kernel_release(), datetime.now(timezone.utc)
    )
    if args.no_chart:
        return _measure(bench, arguments, target)[0]
    from irqcost import chart  # matplotlib takes a second to load: only where it draws

    prefix = target.with_name(target.name.removesuffix(".json"))
    # The places of the pictures are made sure of before anything is measured.
    with chart.places(prefix, replace=False) as places:
        code, result = _measure(bench, arguments, target)
        chart.draw(series([result]), catalogue.read(), None, places)
    for path in places:
        print(f"Chart:  {path}")
    return code


def _arguments(args: argparse.Namespace) -> list[str]:
    flags = {
        "--benchmark_filter": args.filter,
        "--irqcost_backends": args.backends,
        "--irqcost_samples": args.samples,
        "--irqcost_cpu": args.cpu,
    }
    return [f"{flag}={value}" for flag, value in flags.items() if value is not None]


def _measure(bench: Path, arguments: list[str], target: Path) -> tuple[int, Result]:
    with files.written_whole(target) as partial:
        code = harness.measure(bench, arguments, partial)
        result = files.read_result(partial)
    print(report.text(result, catalogue.read()))
    print(f"\nResult: {target}")
    if code != Exit.OK:
        print("irqcost: not everything could be measured; see above", file=sys.stderr)
    return code, result
