# SPDX-License-Identifier: GPL-2.0-only
"""Where work on many files is done: by an Executor of Python's library.

Usually that is processes of this machine; with --scheduler it is a Dask cluster, which sees files
and this checkout under the same paths. Whoever takes an Executor needs to know of neither.
"""

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from irqcost import ROOT
from irqcost.base.errors import IrqcostError
from irqcost.base.safety.surroundings import nothing_around

T = TypeVar("T")
R = TypeVar("R")

_DIED = "a process ended before its work was done (out of memory?)"


class Here(Executor):
    """Does in this process what it is handed, each when its answer is asked for."""

    def submit(self, function: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        future: Future[R] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future

    def map(
        self,
        function: Callable[..., R],
        *iterables: Any,
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Iterator[R]:
        return map(function, *iterables)


def each(
    executor: Executor, function: Callable[[T], R], items: Sequence[T], at_a_time: int
) -> Iterator[R]:
    """What `function` makes of each item, in their order; `at_a_time` of them are one task."""
    parts = [items[i : i + at_a_time] for i in range(0, len(items), at_a_time)]
    for answers in executor.map(_all, [function] * len(parts), parts):
        yield from answers


def _all(function: Callable[[T], R], items: Sequence[T]) -> list[R]:
    return [function(item) for item in items]


def found(scheduler: str | None, preload: Sequence[str] = ()) -> AbstractContextManager[Executor]:
    """The executor that the user asked for: that of a cluster, or by default processes()."""
    return processes(preload=preload) if scheduler is None else cluster(scheduler)


@contextmanager
def processes(most: int | None = None, preload: Sequence[str] = ()) -> Iterator[Executor]:
    """A process for each CPU that this one may use, but not more than `most`; they begin when there
    is work, with the modules of `preload` where they are this process's first. With one CPU there
    are none."""
    cpus = len(os.sched_getaffinity(0))
    count = cpus if most is None else min(cpus, most)
    if count < 2:
        yield Here()
        return
    # A copy of a process without threads, which is safe to make and has the modules loaded.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *preload])
    pool = _Pool(count, context, _begin)
    try:
        yield pool
    except BrokenProcessPool as error:
        raise IrqcostError(_DIED) from error
    finally:
        # What is left unasked for is not done.
        pool.shutdown(cancel_futures=True)


class _Pool(ProcessPoolExecutor):
    """Processes that begin with what a terminal sends blocked: it reaches all of them, and is for
    the one that they work for. They end with that one."""

    def __init__(self, *args: Any) -> None:
        with _unreached():  # A process that keeps account of the others begins here.
            super().__init__(*args)

    def submit(self, function: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        with _unreached():
            return super().submit(function, *args, **kwargs)


@contextmanager
def _unreached() -> Iterator[None]:
    # An end from outside, too, waits until a process that began is known here.
    numbers = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """The beginning of a worker; it ends with the process that it works for, however that ends."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM,))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Documents have no cycles, which would be looked for in millions of objects.
    gc.disable()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


# What a worker of a cluster runs first: it finds this checkout, or says that it does not.
_REACH = f"""
import sys
if {str(ROOT / "scripts")!r} not in sys.path:
    sys.path.insert(0, {str(ROOT / "scripts")!r})
import irqcost.base.executors
"""


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """The workers of a Dask cluster, by the address of its scheduler. Raises IrqcostError."""
    try:
        with nothing_around():
            from distributed import Client, KilledWorker
    except ImportError as error:
        raise IrqcostError("--scheduler needs Dask: install python3-distributed") from error
    where = f"--scheduler {address}"
    try:
        client = Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise IrqcostError(f"{where}: {error}") from error
    with client:
        if not client.scheduler_info()["workers"]:
            raise IrqcostError(f"{where}: this cluster has no workers")
        try:
            client.run(exec, _REACH)
            # Newer schedulers read tasks, too.
            client.run_on_scheduler(exec, _REACH)
        except ImportError as error:
            raise IrqcostError(
                f"{where}: the cluster does not find irqcost in {ROOT}: {error}"
            ) from error
        try:
            # Files change: what was read once says nothing of the next time.
            yield client.get_executor(pure=False)
        except (KilledWorker, CancelledError) as error:
            raise IrqcostError(f"{where}: {_DIED}") from error
