# SPDX-License-Identifier: GPL-2.0-only
"""Ctrl-C and its likes end a command with a sentence and the code 130, whenever they come: while
modules are loaded, while it works, while it cleans up, and when it is done."""

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

from irqcost.base.errors import Exit

_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
_SENTENCE = "irqcost: interrupted; nothing was kept"


def _handle(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in _SIGNALS:
        # nohup has SIGHUP ignored, and shells SIGINT in the background: that stays.
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


def end_at_once() -> None:
    """From the first line on: nothing is there to be cleaned up. The front had the signals wait
    for this."""
    _handle(_end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _end(_number: int, _frame: FrameType | None) -> None:
    try:
        os.write(2, f"{_SENTENCE}\n".encode())
    finally:
        os._exit(Exit.INTERRUPTED)


def guarded(command: Callable[[], int]) -> int:
    """What a command returns, or the code of one that was interrupted, when it has cleaned up."""
    _handle(_interrupt)
    try:
        return command()
    except KeyboardInterrupt:
        print(_SENTENCE, file=sys.stderr)
        return Exit.INTERRUPTED
    finally:
        _handle(signal.SIG_IGN)  # What is left is to end.


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    _handle(signal.SIG_IGN)  # Cleaning up is not to be interrupted in its turn.
    raise KeyboardInterrupt
