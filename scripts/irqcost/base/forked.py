# SPDX-License-Identifier: GPL-2.0-only
"""Work for all CPUs of this process, in processes that begin as copies of it."""

import ctypes
import gc
import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from irqcost.base.errors import IrqcostError

T = TypeVar("T")
R = TypeVar("R")

_FORK = multiprocessing.get_context("fork")
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Workers:
    """Processes that wait for work; without any, this one does it.

    No threads here, unlike in the pools of Python's library: while there are some it is not safe to
    fork, and these processes are begun before others are.
    """

    def __init__(self) -> None:
        self._processes: list[BaseProcess] = []
        self._connections: list[Connection] = []

    def __len__(self) -> int:
        return len(self._processes)

    def each(
        self, function: Callable[[T], R], items: Sequence[T], at_a_time: int = 1
    ) -> Iterator[R]:
        """What `function` makes of each item, in their order; a process is handed `at_a_time` of
        them. Functions, items and what is made of them are pickled.

        Raises what `function` raised, and IrqcostError where a process ended before its work;
        before that all processes are ended, so that none goes on with what nobody waits for.
        """
        if not self._connections:
            yield from map(function, items)
            return
        parts = [items[i : i + at_a_time] for i in range(0, len(items), at_a_time)]
        waiting = iter(enumerate(parts))
        busy: dict[Connection, int] = {}
        done: dict[int, list[R]] = {}

        def give(connection: Connection) -> None:
            for place, part in waiting:
                busy[connection] = place
                with _alive():
                    connection.send((function, part))
                return

        try:
            for connection in self._connections:
                give(connection)
            following = 0
            while busy:
                for found in wait(list(busy)):
                    assert isinstance(found, Connection)
                    done[busy[found]] = _answer(found)
                    del busy[found]
                    give(found)
                while following in done:
                    yield from done.pop(following)
                    following += 1
        finally:
            if busy:  # Left early.
                self.end()

    def end(self) -> None:
        """Ends the processes, whatever they do."""
        for connection in self._connections:
            connection.close()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join()
        self._connections.clear()
        self._processes.clear()

    def begin(self, count: int, ready: Callable[[], object]) -> None:
        """Begins so many processes, which first get `ready` for their work."""
        for _ in range(count):
            ours, theirs = _FORK.Pipe()
            # A copy of our end in another process would hide that this one has ended.
            others = [*self._connections, ours]
            process = _FORK.Process(target=_serve, args=(theirs, others, ready), daemon=True)
            # A signal that it took as this process does would be lost, or shown as an error.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
            try:
                process.start()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()
            self._processes.append(process)
            self._connections.append(ours)


@contextmanager
def _alive() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError) as error:
        raise IrqcostError("a process ended before its work was done (out of memory?)") from error


def _answer(connection: Connection) -> Any:
    with _alive():
        fine, answer = connection.recv()
    if not fine:
        raise answer
    return answer


@contextmanager
def workers(ready: Callable[[], object], most: int | None = None) -> Iterator[Workers]:
    """A process for each CPU that this one may use, but not more than `most`; they get `ready`
    while this process goes on. With one CPU there are none."""
    cpus = len(os.sched_getaffinity(0))
    count = cpus if most is None else min(cpus, most)
    found = Workers()
    try:
        if count > 1:
            found.begin(count, ready)
        yield found
    finally:
        found.end()


def each(function: Callable[[T], R], items: Sequence[T], at_a_time: int = 1) -> Iterator[R]:
    """Workers.each() on all CPUs, for items that are read: many, and without cycles."""
    with workers(_spare, -(-len(items) // at_a_time)) as found:
        yield from found.each(function, items, at_a_time)


def _attempted(function: Callable[[Any], Any], items: Sequence[Any]) -> tuple[bool, object]:
    """Whether all went well, and what came of it: the answers, or an error with its place."""
    try:
        return True, [function(item) for item in items]
    except Exception as error:
        error.add_note(traceback.format_exc())
        return False, error


def _serve(
    connection: Connection, others: Sequence[Connection], ready: Callable[[], object]
) -> None:
    """The life of a worker. It ends with the process that it works for: by SIGTERM, or as the pipe
    ends. Ctrl-C, which reaches all, is for that one."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    for other in others:
        other.close()
    ready()
    try:
        while True:
            function, items = connection.recv()
            connection.send(_attempted(function, items))
    except (EOFError, OSError):
        pass


# Of mallopt(3), and so many bytes.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT = 32 << 20


def _spare() -> None:
    """Spares a worker what takes time for nothing.

    Documents have no cycles, which are looked for in millions of objects. And what is freed after
    an item is kept for the next one by the C library (glibc; others have no mallopt): given back to
    the kernel it comes anew page by page, which took 8 % of the time.
    """
    gc.disable()
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _KEPT)
        mallopt(_M_TRIM_THRESHOLD, _KEPT)
