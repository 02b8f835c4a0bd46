# SPDX-License-Identifier: GPL-2.0-only
"""One line on a terminal that says what goes on; nothing anywhere else."""

import shutil
import sys
from typing import TextIO


class Progress:
    """Shows the current stage on a terminal, in place. A pipe or a file sees nothing."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream
        self._shown = stream.isatty()

    def stage(self, text: str) -> None:
        """Replace the line by @text."""
        if self._shown:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(f"\r\033[K{text[:width]}")
            self._stream.flush()

    def clear(self) -> None:
        """Remove the line, before other output."""
        self.stage("")
