# SPDX-License-Identifier: GPL-2.0-only
"""Which results are the baseline of a new one, and which of their figures are comparable."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from irqcost.base import layout
from irqcost.base.errors import ResultError
from irqcost.base.verdicts import CLOCKLESS
from irqcost.compare.policy import Policy
from irqcost.compare.regression import Case
from irqcost.model import filenames, members, parsing, reader, store
from irqcost.model.machine_code import equality, masking
from irqcost.model.result import Context, Result, other_estimator


@dataclass(frozen=True)
class Run:
    """A result with its processes by figure, and for how many seconds it was measured (None in a
    file of the harness alone)."""

    path: Path
    result: Result
    processes: Mapping[str, tuple[float, ...]]
    seconds: float | None = None

    def without_grounds(self) -> "Run":
        """The run without what it is judged by, which is most of it: processes and machine code."""
        context = replace(self.result.context, machine_code={}, code={})
        return replace(self, result=Result(context, self.result.entries), processes={})


def load(path: Path) -> Run:
    """A result file. Raises ResultError, which names the file and the reason."""
    document, result = reader.read_document(path)
    try:
        return Run(path, result, parsing.processes(document), _seconds(document))
    except members.FormatError as error:
        raise ResultError(path, str(error)) from error


def _seconds(document: Any) -> float | None:
    ours = members.Object(document["context"]["irqcost"], "result.context.irqcost")
    return ours.object("processes").number("seconds") if ours.has("processes") else None


@dataclass(frozen=True)
class Chosen:
    """The runs of a baseline, latest first, and why others are not used, each reason with how
    many, the most frequent first."""

    runs: tuple[Run, ...]
    refused: Sequence[tuple[str, int]]


def choose(
    new: Run, records: Sequence[store.Record], named: Sequence[Path], policy: Policy
) -> Chosen:
    """The latest comparable ones of `records`. Those that lie in folders count only where they are
    older than the new result; files that were `named` count as they are. Raises ResultError where
    one of these cannot be read."""
    itself = new.path.resolve()
    own = {path.resolve() for path in named}
    date = when(new.result.context.date)
    fit: list[tuple[datetime, Path]] = []
    alike: set[Path] = set()
    refused: Counter[str] = Counter()
    for record in records:
        taken = when(record.date)
        # What is older is not the new result itself, and may lie anywhere.
        path = None if taken < date else record.path.resolve()
        if path == itself:
            continue
        reason = not_comparable(record.shared, new.result.context, policy.same)
        if not reason and path is not None and path not in own:
            reason = "not older than the new result"
        if reason:
            refused[reason] += 1
        else:
            fit.append((taken, record.path))
            if record.shared.masking.identity == new.result.context.masking.identity:
                alike.add(record.path)
    # Kernels that mask in another way have no more than user mode in common with the new one.
    fit.sort(key=lambda one: (one[1] in alike, one[0], str(one[1])), reverse=True)
    # Counts do not vary from run to run: there is no odd one for a median to leave out.
    runs = 1 if new.result.context.instruction_clock else policy.runs
    found: list[Run] = []
    damaged: list[ResultError] = []
    seen = {_file(new.path)}
    for _, path in fit:
        if len(found) == runs:
            break
        # Each file counts once, whatever it is called.
        if (file := _file(path)) in seen:
            continue
        seen.add(file)
        try:
            found.append(load(path))
        except ResultError as error:
            # Records do without much of a file, and say nothing of what is wrong there.
            if path.resolve() in own:
                raise
            damaged.append(error)
    if damaged:
        such = "damaged, " if len(damaged) == 1 else "damaged, such as "
        refused[f"{such}{damaged[0]}"] = len(damaged)
    return Chosen(tuple(found), refused.most_common())


def _file(path: Path) -> tuple[int, int] | Path:
    """What a file is, under all its names."""
    try:
        status = path.stat()
    except OSError:
        return path
    return status.st_dev, status.st_ino


def when(date: str) -> datetime:
    """The time that a result gives; one that is no date is older than all others."""
    try:
        found = datetime.fromisoformat(date)
    except ValueError:
        found = datetime.min
    return found.replace(tzinfo=timezone.utc) if found.tzinfo is None else found


def not_comparable(base: Context, new: Context, same: Sequence[str]) -> str:
    """Why two results are not to be compared; "" where they may be."""
    pairs: list[tuple[str, object, object]] = [
        ("execution", base.execution, new.execution),
        ("instruction clock", base.instruction_clock, new.instruction_clock),
        ("PREEMPT_RT", base.kernel.realtime, new.kernel.realtime),
    ]
    one, two = base.cpu, new.cpu
    if "cpu" in same:
        pairs += [
            ("CPU", one.brand, two.brand),
            ("CPU", filenames.cpu_signature(one), filenames.cpu_signature(two)),
            ("core type", one.core_type, two.core_type),
            ("hypervisor", base.hypervisor, new.hypervisor),
        ]
        told = [
            ("core", one.codename, two.codename),
            ("confidential computing", one.confidential, two.confidential),
        ]
        # What an older file does not tell is no difference.
        pairs += [pair for pair in told if None not in pair]
    if "microcode" in same:
        pairs.append(("microcode", one.microcode, two.microcode))
    if "kernel" in same:
        pairs.append(("kernel", base.kernel.release, new.kernel.release))
    for what, left, right in pairs:
        if left != right:
            return (
                f"another {what}: {_said(left)} in the baseline, {_said(right)} in the new result"
            )
    return ""


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return "none" if value is None else str(value)


@dataclass(frozen=True)
class Cases:
    """What is to be judged, figures that the baseline lacks, and how many were ignored."""

    cases: tuple[Case, ...]
    unknown: tuple[str, ...]
    ignored: int


def cases(new: Run, baseline: Sequence[Run], policy: Policy) -> Cases:
    """Pairs the figures of a new result with those of its baseline, the latest of them first."""
    assert baseline
    others = [_other_code(new, run, policy) for run in baseline]
    latest = baseline[0].result.figures
    names = dict.fromkeys([*new.result.figures, *latest])
    found, unknown = [], []
    ignored = 0
    for name in names:
        if policy.ignores(name):
            ignored += 1
        elif not any(name in run.result.figures for run in baseline):
            unknown.append(name)
        else:
            found.append(_case(name, new, baseline, policy, others))
    return Cases(tuple(found), tuple(unknown), ignored)


def _other_code(new: Run, base: Run, policy: Policy) -> dict[str, str]:
    """By probe, or `backend/probe`, in what its code is another one than the baseline's: always
    that of the catalogue, that of the kernel where the policy says so."""
    return {
        one.name: one.what
        for one in equality.differences(base.result.context, new.result.context)
        if "/" not in one.name or "code" in policy.same
    }


def _case(
    name: str,
    new: Run,
    baseline: Sequence[Run],
    policy: Policy,
    others: Sequence[Mapping[str, str]],
) -> Case:
    exact = new.result.context.instruction_clock
    backend, probe = name.split("/")[:2]
    incomparable = _flaw(new, name)
    own = new.result.context.masking
    sound, flaws = [], []
    for run, other in zip(baseline, others):
        flaw = masking.not_comparable(run.result.context.masking, own, backend, probe)
        flaw = flaw or other.get(f"{backend}/{probe}", other.get(probe, ""))
        if in_baseline := _flaw(run, name):
            flaw = f"the baseline: {in_baseline}"
        elif not incomparable and not flaw:
            counted = [one.result.figures[name].core_cycles is not None for one in (run, new)]
            flaw = "" if counted[0] == counted[1] else "core cycles on one side only"
            flaw = flaw or other_estimator(run.result.figures[name], new.result.figures[name])
        if flaw:
            flaws.append(flaw)
        else:
            sound.append(run)
    if not sound:
        incomparable = incomparable or flaws[0]
    return Case(
        name,
        _values(new, name, exact),
        [_values(run, name, exact) for run in sound],
        policy.at(name),
        exact,
        incomparable,
    )


def _values(run: Run, name: str, exact: bool) -> tuple[float, ...]:
    """What is compared: processes, or under the instruction clock the count itself."""
    entry = run.result.figures.get(name)
    if entry is None:
        return ()
    return (entry.ticks,) if exact else run.processes.get(name, ())


def _flaw(run: Run, name: str) -> str:
    """Why a run's figure is not comparable; "" where it is."""
    context = run.result.context
    entry = run.result.figures.get(name)
    if entry is None:
        return _missing(context, name)
    if context.instruction_clock:
        return ""
    emulated = {one.name: one.execution_reason for one in context.emulated_backends}
    if context.emulated or entry.backend in emulated:
        why = emulated.get(entry.backend, context.execution_reason)
        return f"emulated without an instruction clock: no measure of a CPU ({why})"
    if entry.verdict in CLOCKLESS:
        return entry.remark
    if name not in run.processes:
        said = "of one process of the harness alone, without processes: measure with "
        return f"{said}{layout.command()} run"
    return ""


def _missing(context: Context, name: str) -> str:
    backend, probe = name.split("/")[:2]
    for absent in context.absent:
        if absent.name in (name, f"{backend}/{probe}", backend):
            return f"not measured: {absent.reason}"
    return "not measured"
