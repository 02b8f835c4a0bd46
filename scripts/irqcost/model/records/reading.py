# SPDX-License-Identifier: GPL-2.0-only
"""Records where they lie: files of one record, of many (.ndjson, a record a line), and results.

All of it comes from many hosts and may be anybody's. What is not a record is an error that names
its file and line, and the rest is read. Nothing is held but what is being read.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from irqcost.base.errors import ResultError
from irqcost.model import store
from irqcost.model.members import FormatError
from irqcost.model.records import slim
from irqcost.model.records.slim import Slim

_ENDINGS = (".json", ".ndjson")
# A part of a file of many records, and files of one record that are one part.
PART_BYTES, _PART_FILES = 8 << 20, 256
# Lines of a part that are named if they are no records; a file may have millions.
_MOST_NAMED = 20


@dataclass(frozen=True)
class Part:
    """What is read at once: lines of a file that begin from `start` and before `end`, or whole
    files."""

    paths: tuple[Path, ...]
    start: int = 0
    end: int = -1


def files(paths: Sequence[Path]) -> Iterator[Path | ResultError]:
    """The files named, and of folders all below them that are called as records are, in the order
    of their names; an error for what cannot be read. Links to folders are not followed."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        unread: list[OSError] = []
        for place, folders, names in os.walk(path, onerror=unread.append):
            folders.sort()
            # What is being written has a name that begins with a dot.
            shown = sorted(name for name in names if not name.startswith("."))
            yield from (Path(place, name) for name in shown if name.endswith(_ENDINGS))
        yield from (ResultError(Path(str(e.filename)), e.strerror or str(e)) for e in unread)


def parts(paths: Sequence[Path]) -> Iterator[Part | ResultError]:
    """All of it in parts, for many to read at once."""
    few: list[Path] = []
    for path in files(paths):
        if isinstance(path, ResultError):
            yield path
        elif path.suffix == ".ndjson":
            try:
                size = path.stat().st_size
            except OSError as error:
                yield ResultError(path, error.strerror or str(error))
                continue
            whole = path.absolute()  # Whoever reads it may be in another folder.
            for start in range(0, size, PART_BYTES):
                yield Part((whole,), start, min(start + PART_BYTES, size))
        else:
            few.append(path.absolute())
            if len(few) == _PART_FILES:
                yield Part(tuple(few))
                few = []
    if few:
        yield Part(tuple(few))


def read(part: Part) -> Iterator[Slim | ResultError]:
    """The records of a part."""
    for path in part.paths:
        try:
            if part.end >= 0:
                with _opened(path) as file:
                    yield from _lines(path, file, part.start, part.end)
            else:
                yield _one(path)
        except OSError as error:
            yield ResultError(path, error.strerror or str(error))
        except FormatError as error:
            yield ResultError(path, str(error))
        except ResultError as error:
            yield error


def every(paths: Sequence[Path]) -> Iterator[Slim | ResultError]:
    """All records, one after the other."""
    return chain.from_iterable(
        [part] if isinstance(part, ResultError) else read(part) for part in parts(paths)
    )


def _opened(path: Path) -> BinaryIO:
    """A regular file: a host that may write here must not have a device or a pipe read."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FormatError("not a regular file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _lines(path: Path, file: BinaryIO, start: int, end: int) -> Iterator[Slim | ResultError]:
    bad = 0
    file.seek(max(start - 1, 0))
    if start:
        _rest(file)  # Of a line of the part before, whose end may be just before the start.
    while file.tell() < end:
        at = file.tell()
        line = file.readline(slim.MOST_BYTES + 1)
        try:
            if line.strip():
                yield slim.loads(line)
        except FormatError as error:
            bad += 1
            if bad <= _MOST_NAMED:
                yield ResultError(path, f"at byte {at}: {error}")
        if not line.endswith(b"\n"):
            _rest(file)
    if bad > _MOST_NAMED:
        yield ResultError(path, f"{bad - _MOST_NAMED} more lines are no records")


def _rest(file: BinaryIO) -> None:
    """Leaves out the rest of a line, which may be of any length."""
    while line := file.readline(1 << 16):
        if line.endswith(b"\n"):
            return


# So a record begins as irqcost writes it, and no result.
_BEGINS = b'{"%b":' % slim.KEY.encode()


def _one(path: Path) -> Slim:
    """The record in a file, or what a record of the result in it would be. Raises OSError,
    FormatError and ResultError."""
    with _opened(path) as file:
        content = file.read(slim.MOST_BYTES + 1)
    if content.startswith(_BEGINS):
        return slim.loads(content)
    loaded = store.read([path])
    if loaded.errors:
        raise loaded.errors[0]
    return slim.of(loaded.records[0], "")
