# SPDX-License-Identifier: GPL-2.0-only
"""Settings of the host, changed and put back.

What was there is on record before the first change, so that it can be put back whatever happens
in between. The record goes only when all of it has been put back and read again.
"""

import errno
import fcntl
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from irqcost.base import files, layout
from irqcost.base.errors import IrqcostError
from irqcost.machine.hostfacts import BOOT_ID, FIXED_IRQS, Tree, fixed_irqs
from irqcost.machine.settings import FIXED_REASON, Change, Plan

STATE = "run/irqcost/tune.json"
_SCHEMA = 1
RESTORE = f"{layout.command()} tune --restore"


@dataclass(frozen=True)
class Failure:
    """A setting that is not as it was to be, and why."""

    setting: str
    reason: str
    fixed: int | None = None  # the number of an interrupt that nobody can move: no failure


def apply(plan: Plan, tree: Tree) -> list[Failure]:
    """Records what is there, then changes it; returns what the kernel did not take.

    Whatever ends it early, such as Ctrl-C, has it put back what it changed. Raises IrqcostError
    where the host is tuned already, or the record cannot be written.
    """
    with _alone(tree):
        state = tree.root / STATE
        if _read_record(state, tree):
            raise IrqcostError(f"this host is tuned already ({state}); first: {RESTORE}")
        # What is left is of an earlier start of the machine.
        state.unlink(missing_ok=True)
        try:
            _record(plan, state, tree)
            failures = []
            for change in plan.changes:
                failure = _set(change, change.after, tree)
                if failure:
                    failures.append(failure)
            _remember_fixed([one.fixed for one in failures if one.fixed is not None], tree)
            return failures
        except BaseException:
            _undo(tree)
            raise


def _record(plan: Plan, state: Path, tree: Tree) -> None:
    record = {
        "schema": _SCHEMA,
        "boot_id": tree.read(BOOT_ID),
        "cpu": plan.cpu,
        "changes": [asdict(change) for change in plan.changes],
    }
    with files.written_whole(state) as partial:
        partial.chmod(0o600)
        partial.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _undo(tree: Tree) -> None:
    """Puts back what an apply that was ended early has changed."""
    whole = False
    try:
        whole = not _put_back(tree).failures
    finally:
        if not whole:
            print(f"irqcost: not all was put back; {RESTORE}", file=sys.stderr)


@dataclass(frozen=True)
class Restored:
    """What became of a record: how many settings it holds (None: there is none), which of them are
    gone with their device, and which could not be put back."""

    settings: int | None
    gone: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()


def restore(tree: Tree) -> Restored:
    """Puts back all that is on record, last change first. Raises IrqcostError where the record
    cannot be trusted; it then stays, and nothing is changed."""
    with _alone(tree):
        return _put_back(tree)


def _put_back(tree: Tree) -> Restored:
    state = tree.root / STATE
    changes = _read_record(state, tree)
    if changes is None:
        return Restored(None)
    gone, failures = [], []
    for change in reversed(changes):
        if not tree.exists(change.path):
            gone.append(change.setting)
        elif not _is(tree.read(change.path), change.before):
            failure = _set(change, change.before, tree)
            if failure:
                failures.append(failure)
    if not failures:
        state.unlink()
    return Restored(len(changes), tuple(gone), tuple(failures))


def _read_record(state: Path, tree: Tree) -> list[Change] | None:
    """The changes on record; none where there is no record, an empty list where the machine was
    started anew since, which undid them."""
    try:
        with state.open(encoding="utf-8") as file:
            # It says what is written where, by root: nobody else may have had a say in it.
            status = os.fstat(file.fileno())
            if status.st_uid != os.geteuid() or status.st_mode & 0o022:
                raise IrqcostError(f"{state}: others than root can write it; not used")
            record: Any = json.load(file)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise IrqcostError(f"{state}: not a record of tune: {error}") from error
    try:
        if record["schema"] != _SCHEMA:
            raise IrqcostError(f"{state}: written by another version of irqcost; use that one")
        if record["boot_id"] != tree.read(BOOT_ID):
            return []
        return [Change(**change) for change in record["changes"]]
    except (KeyError, TypeError) as error:
        raise IrqcostError(f"{state}: not a record of tune: {error}") from error


def _set(change: Change, value: str, tree: Tree) -> Failure | None:
    """Writes a setting and reads it again; returns why it is not as it was to be."""
    try:
        tree.write(change.path, value)
    except OSError as error:
        irq = _IRQ.fullmatch(change.path)
        if irq and error.errno == errno.EIO:
            return Failure(change.setting, FIXED_REASON, int(irq[1]))
        reason = f"{tree.root / change.path}: {error.strerror}"
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            reason += "; root of a container may not change it: tune outside of it"
        return Failure(change.setting, reason)
    found = tree.read(change.path)
    if _is(found, value):
        return None
    return Failure(change.setting, f"{tree.root / change.path} reads {found!r} after {value!r}")


_IRQ = re.compile(r"proc/irq/(\d+)/smp_affinity")


def _remember_fixed(irqs: Sequence[int], tree: Tree) -> None:
    """Keeps what the kernel said of interrupts until the machine starts anew, for all to read."""
    known = sorted({*irqs, *fixed_irqs(tree)})
    if irqs:
        with files.written_whole(tree.root / FIXED_IRQS, replace=True) as partial:
            record = {"boot_id": tree.read(BOOT_ID), "interrupts": known}
            partial.write_text(json.dumps(record) + "\n", encoding="utf-8")


def _is(found: str | None, value: str) -> bool:
    """Whether a setting has a value. The kernel may write a mask's leading zeros or not."""
    return found is not None and (found.lstrip("0,") or "0") == (value.lstrip("0,") or "0")


@contextmanager
def _alone(tree: Tree) -> Iterator[None]:
    """Keeps a second tune away, which would record what the first one has just changed."""
    folder = (tree.root / STATE).parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise IrqcostError("another tune is under way; wait until it has ended") from error
        yield
    finally:
        os.close(descriptor)
