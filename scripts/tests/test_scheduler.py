# SPDX-License-Identifier: GPL-2.0-only
"""--scheduler: files read by a Dask cluster, here one of two workers on this machine."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from irqcost import ROOT, cli
from irqcost.base import executors
from irqcost.base.errors import IrqcostError
from irqcost.model import reader, store
from results import path

pytest.importorskip("distributed", reason="Dask is not installed (python3-distributed)")

_CLUSTER = """
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(
        n_workers=2, threads_per_worker=2, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        input()
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with two workers, which know nothing of irqcost and are in a
    folder of their own."""
    folder = tmp_path_factory.mktemp("cluster")
    script = folder / "cluster.py"
    script.write_text(_CLUSTER, "utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(
        [sys.executable, script],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    yield process.stdout.readline().strip()
    process.communicate("\n")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with results, by a relative path, and one file that is not a result."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    results = Path("results")
    results.mkdir()
    for number in range(80):
        shutil.copy(path("alpha"), results / f"{number:02}.json")
    (results / "bad.json").write_text("{", "utf-8")
    return results


def test_work_is_done_by_the_workers(cluster: str) -> None:
    with executors.found(cluster) as workers:
        used = set(workers.map(lambda _: os.getpid(), range(50)))
        assert len(used) == 2 and os.getpid() not in used
        with pytest.raises(FileNotFoundError):
            list(workers.map(os.stat, ["/nonexistent/a"]))


def test_a_cluster_reads_what_this_machine_reads(
    cluster: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise AssertionError("read here")

    here = store.read([folder])
    shutil.rmtree(Path("cache"))
    monkeypatch.setattr(reader, "read_document", none)
    with executors.found(cluster) as workers:
        there = store.read([folder], executor=workers)
        # Nor is it remembered by the workers beyond the change of a file.
        shutil.rmtree(Path("cache"))
        shutil.copy(path("beta"), folder / "00.json")
        changed = store.read([folder], executor=workers)
    assert [one.path for one in there.records] == [one.path for one in here.records]
    assert all(
        np.array_equal(a.values, b.values, equal_nan=True)
        for a, b in zip(here.records, there.records)
    )
    assert [str(one) for one in there.errors] == [str(one) for one in here.errors]
    assert changed.records[0].shared.cpu != there.records[0].shared.cpu
    assert changed.records[1].shared == there.records[1].shared


@pytest.mark.parametrize("command", ["compare --no-chart", "history --no-chart", "report -o out"])
def test_commands_say_the_same(
    command: str, cluster: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.json").unlink()
    said = []
    for more in ([], [f"--scheduler={cluster}"]):
        shutil.rmtree(Path("cache"), ignore_errors=True)
        shutil.rmtree(Path("out"), ignore_errors=True)
        assert cli.main([*command.split(), str(folder), *more]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]


def test_no_scheduler_there(folder: Path) -> None:
    done = subprocess.run(
        [
            *(str(ROOT / "irqcost"), "--no-install", "compare", "--no-chart"),
            *("--scheduler=tcp://127.0.0.1:1", str(folder)),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("irqcost: --scheduler tcp://127.0.0.1:1: ")
    assert done.stderr.count("\n") == 1


def test_no_address() -> None:
    with pytest.raises(IrqcostError, match="--scheduler nonsense://: "):
        with executors.found("nonsense://"):
            pass


def test_without_dask() -> None:
    code = "import sys; sys.modules['distributed'] = None\nfrom irqcost import cli\n"
    code += "sys.exit(cli.main(['compare', '--scheduler=tcp://x:1', '.']))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr == "irqcost: --scheduler needs Dask: install python3-distributed\n"
