# SPDX-License-Identifier: GPL-2.0-only
"""One line on standard error that says what is going on: overwritten in place on a terminal."""

import shutil
import sys
from types import TracebackType
from typing import Any


class Progress:
    """Shows `title: text`, or a bar. Without a terminal only the title is printed, once."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._terminal = sys.stderr.isatty()
        self._bar: Any = None

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
        if self._bar is not None:
            self._bar.close()
        if self._terminal:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()

    def show(self, text: str) -> None:
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write("\r\033[K" + f"{self._title}: {text}"[:width])
            sys.stderr.flush()

    def count(self, done: int, total: int, now: str) -> None:
        """`done` of `total` are done and `now` is next: a bar, with the time that the rest will
        take."""
        if not self._terminal:
            return
        if self._bar is None:
            from tqdm import tqdm  # Only where there is a bar to be drawn.

            options: dict[str, Any] = {
                "leave": False,
                "dynamic_ncols": True,
                "file": sys.stderr,
            }
            self._bar = tqdm(desc=self._title, total=total, **options)
        self._bar.set_postfix_str(now, refresh=False)
        self._bar.update(done - self._bar.n)
