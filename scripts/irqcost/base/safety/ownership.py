# SPDX-License-Identifier: GPL-2.0-only
"""What root makes in somebody's checkout belongs to its owner, whose next run must be able to
change it. Elsewhere root's files are root's."""

import os
from contextlib import suppress
from pathlib import Path

from irqcost import ROOT


def _owner(path: Path) -> tuple[int, int] | None:
    """User and group that a path is to have; None where it stays as it is."""
    if os.geteuid() or not path.absolute().is_relative_to(ROOT):
        return None
    status = ROOT.stat()
    return (status.st_uid, status.st_gid) if status.st_uid else None


def give(path: Path, descriptor: int | None = None) -> None:
    """Gives a file or folder that was just made to the owner of the checkout that it is in. With a
    descriptor it is that file, whatever has its name by now."""
    owner = _owner(path)
    if not owner:
        return
    with suppress(OSError):  # Root of a container may not have the right to give anything away.
        if descriptor is None:
            os.lchown(path, *owner)
        else:
            os.fchown(descriptor, *owner)


def give_all(folder: Path) -> None:
    """Gives away what is below a folder, and the folder, as far as it is root's."""
    if not _owner(folder):
        return
    for place, folders, names in os.walk(folder):
        for name in (".", *folders, *names):
            path = Path(place, name)
            with suppress(OSError):
                if not path.lstat().st_uid:
                    give(path)
