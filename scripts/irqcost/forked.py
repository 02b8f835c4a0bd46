# SPDX-License-Identifier: GPL-2.0-only
"""Work for all CPUs of this process, in processes that begin as copies of it."""

import ctypes
import gc
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from irqcost.errors import IrqcostError

T = TypeVar("T")
R = TypeVar("R")

# What the processes work with: they have it from the beginning, so that it may be any function.
_function: Callable[[Any], Any] | None = None


def each(function: Callable[[T], R], items: Sequence[T], at_a_time: int = 1) -> Iterator[R]:
    """What `function` makes of each item, in their order; a process is handed `at_a_time` of them.

    On one CPU this process does it. Raises IrqcostError where a process ends before its work.
    """
    processes = min(len(os.sched_getaffinity(0)), len(items))
    if processes <= 1:
        yield from map(function, items)
        return
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(processes, fork, initializer=_begin, initargs=(function,)) as pool:
        try:
            yield from pool.map(_call, items, chunksize=at_a_time)
        except BrokenProcessPool as error:
            raise IrqcostError(
                "a process ended before its work was done (out of memory?)"
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _begin(function: Callable[[Any], Any]) -> None:
    global _function
    _function = function
    # Documents have no cycles: looking for them in millions of objects is time for nothing.
    gc.disable()
    _keep_memory()


# Of mallopt(3), and so many bytes.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT = 32 << 20


def _keep_memory() -> None:
    """Has the C library (glibc; others have no mallopt) keep for the next item what is freed after
    one: given back to the kernel it comes anew page by page, which took 8 % of the time."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _KEPT)
        mallopt(_M_TRIM_THRESHOLD, _KEPT)


def _call(item: Any) -> Any:
    assert _function is not None
    return _function(item)
