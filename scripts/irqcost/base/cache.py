# SPDX-License-Identifier: GPL-2.0-only
"""The folder of what took long to fetch, to build or to learn, and locks on what is in it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_directory() -> Path:
    """Where fetched kernels and built modules are kept."""
    own = os.environ.get("IRQCOST_CACHE")
    if own:
        return Path(own).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "irqcost"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file @path; waits for another run that holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
