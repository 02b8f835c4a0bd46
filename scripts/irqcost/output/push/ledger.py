# SPDX-License-Identifier: GPL-2.0-only
"""Which results were pushed where, so that the next push has only the others to do.

It only saves work: a record that is pushed twice has the same name and the same bytes. It holds
hashes, so that it says nothing of targets. A line that was cut short is a push forgotten.
"""

import hashlib
import os
from pathlib import Path

from irqcost.base import files

_LENGTH = 32


def key(target: str, machine: str, content: bytes) -> str:
    """What the record of a result file at a target is known by."""
    parts = (target.encode(), machine.encode(), hashlib.sha256(content).digest())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:_LENGTH]


class Ledger:
    """The keys in a file; with `forget` as if there were none yet."""

    def __init__(self, path: Path, forget: bool = False) -> None:
        self._path = path
        try:
            lines = (
                [] if forget else path.read_text(encoding="ascii", errors="replace").splitlines()
            )
        except FileNotFoundError:
            lines = []
        self._keys = {line for line in lines if len(line) == _LENGTH}

    def __contains__(self, one: str) -> bool:
        return one in self._keys

    def add(self, one: str) -> None:
        """Notes a key, on the disk."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with files.made(self._path.parent):
            descriptor = os.open(self._path, flags, 0o600)
        try:
            # After a line that was cut short a new one begins.
            os.write(descriptor, f"\n{one}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._keys.add(one)
