# SPDX-License-Identifier: GPL-2.0-only
"""Work in processes of their own: order, errors, deaths, and that none is left after."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from irqcost import ROOT
from irqcost.base import executors
from irqcost.base.errors import IrqcostError, ResultError
from irqcost.model import reader


@pytest.fixture(autouse=True)
def cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three CPUs, however many there are."""
    monkeypatch.setattr(executors.os, "sched_getaffinity", lambda _: {0, 1, 2})


def identity(item: int) -> tuple[int, int]:
    # The first ones end last.
    time.sleep(0.05 if item < 3 else 0)
    return item, os.getpid()


def divided(item: int) -> float:
    return 1 / item


def killed(item: int) -> int:
    if item == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def noted(item: tuple[Path, int]) -> None:
    folder, number = item
    (folder / str(number)).touch()
    # The others are still to be begun when the first one's answer is there.
    time.sleep(0.1 if number else 0)


@pytest.mark.parametrize("at_a_time", [1, 3, 100])
def test_answers_come_in_the_order_of_the_items(at_a_time: int) -> None:
    with executors.processes() as pool:
        answers = list(executors.each(pool, identity, range(20), at_a_time))
    assert [item for item, _ in answers] == list(range(20))
    used = {process for _, process in answers}
    assert os.getpid() not in used and (len(used) == 1) == (at_a_time == 100)


def test_nothing_to_do() -> None:
    with executors.processes() as pool:
        assert list(executors.each(pool, identity, [], 4)) == []


def test_errors_come_back_with_their_place() -> None:
    with executors.processes() as pool, pytest.raises(ZeroDivisionError) as caught:
        list(executors.each(pool, divided, [1, 2, 0, 4], 2))
    assert "return 1 / item" in str(caught.value.__cause__)


def test_errors_of_two_arguments_come_back(tmp_path: Path) -> None:
    with executors.processes() as pool, pytest.raises(ResultError, match="none.json: No such file"):
        list(executors.each(pool, reader.read_result, [tmp_path / "none.json"] * 3, 1))


def test_a_process_that_dies_is_an_error() -> None:
    with pytest.raises(IrqcostError, match="ended before its work was done"):
        with executors.processes() as pool:
            list(executors.each(pool, killed, range(10), 1))


@pytest.mark.parametrize("most", [0, 1])
def test_where_one_would_do_there_is_none(most: int) -> None:
    with executors.processes(most) as pool:
        assert list(executors.each(pool, identity, [7], 1)) == [(7, os.getpid())]


def test_one_cpu_does_it_itself_and_no_more_than_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(executors.os, "sched_getaffinity", lambda _: {0})
    with executors.processes() as here:
        done: list[int] = []
        assert next(here.map(lambda item: done.append(item) or item, [7, 8])) == 7
        assert done == [7]
        assert here.submit(divided, 4).result() == 0.25
        with pytest.raises(ZeroDivisionError):
            here.submit(divided, 0).result()


def test_what_nobody_waits_for_is_not_done(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="left"):
        with executors.processes() as pool:
            next(pool.map(noted, [(tmp_path, number) for number in range(200)]))
            raise RuntimeError("left")
    assert len(list(tmp_path.iterdir())) < 100


_TWO_POOLS = """
import os, sys, time
from irqcost.base import executors
executors.os.sched_getaffinity = lambda _: {0, 1}
def nap(_):
    time.sleep(0.2)
    return os.getpid()
if __name__ == "__main__":
    with executors.processes() as one, executors.processes() as two:
        print(*{pid for pool in (one, two) for pid in pool.map(nap, range(8))}, flush=True)
        time.sleep(60)
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2][1] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_none_outlives_its_master(tmp_path: Path, end: signal.Signals) -> None:
    script = tmp_path / "pools.py"
    script.write_text(_TWO_POOLS, "utf-8")
    master = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        text=True,
        # As from a terminal, also where the tests run in the background, without one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert master.stdout is not None
    pids = list(map(int, master.stdout.readline().split()))
    assert len(pids) == 4 and all(map(alive, pids))
    master.send_signal(end)
    master.wait()
    master.stdout.close()
    # Each learns of it by the end of a pipe: a deadline only for what hangs for good.
    deadline = time.monotonic() + 60
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(alive, pids))


def test_a_folder_with_a_module_of_the_library_is_no_danger(tmp_path: Path) -> None:
    """What begins processes must not look for modules where the user stands."""
    for name in ("json", "multiprocessing", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong one')\n", "utf-8")
    results = tmp_path / "results"
    results.mkdir()
    alpha = (ROOT / "scripts" / "tests" / "data" / "alpha.json").read_bytes()
    for number in range(80):
        (results / f"{number}.json").write_bytes(alpha)
    done = subprocess.run(
        [str(ROOT / "irqcost"), "--no-install", "compare", "--no-chart", "results"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )
    assert done.returncode == 0, done.stderr
    assert "80 results" in done.stdout
