# SPDX-License-Identifier: GPL-2.0-only
"""The folder of a fleet run: what was asked for, what became of each host, and the results.

    fleet.json          what was asked for
    hosts/NAME.json     what became of a host at last
    results/NAME/       its results, as `run` wrote them, never written twice
    ansible.log         what Ansible said
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from irqcost.base import files
from irqcost.base.errors import IrqcostError, ResultError
from irqcost.base.safety.texts import plain
from irqcost.fleet.outcome import Outcome
from irqcost.model import reader

_SCHEMA = 1
_RECORD = "fleet.json"

# How a host ended.
MEASURED, FAILED, UNREACHABLE = "measured", "failed", "unreachable"


@dataclass(frozen=True)
class Asked:
    """What a fleet run is to do; the same again when it is resumed."""

    run_id: str
    inventory: str
    run: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    installed: bool = False
    tune: bool = True
    module: bool = True
    limit_seconds: int = 3600


@dataclass(frozen=True)
class Fate:
    """What became of a host."""

    host: str
    state: str
    why: str = ""
    skipped: tuple[tuple[str, str], ...] = ()
    hostname: str = ""
    machine: str = ""
    kernel: str = ""
    clock_off: float = 0.0  # seconds that its clock is ahead
    results: tuple[str, ...] = field(default=())


def file_name(host: str) -> str:
    """A name for files of a host, whatever an inventory calls it; fleet/roles/collect has the same
    rule. Hosts whose names differ only in case, or in what no file is called, differ in the end."""
    readable = re.sub(r"[^a-z0-9._-]+", "-", host.lower())[:60]
    return f"{readable}-{hashlib.sha256(host.encode()).hexdigest()[:8]}"


class Folder:
    """The folder of one fleet run, which one command at a time works in."""

    def __init__(self, path: Path, asked: Asked) -> None:
        self.path = path
        self.asked = asked

    @property
    def results(self) -> Path:
        return self.path / "results"

    def arrived(self, host: str) -> Path:
        """Where Ansible puts what it fetched from a host."""
        return self.path / "incoming" / f"{file_name(host)}.tar"

    def fate(self, host: str) -> Fate | None:
        """What became of a host, as far as this folder has it."""
        path = self.path / "hosts" / f"{file_name(host)}.json"
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            record["skipped"] = tuple((str(what), str(why)) for what, why in record["skipped"])
            record["results"] = tuple(record["results"])
            found = Fate(**record)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise IrqcostError(f"{plain(path)}: not a record of a fleet run: {error}") from error
        # A result that somebody removed is to be measured anew.
        there = all((self.path / one).is_file() for one in found.results)
        return found if there else replace(found, state=FAILED, why="its result was removed")

    def keep(self, fate: Fate) -> None:
        """Records what became of a host. A measured one is not changed."""
        before = self.fate(fate.host)
        if before and before.state == MEASURED:
            return
        path = self.path / "hosts" / f"{file_name(fate.host)}.json"
        with files.written_whole(path, replace=True) as partial:
            partial.write_text(json.dumps(asdict(fate), indent=1) + "\n", encoding="utf-8")

    def accept(self, host: str, outcome: Outcome) -> tuple[str, ...]:
        """Keeps the results of a host, if all are results. Raises ResultError."""
        kept = []
        with _nothing_half(self.results / file_name(host)):
            for name, content in outcome.results.items():
                path = self.results / file_name(host) / name
                with files.written_whole(path) as partial:
                    partial.write_bytes(content)
                    try:
                        reader.read_result(partial)
                    except ResultError as error:
                        raise ResultError(Path(host, name), error.reason) from None
                kept.append(str(path.relative_to(self.path)))
        return tuple(kept)


@contextmanager
def _nothing_half(folder: Path) -> Iterator[None]:
    """Where one result is refused, none of the host is kept; what was there before stays."""
    before = set(folder.iterdir()) if folder.is_dir() else set()
    try:
        yield
    except BaseException:
        for path in set(folder.iterdir()) - before if folder.is_dir() else ():
            path.unlink()
        if folder.is_dir() and not before:
            folder.rmdir()
        raise


@contextmanager
def made(path: Path, asked: Asked) -> Iterator[Folder]:
    """A new folder, held while the block lasts. Raises IrqcostError where it is not new."""
    if path.exists() and any(path.iterdir()):
        raise IrqcostError(
            f"{plain(path)}: is not empty; --resume {plain(path)} goes on with a fleet run"
        )
    with files.made(path), _held(path):
        with files.written_whole(path / _RECORD) as partial:
            record = {"schema": _SCHEMA, **asdict(asked)}
            partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        yield Folder(path, asked)


@contextmanager
def resumed(path: Path) -> Iterator[Folder]:
    """The folder of an earlier fleet run, held while the block lasts. Raises IrqcostError."""
    record = path / _RECORD
    try:
        found: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
        if found.pop("schema") != _SCHEMA:
            raise IrqcostError(f"{plain(record)}: of another version of irqcost; use that one")
        lists = {one.name for one in fields(Asked) if one.name in ("run", "packages")}
        asked = Asked(**{k: tuple(v) if k in lists else v for k, v in found.items()})
    except FileNotFoundError:
        raise IrqcostError(f"{plain(path)}: not the folder of a fleet run") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IrqcostError(f"{plain(record)}: not a record of a fleet run: {error}") from error
    with _held(path):
        yield Folder(path, asked)


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Keeps a second fleet run out of a folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not files.lock(descriptor, wait=False):
            raise IrqcostError(f"{plain(path)}: another fleet run is working in this folder")
        yield
    finally:
        os.close(descriptor)


def fates(folder: Folder, hosts: Sequence[str]) -> list[Fate]:
    """What became of these hosts."""
    return [folder.fate(one) or Fate(one, FAILED, "not tried yet") for one in hosts]
