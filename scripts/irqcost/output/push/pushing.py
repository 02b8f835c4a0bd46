# SPDX-License-Identifier: GPL-2.0-only
"""Records of result files, made and pushed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from irqcost.base.errors import IrqcostError, ResultError
from irqcost.model import reader, store
from irqcost.model.members import FormatError
from irqcost.model.records import slim
from irqcost.output.push.ledger import Ledger, key
from irqcost.output.push.targets import Target

# Records that are sent, and so held, at a time.
_AT_A_TIME = 256


@dataclass
class Pushed:
    """How many records were sent, how many results were pushed before, what of the records had no
    room, and which files make no record."""

    sent: int = 0
    before: int = 0
    left_out: dict[Path, int] = field(default_factory=dict)
    errors: list[ResultError] = field(default_factory=list)


def push(paths: Sequence[Path], machine: str, named: str, target: Target, ledger: Ledger) -> Pushed:
    """Pushes a record of each result that was not pushed to this target yet, oldest names first.
    `named` is what the user called the target. Raises targets.Failed; what was sent until then is
    in the ledger."""
    found, errors = reader.find_results(paths)
    done = Pushed(errors=list(errors))
    for start in range(0, len(found), _AT_A_TIME):
        records: dict[str, tuple[str, bytes]] = {}
        for path in found[start : start + _AT_A_TIME]:
            try:
                own = key(named, machine, path.read_bytes())
                if own in ledger:
                    done.before += 1
                    continue
                record = _record(path, machine)
            except ResultError as error:
                done.errors.append(error)
                continue
            except OSError as error:
                done.errors.append(ResultError(path, error.strerror or str(error)))
                continue
            if record.left_out:
                done.left_out[path] = sum(record.left_out.values())
            records[own] = (record.name, slim.dumps(record))
        done.sent += _sent(records, target, ledger)
    return done


def _record(path: Path, machine: str) -> slim.Slim:
    """The record of a result file. Raises ResultError."""
    loaded = store.read([path])
    if loaded.errors:
        raise loaded.errors[0]
    (result,) = loaded.records
    if not result.verdict:
        raise ResultError(path, "one process of the harness alone: push what irqcost run writes")
    try:
        slim.when(result.date)
        return slim.bounded(slim.of(result, machine))
    except (FormatError, IrqcostError) as error:
        raise ResultError(path, str(error)) from error


def _sent(records: Mapping[str, tuple[str, bytes]], target: Target, ledger: Ledger) -> int:
    """Sends records, by their keys in the ledger, which has each once it has arrived."""
    for own, (name, content) in records.items():
        target.put(name, content)
        if target.at_once:
            ledger.add(own)
    target.finish()
    if not target.at_once:
        for own in records:
            ledger.add(own)
    return len(records)
