# SPDX-License-Identifier: GPL-2.0-only
"""Of the records of many machines, those that a night is judged by: the latest of each machine in
it, and the few before it.

Parts of the records are read by whoever is at hand (base/executors.py); what is kept of a machine
here is bounded, however many records there are of it.
"""

import hashlib
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np

from irqcost.base.errors import ResultError
from irqcost.base.progress import Progress
from irqcost.base.verdicts import Trust
from irqcost.compare import baseline
from irqcost.model import filenames, store
from irqcost.model.records import reading, slim
from irqcost.model.records.slim import Slim
from irqcost.model.result import Context

# A figure by its name, unit and estimator: what differs in one of these is another figure.
Key = tuple[str, str, int]

# Parts that are handed out before what came of them is taken in: memory does not grow with files.
_IN_FLIGHT = 64


@dataclass(frozen=True)
class Night:
    """Until when, and from how many hours before that on, records are new."""

    until: datetime
    hours: float

    def holds(self, time: float) -> bool:
        return self.begin.timestamp() < time <= self.until.timestamp()

    @property
    def begin(self) -> datetime:
        return self.until - timedelta(hours=self.hours)


@dataclass(frozen=True)
class Kept:
    """What is kept of a record: `values` by the place of `keys`, as bytes of float64; NaN where a
    figure is unreliable."""

    time: float
    digest: bytes
    context: str
    keys: tuple[Key, ...]
    values: bytes

    def array(self) -> "np.typing.NDArray[np.float64]":
        return np.frombuffer(self.values, dtype="<f8")


@dataclass
class Machine:
    """The latest record of a night, and the latest before it, the newest first."""

    new: Kept | None = None
    before: list[Kept] = field(default_factory=list)


@dataclass
class Gathered:
    """Machines by name and by what makes their records comparable; the contexts of these by their
    digests; why records are not used, with how many; and what could not be read."""

    machines: dict[tuple[str, int], Machine] = field(default_factory=dict)
    contexts: dict[str, Context] = field(default_factory=dict)
    records: int = 0
    unused: Counter[str] = field(default_factory=Counter)
    errors: list[ResultError] = field(default_factory=list)

    @property
    def silent(self) -> int:
        """How many machines have records, and none of the night."""
        names = {name for name, _ in self.machines}
        return len(names - {name for (name, _), one in self.machines.items() if one.new})


_AFTER = "of a later time than the night: of another one, or of a wrong clock"
_NAMELESS = "results that do not name their machine: irqcost push makes records of them"
_EMULATED = "emulated without an instruction clock: no measure of a CPU"
_HARNESS = "of one process of the harness alone"


def gather(
    paths: Sequence[Path], night: Night, runs: int, select: str | None, executor: Executor
) -> Gathered:
    """What a night is judged by, of all records in files and folders: `runs` before it of each
    machine, and figures whose names `select` matches. Raises IrqcostError if that is no regular
    expression."""
    store.compiled(select)
    found = Gathered()
    strands = _Strands(found.contexts)
    with Progress("reading records") as progress:
        for batch in _batches(reading.parts(paths), select, executor, found.errors):
            found.errors += batch.errors
            found.unused.update(batch.unused)
            found.contexts.update(batch.contexts)
            for machine, kept in batch.rows:
                found.records += 1
                if kept.time > night.until.timestamp():
                    found.unused[_AFTER] += 1
                    continue
                key = (machine, strands.of(kept.context))
                one = found.machines.setdefault(key, Machine())
                _take(one, kept, night.holds(kept.time), runs)
            progress.show(f"{found.records} of {len(found.machines)} machines")
    return found


def _take(machine: Machine, kept: Kept, is_new: bool, runs: int) -> None:
    """Keeps a record of a machine, if it is one of the latest; one that came twice is one."""
    # Records of one second are ordered by what is in them, so that the order of files is not seen.
    order = (kept.time, kept.digest)
    if is_new:
        if machine.new is None or (machine.new.time, machine.new.digest) < order:
            machine.new = kept
        return
    before = machine.before
    if any(one.digest == kept.digest for one in before):
        return
    before.append(kept)
    before.sort(key=lambda one: (one.time, one.digest), reverse=True)
    del before[runs:]


class _Strands:
    """Numbers for contexts: those of one number are comparable, but for microcode and kernel."""

    def __init__(self, contexts: dict[str, Context]) -> None:
        self._contexts = contexts
        self._known: dict[str, int] = {}
        # By what differs in most of them, so that few need to be compared.
        self._first: dict[tuple[object, ...], list[tuple[int, Context]]] = {}
        self._count = itertools.count()

    def of(self, document: str) -> int:
        found = self._known.get(document)
        if found is None:
            found = self._known[document] = self._find(self._contexts[document])
        return found

    def _find(self, context: Context) -> int:
        cpu = context.cpu
        bucket = (
            *(filenames.cpu_signature(cpu), cpu.brand, context.catalogue_hash),
            *(context.masking.identity, context.kernel_hypervisor),
        )
        alike = self._first.setdefault(bucket, [])
        for number, first in alike:
            if not baseline.not_comparable(first, context, ("cpu",)):
                return number
        alike.append((next(self._count), context))
        return alike[-1][0]


@dataclass
class _Batch:
    rows: list[tuple[str, Kept]] = field(default_factory=list)
    contexts: dict[str, Context] = field(default_factory=dict)
    unused: Counter[str] = field(default_factory=Counter)
    errors: list[ResultError] = field(default_factory=list)


def _batches(
    parts: Iterator[reading.Part | ResultError],
    select: str | None,
    executor: Executor,
    errors: list[ResultError],
) -> Iterator[_Batch]:
    read = partial(_read, select)
    while some := list(itertools.islice(parts, _IN_FLIGHT)):
        errors += [one for one in some if isinstance(one, ResultError)]
        yield from executor.map(read, [one for one in some if isinstance(one, reading.Part)])


def _read(select: str | None, part: reading.Part) -> _Batch:
    batch = _Batch()
    expression = store.compiled(select)
    keys: dict[tuple[Key, ...], tuple[Key, ...]] = {}
    for record in reading.read(part):
        if isinstance(record, ResultError):
            batch.errors.append(record)
        elif why := _unusable(record):
            batch.unused[why] += 1
        else:
            kept = _kept(record.selected(expression), keys)
            batch.contexts[kept.context] = record.context
            batch.rows.append((record.machine, kept))
    return batch


def _unusable(record: Slim) -> str:
    context = record.context
    if not record.machine:
        return _NAMELESS
    if not record.verdict:
        return _HARNESS
    return _EMULATED if context.emulated and not context.instruction_clock else ""


def _kept(record: Slim, keys: dict[tuple[Key, ...], tuple[Key, ...]]) -> Kept:
    """A record in short; equal names are one object, in memory and on the wire."""
    exact = record.context.instruction_clock
    unit, verdict = (slim.TICKS, Trust.EMULATED) if exact else (slim.CYCLES, Trust.GOOD)
    names = tuple((name, one.unit, one.estimator) for name, one in record.figures.items())
    values = [
        one.value if one.verdict == verdict and one.unit == unit else math.nan
        for one in record.figures.values()
    ]
    packed = np.asarray(values, dtype="<f8").tobytes()
    time = slim.when(record.date).timestamp()
    content = "\0".join((record.machine, repr(time), record.document))
    return Kept(
        time,
        _digest(content, packed),
        _digest(record.document).hex(),
        keys.setdefault(names, names),
        packed,
    )


def _digest(text: str, more: bytes = b"") -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass") + more, digest_size=12).digest()
