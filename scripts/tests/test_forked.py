# SPDX-License-Identifier: GPL-2.0-only
"""Work in processes of its own: order, errors, deaths, and that none is left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from irqcost import ROOT
from irqcost.base import forked
from irqcost.base.errors import IrqcostError, ResultError
from irqcost.model import reader


@pytest.fixture(autouse=True)
def cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three CPUs, however many there are."""
    monkeypatch.setattr(forked.os, "sched_getaffinity", lambda _: {0, 1, 2})


def identity(item: int) -> tuple[int, int]:
    # The first ones end last.
    time.sleep(0.05 if item < 3 else 0)
    return item, os.getpid()


def endless_but_the_first(item: int) -> int:
    # However slow this machine is, the others' work is not done when the first's is.
    while item:
        signal.pause()
    return item


def divided(item: int) -> float:
    return 1 / item


def killed(item: int) -> int:
    if item == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


@pytest.mark.parametrize("at_a_time", [1, 3, 100])
def test_answers_come_in_the_order_of_the_items(at_a_time: int) -> None:
    answers = list(forked.each(identity, range(20), at_a_time))
    assert [item for item, _ in answers] == list(range(20))
    others = {process for _, process in answers}
    assert (others == {os.getpid()}) == (at_a_time == 100)


def test_they_go_on_until_the_end() -> None:
    """Also behind whoever took the last answer and no more; but not who left the work of others."""
    with forked.workers(lambda: None) as workers:
        for _ in range(3):
            pairs = list(zip(range(9), workers.each(identity, range(9))))
            assert [item for _, (item, _) in pairs] == list(range(9))
            assert len(workers) == 3 and os.getpid() not in {process for _, (_, process) in pairs}
        next(workers.each(endless_but_the_first, range(9)))
        assert len(workers) == 0


def test_nothing_to_do() -> None:
    assert list(forked.each(identity, [])) == []
    with forked.workers(lambda: None) as workers:
        assert list(workers.each(identity, [])) == []


def test_errors_come_back_with_their_place() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        list(forked.each(divided, [1, 2, 0, 4]))
    assert "return 1 / item" in "".join(caught.value.__notes__)


def test_a_process_that_dies_is_an_error() -> None:
    with pytest.raises(IrqcostError, match="ended before its work was done"):
        list(forked.each(killed, range(10)))


def test_one_cpu_does_it_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forked.os, "sched_getaffinity", lambda _: {0})
    with forked.workers(lambda: pytest.fail("nobody is to get ready")) as workers:
        assert len(workers) == 0
        assert list(workers.each(identity, [7])) == [(7, os.getpid())]


def test_they_get_ready_before_their_first_work(tmp_path: Path) -> None:
    with forked.workers((tmp_path / "ready").touch, 2) as workers:
        assert len(workers) == 2
        assert list(workers.each(Path.exists, [tmp_path / "ready"])) == [True]


def test_one_that_cannot_get_ready_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    def ready() -> None:
        raise ValueError("no library")

    with forked.workers(ready) as workers:
        for process in workers._processes:
            process.join()  # What is sent to it then is an error of another kind.
        with pytest.raises(IrqcostError, match="ended before its work was done"):
            list(workers.each(identity, range(10)))
        assert len(workers) == 0
    assert "no library" in capfd.readouterr().err


def test_errors_of_two_arguments_come_back(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="none.json: No such file"):
        list(forked.each(reader.read_result, [tmp_path / "none.json"] * 3))


_AT_ONCE = """
import signal
from irqcost.base import forked
forked.os.sched_getaffinity = lambda _: {0, 1}
def ended(*_): raise KeyboardInterrupt
signal.signal(signal.SIGTERM, ended)
for _ in range(100):
    with forked.workers(lambda: None):
        pass
"""


def test_an_end_at_once_does_not_hang() -> None:
    """As where the command line is wrong: with a handler of SIGTERM, as cli.py has one."""
    done = subprocess.run(
        [sys.executable, "-c", _AT_ONCE],
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, b"")


_BAR = """
import io, os, sys
from irqcost.base.progress import Progress
import numpy
sys.stderr = io.StringIO()
sys.stderr.isatty = lambda: True
with Progress("reading") as progress:
    progress.count(1, 2, "a.json")
    assert "/2" in sys.stderr.getvalue()
print(len(os.listdir("/proc/self/task")))
"""


def test_nothing_begins_threads_in_their_master() -> None:
    """Neither a bar nor numpy: a process that has threads must not fork."""
    done = subprocess.run(
        [sys.executable, "-c", _BAR],
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("1\n", "")


_TWO_POOLS = """
import sys, time
from irqcost.base import forked
forked.os.sched_getaffinity = lambda _: {0, 1}
with forked.workers(lambda: None) as one, forked.workers(lambda: None) as two:
    print(*[process.pid for workers in (one, two) for process in workers._processes], flush=True)
    time.sleep(60)
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2][1] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_none_outlives_its_master(end: signal.Signals) -> None:
    master = subprocess.Popen(
        [sys.executable, "-c", _TWO_POOLS],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        text=True,
    )
    assert master.stdout is not None
    pids = list(map(int, master.stdout.readline().split()))
    assert len(pids) == 4 and all(map(alive, pids))
    master.send_signal(end)
    master.wait()
    master.stdout.close()
    # Each is told of it by the end of its pipe: a deadline only for what hangs for good.
    deadline = time.monotonic() + 60
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(alive, pids))
