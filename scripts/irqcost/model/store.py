# SPDX-License-Identifier: GPL-2.0-only
"""Many result files at once: what comparisons over thousands of them need, and no more.

    loaded = store.read([Path("results")], select="/popf/")
    for record in loaded.records:
        record.context.cpu, record.date, dict(zip(record.names, record.column("core_cycles")))

A Record is a result without what only one file is asked for (histograms, processes, the bytes of
machine code): for these, `reader.read_result(record.path)`. Records of thousands of runs of one
machine share its context and the names of the figures.

Files are parsed once, on all CPUs; from so many on that it pays (index.WORTH), what was found is
remembered in the user's cache (index.py), which is never the only copy: a file that changed, or an
index that another version wrote, is read anew.
"""

import json
import marshal
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from irqcost.base import executors
from irqcost.base.errors import IrqcostError, ResultError
from irqcost.base.progress import Progress
from irqcost.model import index, members, parsing, reader
from irqcost.model.machine_code import recorded
from irqcost.model.members import ours_of
from irqcost.model.result import Context, Entry, Result, without_emulated

# The columns of Record.values; NaN where a file has no such figure. Units as in docs/RESULTS.md.
COLUMNS = (
    "core_cycles",
    "core_cycles_low",
    "core_cycles_high",
    "ticks",
    "ticks_low",
    "ticks_high",
    "ns",
    "spread",
    "estimator",
)

# What of context.irqcost a Record keeps. What runs of one machine have in common is kept once.
_COMMON = (
    "schema",
    "version",
    "catalogue_hash",
    "architecture",
    "command",
    "execution",
    "instruction_clock",
    "cpu",
    "kernel",
    "cpuid_hypervisor",
    "kernel_hypervisor",
    "code",
)
_COMMON_SETTINGS = ("governor", "boost", "smt", "mitigations", "nice", "cpu_quota")
# What identifies the machine code.
_CODE = ("architecture", "machine_code")
_OWN_TSC = ("khz", "step", "invariant", "clock_source")

# So many files are one task.
_CHUNK = 64


@dataclass(frozen=True)
class Record:
    """A result file in short.

    `names` are the figures in the order of the file, `values` (figures × COLUMNS) their numbers,
    `verdicts` their verdicts, and `remarks`, by place, why some are unreliable. `shared` is the
    context without what is of this run alone (`own`, as JSON); `context` has both. `code_digests`
    has a digest of the machine code by `backend/probe`: where two differ, machine_code/equality.py
    tells what differs in the files.
    """

    path: Path
    date: str
    verdict: str
    shared: Context
    code_digests: Mapping[str, str]
    names: tuple[str, ...]
    values: npt.NDArray[np.float64] = field(repr=False)
    verdicts: tuple[str, ...] = field(repr=False)
    remarks: Mapping[int, str] = field(repr=False)
    own: str = field(repr=False)

    @property
    def context(self) -> Context:
        """The context of this run. Not kept are its reasons, texts and derived figures."""
        whole = parsing.with_run(self.shared, json.loads(self.own))
        return replace(whole, date=self.date, verdict=self.verdict)

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """One of COLUMNS, for all of `names`."""
        chosen: npt.NDArray[np.float64] = self.values[:, COLUMNS.index(name)]
        return chosen


@dataclass(frozen=True)
class Loaded:
    """The records that could be read, in the order asked for, and an error for each other file but
    for irqcost's records of other kinds, where a folder has them."""

    records: list[Record]
    errors: list[ResultError]


def readers(scheduler: str | None) -> AbstractContextManager[Executor]:
    """Whoever reads many files: the workers of a cluster, or by default this machine's CPUs."""
    return executors.found(scheduler, [__name__])


def read(
    paths: Sequence[Path], select: str | None = None, executor: Executor | None = None
) -> Loaded:
    """The results in files, and in folders with all below them (reader.find_results()); many are
    read by `executor`, or where there is none by a process for each CPU.

    `select` is a regular expression (IrqcostError if it is not one): figures whose name it does
    not match are left out; a file may be left with none.
    """
    expression = compiled(select)
    found, errors = reader.find_results(paths)
    with index.opened(len(found)) as known:
        known.look_up(paths)
        rows = list(map(known.find, found))
        unknown = [place for place, row in enumerate(rows) if row is None]
        parsed = _parsed([found[place] for place in unknown], known.documents, executor)
        for place, (path, fresh) in zip(unknown, parsed):
            rows[place] = fresh
            known.add(path, fresh)
    unpack = _Unpacker(known.documents, expression)
    records = []
    for path, row in zip(found, rows):
        assert row is not None
        if row.reason:
            errors.append(ResultError(path, row.reason))
        else:
            records.append(unpack.record(path, row))
    return Loaded(records, reader.faults(errors, paths))


def compiled(select: str | None) -> re.Pattern[str] | None:
    """The expression of --select. Raises IrqcostError if it is not one."""
    try:
        return None if select is None else re.compile(select)
    except re.error as error:
        raise IrqcostError(f"--select {select}: not a regular expression: {error}") from error


# Files into rows


def _parsed(
    paths: Sequence[Path], documents: dict[str, str], executor: Executor | None
) -> Iterator[tuple[Path, index.Row]]:
    """Parses files, many of them by an executor; adds to `documents`."""
    if not paths:
        return
    many = Progress(f"reading {len(paths)} result files") if len(paths) >= index.WORTH else None
    with many or nullcontext():
        done = 0
        for rows, new in _outcomes(paths, executor):
            documents.update(new)
            for row in rows:
                path = paths[done]
                done += 1
                if many:
                    # A name may hold what moves a cursor.
                    many.count(done, len(paths), ascii(path.name))
                yield path, row


# What comes of a part of the files: a row for each, and the documents that these have in common.
_Outcome = tuple[list[index.Row], dict[str, str]]


def _outcomes(paths: Sequence[Path], executor: Executor | None) -> Iterator[_Outcome]:
    # Whoever reads them may be in another folder.
    whole = [path.absolute() for path in paths]
    parts = [whole[i : i + _CHUNK] for i in range(0, len(whole), _CHUNK)]
    if len(paths) < index.WORTH:
        yield from map(_parse_all, parts)
    elif executor is not None:
        yield from executor.map(_parse_all, parts)
    else:
        with readers(None) as pool:
            yield from pool.map(_parse_all, parts)


def _parse_all(paths: Sequence[Path]) -> _Outcome:
    documents: dict[str, str] = {}
    return [_parse(path, documents) for path in paths], documents


def _parse(path: Path, documents: dict[str, str]) -> index.Row:
    try:
        document, result = reader.read_document(path, complete=False)
        result = without_emulated(result)
        shared = _shared(document, result.context)
    except ResultError as error:
        return index.Row(reason=error.reason)
    except members.FormatError as error:
        return index.Row(reason=str(error))
    shared_key = index.digest(shared)
    names_key, names = _names(tuple(result.figures))
    documents |= {shared_key: shared, names_key: names}
    entries = list(result.figures.values())
    return index.Row(
        date=result.context.date,
        own=_own(document, result),
        verdict=result.context.verdict,
        shared=shared_key,
        names=names_key,
        numbers=np.fromiter(chain.from_iterable(map(_numbers, entries)), dtype="<f8").tobytes(),
        verdicts="\n".join(entry.verdict for entry in entries),
        remarks=json.dumps([[i, e.remark] for i, e in enumerate(entries) if e.unreliable]),
    )


@lru_cache(maxsize=64)  # Thousands of files have the same.
def _names(names: tuple[str, ...]) -> tuple[str, str]:
    """Names as a document, with its key."""
    text = json.dumps(names)
    return index.digest(text), text


def _numbers(entry: Entry) -> list[float]:
    nothing = (math.nan, math.nan)
    cycles = math.nan if entry.core_cycles is None else entry.core_cycles
    return [
        cycles,
        *(entry.cycles_interval or nothing),
        entry.ticks,
        *(entry.ticks_interval or nothing),
        entry.ns,
        entry.spread,
        entry.estimator,
    ]


def _shared(document: Any, context: Context) -> str:
    """The part of a context that runs of one machine have in common, as JSON."""
    ours = document["context"]["irqcost"]
    kept = {key: ours[key] for key in _COMMON if key in ours}
    kept["masking"] = context.masking.document()
    kept["settings"] = {key: ours["settings"].get(key) for key in _COMMON_SETTINGS}
    # What is of one run alone (_own()); none of it is missing, as far as a reader sees.
    kept |= {"tsc": {"khz": None, "step": None}, "backends": {}, "absent": []}
    return json.dumps({**kept, "code_digests": _code_digests(ours)})


def _own(document: Any, result: Result) -> str:
    """The part that has figures of this run in it, be it in a reason, as JSON."""
    ours = document["context"]["irqcost"]
    absent = [{"name": one.name, "reason": one.reason} for one in result.context.absent]
    tsc = {key: ours["tsc"][key] for key in _OWN_TSC if key in ours["tsc"]}
    return json.dumps({"tsc": tsc, "backends": ours["backends"], "absent": absent})


def _code_digests(ours: Mapping[str, Any]) -> dict[str, str]:
    """By `backend/probe`, what identifies the functions in context.irqcost.machine_code."""
    return _digests_of(marshal.dumps({key: ours[key] for key in _CODE if key in ours}))


@lru_cache(maxsize=64)  # Runs of one kernel have the same: it is a third of a file.
def _digests_of(ours: bytes) -> dict[str, str]:
    hashes = recorded.hashes(ours_of(marshal.loads(ours)))
    return {
        name: index.digest(json.dumps(sorted(of_probe.items())))
        for name, of_probe in hashes.items()
    }


# Rows into records


class _Unpacker:
    """Makes records of rows; what rows share is made once."""

    def __init__(self, documents: Mapping[str, str], expression: re.Pattern[str] | None) -> None:
        self._documents = documents
        self._expression = expression
        self._context = lru_cache(maxsize=None)(self._read_context)
        self._names = lru_cache(maxsize=None)(self._read_names)
        self._verdicts = lru_cache(maxsize=None)(lambda text: tuple(text.split("\n")))

    def _read_context(self, key: str) -> tuple[Context, dict[str, str]]:
        ours = json.loads(self._documents[key])
        whole = {"context": {"date": "", "irqcost": ours}, "benchmarks": []}
        return parsing.parse(whole).context, ours["code_digests"]

    def _read_names(self, key: str) -> tuple[tuple[str, ...], list[int] | None]:
        """The names selected, and their places where these are not all."""
        names = tuple(json.loads(self._documents[key]))
        if self._expression is None:
            return names, None
        places = [i for i, name in enumerate(names) if self._expression.search(name)]
        return tuple(names[place] for place in places), places

    def record(self, path: Path, row: index.Row) -> Record:
        shared, code_digests = self._context(row.shared)
        names, places = self._names(row.names)
        values = np.frombuffer(row.numbers, dtype="<f8").reshape(-1, len(COLUMNS))
        verdicts = self._verdicts(row.verdicts) if len(values) else ()
        remarks = dict(json.loads(row.remarks))
        if places is not None:
            values = values[places]
            verdicts = tuple(verdicts[place] for place in places)
            remarks = {i: remarks[place] for i, place in enumerate(places) if place in remarks}
        return Record(
            path,
            row.date,
            row.verdict,
            shared,
            code_digests,
            names,
            values,
            verdicts,
            remarks,
            row.own,
        )


@dataclass(frozen=True)
class Gathered:
    """One figure over many records: `values` (n × COLUMNS) and the `places` of these records in
    what was gathered from. Values of unreliable figures are NaN; `unreliable` says which."""

    places: npt.NDArray[np.intp]
    values: npt.NDArray[np.float64]
    unreliable: npt.NDArray[np.bool_]


def gather(records: Sequence[Record]) -> dict[str, Gathered]:
    """Every figure over all records that have it, in the order of the records."""
    alike: dict[tuple[str, ...], list[int]] = {}
    by_identity: dict[int, list[int]] = {}
    for place, record in enumerate(records):
        # Records of one read() share their names: most need not be compared.
        group = by_identity.get(id(record.names))
        if group is None:
            group = by_identity[id(record.names)] = alike.setdefault(record.names, [])
        group.append(place)
    parts: dict[str, list[Gathered]] = {}
    for names, group in alike.items():
        values = np.stack([records[place].values for place in group])
        unreliable = np.zeros(values.shape[:2], dtype=bool)
        for row, place in enumerate(group):
            unreliable[row, list(records[place].remarks)] = True
        values[unreliable] = np.nan
        for column, name in enumerate(names):
            one = Gathered(np.array(group), values[:, column], unreliable[:, column])
            parts.setdefault(name, []).append(one)
    return {name: _joined(several) for name, several in parts.items()}


def _joined(parts: Sequence[Gathered]) -> Gathered:
    if len(parts) == 1:
        return parts[0]
    places = np.concatenate([part.places for part in parts])
    order = np.argsort(places)
    values = np.concatenate([part.values for part in parts])[order]
    unreliable = np.concatenate([part.unreliable for part in parts])[order]
    return Gathered(places[order], values, unreliable)
