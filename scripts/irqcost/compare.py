# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost compare`: results side by side, as a table and a picture."""

import argparse
import re
import string
import sys
from collections.abc import Sequence
from pathlib import Path

from irqcost import catalogue, files, report, stats, texts, units
from irqcost.errors import Exit, IrqcostError, ResultError
from irqcost.model import Result
from irqcost.series import Series, series
from irqcost.table import Table


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "compare",
        help="compare result files: table and chart",
        description="Compares result files. Ratios are to the first of them.",
    )
    parser.add_argument(
        "paths",
        metavar="FILE|FOLDER",
        nargs="+",
        type=Path,
        help="a result file, or a folder: every .json file below it",
    )
    parser.add_argument(
        "--unit",
        choices=tuple(units.UNITS),
        help="one unit only (default: core cycles and ns; ticks where no cycle was measured)",
    )
    parser.add_argument("--filter", metavar="REGEX", help="only benchmarks whose name matches")
    parser.add_argument(
        "--mix",
        action="store_true",
        help="put emulated results beside real ones (refused otherwise)",
    )
    parser.add_argument(
        "--out",
        metavar="PREFIX",
        type=files.named,
        default=Path("irqcost-compare"),
        help="chart as PREFIX.png and PREFIX.svg (default: irqcost-compare in this folder)",
    )
    parser.add_argument("--no-chart", action="store_true", help="table only")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    paths, errors = files.find_results(args.paths)
    read: list[tuple[Path, Result]] = []
    for path in paths:
        try:
            read.append((path, _filtered(files.read_result(path), args.filter)))
        except ResultError as error:
            errors.append(error)
    for bad in errors:
        print(f"irqcost: left out: {bad}", file=sys.stderr)
    if not read:
        raise IrqcostError("nothing to compare")
    if not any(result.entries for _, result in read):
        raise IrqcostError("no benchmark in these files" + _matching(args.filter))
    if not args.mix:
        _refuse_mix(read)
    results = [result for _, result in read]
    named = series(results)
    print(text(named, [path for path, _ in read], args.unit))
    for line in other_instructions(named):
        print(line)
    if not args.no_chart:
        from irqcost.charts import Material, draw, style  # matplotlib: only where it draws

        with style.places(args.out, replace=True) as places:
            draw("bars", Material(named, catalogue.read(), args.unit), places)
        for place in places:
            print(f"Chart:  {place.target}")
    return Exit.UNUSABLE if errors else Exit.OK


def _matching(pattern: str | None) -> str:
    return "" if pattern is None else f" has a name that matches {pattern}"


def _filtered(result: Result, pattern: str | None) -> Result:
    if pattern is None:
        return result
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise IrqcostError(f"--filter {pattern}: not a regular expression: {error}") from error
    entries = tuple(entry for entry in result.entries if expression.search(entry.name))
    return Result(result.context, entries)


def _refuse_mix(read: Sequence[tuple[Path, Result]]) -> None:
    kinds = {
        emulated: [str(path) for path, result in read if result.context.emulated == emulated]
        for emulated in (True, False)
    }
    if kinds[True] and kinds[False]:
        raise IrqcostError(
            "emulated results are no measure of a CPU and are not compared with real ones\n"
            f"  emulated: {', '.join(kinds[True])}\n"
            f"  real: {', '.join(kinds[False])}\n"
            "--mix puts them side by side all the same"
        )


def text(named: Sequence[Series], paths: Sequence[Path], unit: str | None) -> str:
    """The comparison as text: a legend of letters, and a row for each benchmark."""
    letters = [_letter(index) for index in range(len(named))]
    legend = [f"{letter}  {s.title}\n   {path}" for letter, s, path in zip(letters, named, paths)]
    columns = []  # (letter, series, unit)
    for letter, one in zip(letters, named):
        natural = units.natural(one.result)
        pair = [natural] if one.result.context.instruction_clock else [natural, "ns"]
        columns += [(letter, one, shown) for shown in ([unit] if unit else pair)]
    headings = [f"{letter} {units.unit_name(u, one.result)}" for letter, one, u in columns]
    ratios = list(zip(letters, named))[1:]
    headings += [f"{letter}/{letters[0]}" for letter, _ in ratios]
    table = Table(("backend/probe/mode", *headings), "<" + ">" * len(headings))
    in_doubt = False
    for probe, names in _by_probe(named).items():
        table.heading(probe)
        for name in names:
            cells = []
            for _, one, shown in columns:
                cell, doubtful = _cell(one, name, shown)
                in_doubt |= doubtful
                cells.append(cell)
            cells += [_ratio(one, named[0], name, unit) for _, one in ratios]
            table.row(f"  {name}", *cells)
    notes = [f"X/{letters[0]}: ratio in the first unit of X"] if ratios else []
    notes += ["? in doubt: the label in the result file says why"] if in_doubt else []
    return "\n".join([*legend, "", str(table), *notes])


def other_instructions(named: Sequence[Series]) -> list[str]:
    """Where a result measured other instructions than the first under the same name."""
    lines = []
    for index, one in enumerate(named[1:], 1):
        found = texts.differences(named[0].result.context, one.result.context)
        if found:
            lines += ["", f"{_letter(index)} measured other instructions than {_letter(0)}:"]
            lines += [f"  {line}" for line in texts.sentences(found)]
    return lines


def _letter(index: int) -> str:
    """A to Z, then A1, B1 …"""
    letters = string.ascii_uppercase
    return letters[index % 26] + (str(index // 26) if index >= 26 else "")


def _by_probe(named: Sequence[Series]) -> dict[str, list[str]]:
    """Names of all benchmarks by their probe, in the order in which they first appear."""
    groups: dict[str, dict[str, None]] = {}
    for one in named:
        for name, entry in one.result.figures.items():
            groups.setdefault(entry.probe, {})[name] = None
    return {probe: list(names) for probe, names in groups.items()}


def _cell(one: Series, name: str, unit: str) -> tuple[str, bool]:
    entry = one.result.figures.get(name)
    figure = units.figure(one.result, entry, unit) if entry else None
    if entry is None or figure is None:
        return "-", False
    mark = " ?" if entry.doubtful else ""
    return report.number(figure.value, report.decimals(one.result.context)) + mark, entry.doubtful


def _ratio(one: Series, base: Series, name: str, unit: str | None) -> str:
    entries = [s.result.figures.get(name) for s in (one, base)]
    called = units.names([one.result, base.result], unit)
    if entries[0] is None or entries[1] is None or len(called) > 1:
        return "-"
    figure = units.figure(one.result, entries[0], unit)
    first = units.figure(base.result, entries[1], unit)
    if figure is None or first is None:
        return "-"
    return report.number(stats.ratio(figure.value, first.value, first.width), 2)
