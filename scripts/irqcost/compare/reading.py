# SPDX-License-Identifier: GPL-2.0-only
"""Files and folders as columns that stand side by side: each result, or each machine's many."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from irqcost.base.arguments import add_scheduler
from irqcost.base.errors import IrqcostError, ResultError, name_left_out
from irqcost.base.safety.texts import plain
from irqcost.compare import columns as columns_
from irqcost.compare.columns import Column
from irqcost.model import reader, store
from irqcost.model.result import Result, without_emulated
from irqcost.model.schema1 import pattern

# More results than this are grouped by machine, and of more machines those with most results
# are shown: nobody reads so many columns.
MOST_COLUMNS = 12
# So many may be asked for.
_MOST_ASKED_FOR = 100


@dataclass(frozen=True)
class Read:
    """The columns, the baseline first, what could not be read, and what else was read and has no
    column, in a sentence ("" for nothing)."""

    columns: list[Column]
    errors: list[ResultError]
    beyond: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that columns() takes, and --scheduler."""
    parser.add_argument(
        "paths",
        metavar="FILE|FOLDER",
        nargs="+",
        type=Path,
        help="a result file, or a folder: every .json file below it",
    )
    parser.add_argument(
        "--baseline",
        metavar="FILE|FOLDER",
        type=Path,
        help="compare with this result (of a folder: with the median over it)",
    )
    parser.add_argument(
        "--by",
        choices=("file", *columns_.BY),
        help="put results together: all of a machine (CPU, microcode, kernel and execution), of a "
        "CPU, or of a kernel",
    )
    parser.add_argument(
        "--select",
        "--filter",
        type=pattern,
        metavar="REGEX",
        help="only figures whose name (backend/probe/mode) matches",
    )
    add_scheduler(parser)


def refuse_mix(read: Sequence[Column]) -> None:
    """Raises IrqcostError where figures that were not measured on a CPU are beside others."""
    kinds: dict[str, list[str]] = {"emulated": [], "simulated": [], "real": []}
    for column in read:
        kinds[column.result.context.kind] += map(str, column.paths)
    found = {kind: paths for kind, paths in kinds.items() if paths}
    if len(found) > 1:
        one, two = list(found)[:2]
        raise IrqcostError(
            f"{one} results are no measure of a CPU and are not compared with {two} ones\n"
            + "".join(f"  {kind}: {_few(paths)}\n" for kind, paths in found.items())
            + "--mix puts them side by side all the same"
        )


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def columns(
    paths: Sequence[Path],
    baseline: Path | None,
    by: str | None,
    select: str | None,
    executor: Executor | None = None,
) -> Read:
    """Results as columns; what is left out is told to the user. Many are read by `executor`.

    `by` is `file`, one of columns.BY, or None: by machine where there are more than MOST_COLUMNS,
    and then no more than these. `select` is the regular expression that the names of figures match.
    """
    read = _columns(paths, baseline, by, select, executor)
    name_left_out(read.errors)
    if read.beyond:
        print(f"irqcost: {read.beyond}", file=sys.stderr)
    return read


def _columns(
    paths: Sequence[Path],
    baseline: Path | None,
    by: str | None,
    select: str | None,
    executor: Executor | None,
) -> Read:
    expression = store.compiled(select)
    named = [baseline] if baseline else []
    many = reader.more_results_than(MOST_COLUMNS, [*named, *paths])
    folder = baseline is not None and baseline.is_dir()
    chosen = by or ("machine" if many or folder else "file")
    if chosen == "file":
        found, _ = reader.find_results([*named, *paths])
        _refuse_too_many(len(found), "results", "machine")
        return _each(named, paths, expression)
    base = store.read(named, select, executor)
    if baseline and not base.records:
        why = base.errors[0] if base.errors else f"{baseline}: no result in this folder"
        raise IrqcostError(f"no baseline: {why}")
    loaded = store.read(paths, select, executor)
    if by is None and not folder and len(base.records) + len(loaded.records) <= MOST_COLUMNS:
        return _each(named, paths, expression)  # Many files, but few of them results.
    first = columns_.groups(base.records, chosen)
    if len(first) > 1:
        raise IrqcostError(f"{baseline}: {len(first)} machines' results are no one baseline")
    groups = columns_.groups(loaded.records, chosen)
    beyond = ""
    if by is None and len(groups) > MOST_COLUMNS:
        most = sorted(groups, key=len, reverse=True)[:MOST_COLUMNS]
        rest = [group for group in groups if not any(group is one for one in most)]
        beyond = (
            f"{sum(map(len, rest))} results of {len(rest)} more machines are not shown, those with "
            "fewest: --by machine shows all, --by cpu and --by kernel put them together"
        )
        groups = most
    _refuse_too_many(len(groups), "machines", "cpu")
    whole, errors = _alone([*first, *groups], expression)
    kept = [one for one in [*first, *groups] if len(one) > 1 or one[0].path in whole]
    if first and not any(one is first[0] for one in kept):
        raise IrqcostError(f"no baseline: {errors[0]}")
    read = columns_.of_groups(kept, whole)
    return Read(read, [*base.errors, *loaded.errors, *errors], beyond)


def _refuse_too_many(count: int, what: str, by: str) -> None:
    if count > _MOST_ASKED_FOR:
        raise IrqcostError(f"{count} {what} are too many to show side by side: use --by {by}")


def _each(baseline: Sequence[Path], paths: Sequence[Path], select: re.Pattern[str] | None) -> Read:
    """A column for each file."""
    found, errors = reader.find_results(paths)
    # Named twice, as the baseline and among the others, it is one column.
    # (Path.resolve() has no answer for links that lead in a circle.)
    real = {os.path.realpath(path) for path in baseline}
    found = [*baseline, *(path for path in found if os.path.realpath(path) not in real)]
    read: list[tuple[Path, Result]] = []
    for path in found:
        try:
            result = reader.read_result(path)
            measured = {entry.backend for entry in result.entries}
            for one in result.context.emulated_backends:
                if one.name not in measured:
                    continue
                why = f"{one.execution_reason}: no measure of a CPU"
                print(
                    f"irqcost: left out: {plain(path)}: backend {one.name}: {why}", file=sys.stderr
                )
            read.append((path, _chosen(result, select)))
        except ResultError as error:
            if path in baseline:
                raise IrqcostError(f"no baseline: {error}") from error
            errors.append(error)
    made = columns_.of_files([path for path, _ in read], [result for _, result in read])
    return Read(made, reader.faults(errors, [*baseline, *paths]))


def _alone(
    groups: Sequence[Sequence[store.Record]], select: re.Pattern[str] | None
) -> tuple[dict[Path, Result], list[ResultError]]:
    """The whole results of groups of one, by their files, and what could not be read: of a record
    the samples and texts have not been looked at."""
    found, errors = {}, []
    for group in groups:
        if len(group) == 1:
            path = group[0].path
            try:
                found[path] = _chosen(reader.read_result(path), select)
            except ResultError as error:
                errors.append(error)
    return found, errors


def _chosen(result: Result, select: re.Pattern[str] | None) -> Result:
    """Its figures that are of a CPU and match."""
    result = without_emulated(result)
    if select is None:
        return result
    entries = tuple(entry for entry in result.entries if select.search(entry.name))
    return Result(result.context, entries)
