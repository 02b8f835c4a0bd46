# SPDX-License-Identifier: GPL-2.0-only
"""Files appear whole or not at all.

What is written is made under a temporary name in the folder where it will stand, flushed to the
disk, and renamed. The folder may be somebody else's, who can exchange whatever has a name in it: so
the temporary file is written by its descriptor alone, and gets its name only if it is still it.
"""

import errno
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from irqcost.base.errors import IrqcostError
from irqcost.base.safety import ownership

# What must be free in the target folder before a measurement starts.
RESERVE_BYTES = 4 << 20

# How a file system says that it cannot do this at all.
_UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


class Taken(IrqcostError):
    """The name of a file that is there, or that another command is about to write."""


@contextmanager
def written_whole(target: Path, replace: bool = False) -> Iterator[Path]:
    """Yields the path of an open file that becomes `target` when the block ends without an
    exception. It is there for processes that this one started, too.

    Enter it before the work whose outcome is to be kept: that the folder can be written to, has
    room, and has nothing of the name is found on entry. An existing target, or one that another
    command is writing, is an error unless `replace`.
    """
    with ExitStack() as stack:
        with _explained(target):
            if target.is_dir():
                raise IrqcostError(f"{target}: is a folder; give the name of a file in it")
            if not replace:
                stack.enter_context(claimed([target]))
            folder = stack.enter_context(_folder(target.parent))
            partial = stack.enter_context(_created(folder))
        with _explained(target, errno.ENOSPC, errno.EDQUOT):
            yield partial.path
        with _explained(target):
            with _where_supported():
                os.fsync(partial.descriptor)
            _publish(partial, target, replace)
            ownership.give(target, partial.descriptor)
            _sync(folder)


# What this process has claimed.
_claims: set[Path] = set()


@contextmanager
def claimed(candidates: Iterable[Path]) -> Iterator[Path]:
    """Yields the first path that nothing has and that no other command is writing, and keeps it
    from others while the block lasts. Raises Taken if no name is free."""
    taken = Taken("no name is left")
    with ExitStack() as stack:
        for path in candidates:
            whole = path.absolute()
            if whole in _claims:
                yield path
                return
            with _explained(path):
                folder = stack.enter_context(_folder(path.parent))
                try:
                    stack.enter_context(_held(folder, path))
                    if os.path.lexists(path):
                        raise Taken(f"{path}: exists, and is never overwritten; give another name")
                except Taken as error:
                    taken = error
                    continue
            _claims.add(whole)
            try:
                yield path
            finally:
                _claims.remove(whole)
            return
        raise taken


@contextmanager
def claimed_beside(first: Path) -> Iterator[Path]:
    """The same for @first or, where that is taken, NAME-2, NAME-3 and so on beside it."""
    further = (first.with_name(f"{first.stem}-{n}{first.suffix}") for n in range(2, _MOST_NAMES))
    with claimed(chain([first], further)) as path:
        yield path


# Names carry the second; so many results do not begin in one.
_MOST_NAMES = 1000


@contextmanager
def _held(folder: int, path: Path) -> Iterator[None]:
    """Holds a lock for a name in a folder; the kernel lets go of those of processes that ended."""
    name = f".irqcost-{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}.lock"
    flags = os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    while True:
        descriptor = os.open(name, flags, 0o644, dir_fd=folder)
        try:
            if not lock(descriptor, wait=False):
                raise Taken(f"{path}: another command is writing it; give another name")
            # Who held it before may have removed it meanwhile.
            if _is(folder, name, descriptor):
                try:
                    yield
                finally:
                    _remove(folder, name, descriptor)
                return
        finally:
            os.close(descriptor)


def lock(descriptor: int, wait: bool = True) -> bool:
    """Locks an open file; false where another holds it. A file system without locks (NFS without
    its daemon) has none: then there is nobody to wait for."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOLCK, *_UNSUPPORTED):
            raise
    return True


@contextmanager
def made(path: Path) -> Iterator[None]:
    """Makes a folder where it is not there, and removes it in the end if nothing came in."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        for one in missing:
            ownership.give(one)
        yield
    finally:
        _remove_empty(missing)


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    """A folder as by made(), by its descriptor."""
    with made(path):
        descriptor = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _remove_empty(folders: Sequence[Path]) -> None:
    """Removes folders that were made for a file and have none, the innermost first."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:  # Something is in it, or it is gone already.
            return


def remove(path: Path) -> None:
    """Removes a file; one that is gone already is removed."""
    with _explained(path), suppress(FileNotFoundError):
        path.unlink()


def may_write(folder: Path) -> bool:
    """Whether files may be made in a folder, or the folder itself where it is not there."""
    return os.access(_there(folder), os.W_OK | os.X_OK)


def may_run(folder: Path) -> bool:
    """Whether programs in a folder may be run, be it there yet or not."""
    return not os.statvfs(_there(folder)).f_flag & os.ST_NOEXEC


def _there(folder: Path) -> Path:
    """A folder, or the innermost one around it that is there."""
    return next(place for place in (folder, *folder.parents) if os.path.exists(place))


@dataclass(frozen=True)
class _Partial:
    """An open temporary file, the folder that it is in, and its name there."""

    folder: int
    name: str
    descriptor: int

    @property
    def path(self) -> Path:
        """The file itself, whatever has its name: open to this user's processes."""
        return Path(f"/proc/{os.getpid()}/fd/{self.descriptor}")


@contextmanager
def _created(folder: int) -> Iterator[_Partial]:
    """Makes an empty file, after a look whether there is room for what is to come."""
    # Nobody can know it beforehand, nor does one that was left over matter.
    name = f".irqcost-{secrets.token_hex(8)}.partial"
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, 0o666, dir_fd=folder)
    try:
        with _where_supported():
            os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
            os.ftruncate(descriptor, 0)
        yield _Partial(folder, name, descriptor)
    finally:
        _remove(folder, name, descriptor)
        os.close(descriptor)


def _is(folder: int, name: str, descriptor: int) -> bool:
    """Whether a name in a folder is that of an open file."""
    try:
        there = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return False
    return os.path.samestat(there, os.fstat(descriptor))


def _remove(folder: int, name: str, descriptor: int) -> None:
    """Removes the name of an open file; what took its place is another's."""
    if _is(folder, name, descriptor):
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)


def _publish(partial: _Partial, target: Path, replace: bool) -> None:
    """Gives a finished file its name. What took the name since the work began stays."""
    folder = partial.folder
    if not _is(folder, partial.name, partial.descriptor):
        raise IrqcostError(f"{target}: somebody removed or exchanged it while it was written")
    if not replace:
        try:
            # Fails where the name is taken; renaming would not. Of the open file, not of its name.
            os.link(f"/proc/self/fd/{partial.descriptor}", target.name, dst_dir_fd=folder)
            return
        except FileExistsError:
            raise Taken(f"{target}: another command wrote it meanwhile; it stays") from None
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EMLINK, errno.EXDEV, *_UNSUPPORTED):
                raise
        # A file system without links.
    os.rename(partial.name, target.name, src_dir_fd=folder, dst_dir_fd=folder)
    if not _is(folder, target.name, partial.descriptor):
        raise IrqcostError(f"{target}: somebody exchanged it while it was written")


@contextmanager
def _explained(target: Path, *numbers: int) -> Iterator[None]:
    """Turns an OSError (with `numbers`: only these) into a message about `target`."""
    try:
        yield
    except OSError as error:
        if numbers and error.errno not in numbers:
            raise
        raise IrqcostError(f"{target}: cannot be written: {error.strerror}") from error


@contextmanager
def _where_supported() -> Iterator[None]:
    """Goes on where a file system cannot do what is of use but not needed."""
    try:
        yield
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise


def _sync(folder: int) -> None:
    """Has the names in a folder flushed to the disk, where this user may read them."""
    with _where_supported(), suppress(PermissionError):
        descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
