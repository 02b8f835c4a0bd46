# SPDX-License-Identifier: GPL-2.0-only
"""The folder of what took long to fetch, to build or to learn, and locks on what is in it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from irqcost.base import files
from irqcost.base.errors import IrqcostError
from irqcost.base.safety import ownership


class NoCache(IrqcostError):
    """This user has no folder for what is kept from run to run."""


def cache_directory() -> Path:
    """The folder of fetched kernels, built modules and cached baselines: $IRQCOST_CACHE, else in
    $XDG_CACHE_HOME, else in ~/.cache. Raises NoCache."""
    own = os.environ.get("IRQCOST_CACHE")
    if own:
        return Path(own).absolute()
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The specification wants relative ones ignored.
    return (Path(base) if os.path.isabs(base) else _home() / ".cache") / "irqcost"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        raise NoCache(
            "this user has no home folder, and so no cache: name a folder in $IRQCOST_CACHE"
        ) from None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file @path, whose folder is made; waits for another run that holds it."""
    flags = os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with files.made(path.parent):
        try:
            descriptor = os.open(path, os.O_RDWR | flags, 0o666)
        except PermissionError:  # Another user's can be locked, too.
            descriptor = os.open(path, os.O_RDONLY | flags, 0o666)
    try:
        ownership.give(path, descriptor)
        files.lock(descriptor)
        yield
    finally:
        os.close(descriptor)
