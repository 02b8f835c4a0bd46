# SPDX-License-Identifier: GPL-2.0-only
"""Files appear whole or not at all.

What is written is made under a temporary name in the folder where it will stand, flushed to the
disk, and renamed.
"""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from irqcost.base.errors import IrqcostError

# What must be free in the target folder before a measurement starts.
RESERVE_BYTES = 4 << 20


@contextmanager
def written_whole(target: Path, replace: bool = False) -> Iterator[Path]:
    """Yields the temporary file that becomes `target` when the block ends without an exception.

    Enter it before the work whose outcome is to be kept: that the folder can be written to, and
    that it has room, is found on entry. An existing target is an error unless `replace`.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.partial")
    with _explained(target):
        if target.is_dir():
            raise IrqcostError(f"{target}: is a folder; give the name of a file in it")
        if not replace and os.path.lexists(target):
            raise IrqcostError(f"{target}: exists, and is never overwritten; give another name")
        made = [folder for folder in target.parents if not folder.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            _create(temporary)
        except OSError:
            _remove_empty(made)
            raise
    try:
        with _explained(target, errno.ENOSPC, errno.EDQUOT):
            yield temporary
        with _explained(target):
            _sync(temporary)
            _publish(temporary, target, replace)
            _sync(target.parent)
    finally:
        temporary.unlink(missing_ok=True)
        _remove_empty(made)


def _remove_empty(folders: Sequence[Path]) -> None:
    """Removes folders that were made for a file and have none, the innermost first."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:  # Something is in it, or it is gone already.
            return


def may_write(folder: Path) -> bool:
    """Whether files may be made in a folder, or the folder itself where it is not there."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return os.access(there, os.W_OK | os.X_OK)


def _publish(temporary: Path, target: Path, replace: bool) -> None:
    """Gives a finished file its name. What took the name since the work began stays."""
    if not replace:
        try:
            os.link(temporary, target)  # Fails where the name is taken; renaming would not.
            return
        except FileExistsError:
            raise IrqcostError(f"{target}: another command wrote it meanwhile; it stays") from None
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
                raise
        # A file system without links.
    os.replace(temporary, target)


@contextmanager
def _explained(target: Path, *numbers: int) -> Iterator[None]:
    """Turns an OSError (with `numbers`: only these) into a message about `target`."""
    try:
        yield
    except OSError as error:
        if numbers and error.errno not in numbers:
            raise
        raise IrqcostError(f"{target}: cannot be written: {error.strerror}") from error


def _create(path: Path) -> None:
    """Makes an empty file, after a look whether there is room for what is to come."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
        os.ftruncate(descriptor, 0)
    except OSError:
        path.unlink()
        raise
    finally:
        os.close(descriptor)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
