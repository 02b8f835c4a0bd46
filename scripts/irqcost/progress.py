# SPDX-License-Identifier: GPL-2.0-only
"""One line on standard error that says what is going on: overwritten in place on a terminal."""

import shutil
import sys
import time
from types import TracebackType


class Progress:
    """Shows `title: text`. Without a terminal only the title is printed, once."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._terminal = sys.stderr.isatty()
        self._started = time.monotonic()

    def __enter__(self) -> "Progress":
        if self._terminal:
            self.show("")
        else:
            print(f"{self._title} …", file=sys.stderr, flush=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._terminal:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()

    def show(self, text: str) -> None:
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write("\r\033[K" + f"{self._title}: {text}"[:width])
            sys.stderr.flush()

    def count(self, done: int, total: int, now: str) -> None:
        """`done` of `total` are done and `now` is next, with the time that the rest will take."""
        left = ""
        if done:
            seconds = (time.monotonic() - self._started) / done * (total - done)
            left = f", {seconds:.0f} s left"
        self.show(f"{done} of {total}{left}: {now}")
