# SPDX-License-Identifier: GPL-2.0-only
"""Files and folders as columns that stand side by side: each result, or each machine's many."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from irqcost import columns as columns_
from irqcost import files, store
from irqcost.columns import Column
from irqcost.errors import IrqcostError, ResultError
from irqcost.model import Result, without_emulated

# More results than this are put together by machine: nobody reads so many columns.
MOST_COLUMNS = 12


def columns(
    paths: Sequence[Path], baseline: Path | None, by: str | None, select: str | None
) -> tuple[list[Column], list[ResultError]]:
    """The columns, the baseline first, and what could not be read, which is told to the user.

    `by` is `file`, one of columns.BY, or None: by machine where there are more than MOST_COLUMNS.
    `select` is the regular expression that the names of figures match.
    """
    read, errors = _columns(paths, baseline, by, select)
    for bad in errors:
        print(f"irqcost: left out: {bad}", file=sys.stderr)
    return read, errors


def _columns(
    paths: Sequence[Path], baseline: Path | None, by: str | None, select: str | None
) -> tuple[list[Column], list[ResultError]]:
    expression = compiled(select)
    named = [baseline] if baseline else []
    found, _ = files.find_results([*named, *paths])
    by = by or ("file" if len(found) <= MOST_COLUMNS else "machine")
    if by == "file":
        if len(found) > 100:
            raise IrqcostError(f"{len(found)} results are no columns to be read: use --by machine")
        return _each(named, paths, expression)
    base = store.read(named, select)
    if baseline and not base.records:
        raise IrqcostError(f"no baseline: {base.errors[0]}")
    loaded = store.read(paths, select)
    first = columns_.of_groups(base.records, by)
    if len(first) > 1:
        raise IrqcostError(f"{baseline}: {len(first)} machines' results are no one baseline")
    grouped = columns_.of_groups(loaded.records, by)
    return [*first, *grouped], base.errors + loaded.errors


def compiled(pattern: str | None) -> re.Pattern[str] | None:
    """The expression of --select. Raises IrqcostError where it is none."""
    try:
        return None if pattern is None else re.compile(pattern)
    except re.error as error:
        raise IrqcostError(f"--select {pattern}: not a regular expression: {error}") from error


def _each(
    baseline: Sequence[Path], paths: Sequence[Path], select: re.Pattern[str] | None
) -> tuple[list[Column], list[ResultError]]:
    """A column for each file."""
    found, errors = files.find_results(paths)
    # Named twice, as the baseline and among the others, it is one column.
    resolved = [path.resolve() for path in baseline]
    found = [*baseline, *(path for path in found if path.resolve() not in resolved)]
    read: list[tuple[Path, Result]] = []
    for path in found:
        try:
            result = files.read_result(path)
            for one in result.context.emulated_backends:
                why = f"{one.execution_reason}: no measure of a CPU"
                print(f"irqcost: left out: {path}: backend {one.name}: {why}", file=sys.stderr)
            read.append((path, _selected(without_emulated(result), select)))
        except ResultError as error:
            if path in baseline:
                raise IrqcostError(f"no baseline: {error}") from error
            errors.append(error)
    return columns_.of_files([path for path, _ in read], [result for _, result in read]), errors


def _selected(result: Result, select: re.Pattern[str] | None) -> Result:
    if select is None:
        return result
    entries = tuple(entry for entry in result.entries if select.search(entry.name))
    return Result(result.context, entries)
