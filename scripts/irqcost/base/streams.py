# SPDX-License-Identifier: GPL-2.0-only
"""Standard output and error that may be closed, full, or a pipe that nobody reads any more.

What a command found out, and the files that it wrote, must not depend on them.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO


class Sure:
    """A text stream that ignores all output after its first failure, which it remembers."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.failure: OSError | None = None

    def write(self, text: str) -> int:
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def _try(self, act: Any) -> None:
        if self.failure is not None:
            return
        try:
            act()
        except OSError as error:
            self.failure = error
            self._discard()

    def _discard(self) -> None:
        """Lets the interpreter flush at its exit what could not be written."""
        try:
            descriptor = self._stream.fileno()
        except (OSError, ValueError):  # Not a file.
            return
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, descriptor)
        os.close(nothing)

    @property
    def lost(self) -> str:
        """Why output was lost; "" where all arrived, or the reader (head, less) wanted no more."""
        if self.failure is None or self.failure.errno == errno.EPIPE:
            return ""
        return self.failure.strerror or str(self.failure)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def guarded() -> Iterator[tuple[Sure, Sure]]:
    """Yields standard output and error, which are Sure while the block runs, and flushed after."""
    _open_the_closed()
    before = sys.stdout, sys.stderr
    sure = Sure(sys.stdout), Sure(sys.stderr)
    sys.stdout, sys.stderr = sure  # type: ignore[assignment]
    try:
        yield sure
    finally:
        for one in sure:
            one.flush()
        sys.stdout, sys.stderr = before


def _open_the_closed() -> None:
    """Gives closed standard streams to /dev/null: else the next file that is opened would get the
    number, and print(file=None) would write to standard output."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is this one, as all below it are open.
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            mode = "r" if number == 0 else "w"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))
