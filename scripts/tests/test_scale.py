# SPDX-License-Identifier: GPL-2.0-only
"""Thousands of result files, by what does not depend on how fast a machine is: which files are
opened, what of them is kept, and how much is shown."""

import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from irqcost import ROOT, cli
from irqcost.base import jsontext, progress
from irqcost.compare import columns, reading
from irqcost.model import index, store
from results import changed, document


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index of this test alone, used from the first file on, for files of any age."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(index, "WORTH", 1)
    monkeypatch.setattr(index, "_SETTLED_NS", 0)
    # In this process, so that it is seen which files are opened.
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})


def run_of(day: int, target: Path, microcode: str = "0x1") -> Path:
    def change(content: Any) -> None:
        content["context"]["date"] = f"2026-01-{day:02}T00:00:00+00:00"
        content["context"]["irqcost"]["cpu"]["microcode"] = microcode

    return changed("alpha", target, change)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty runs of a machine."""
    made = tmp_path / "results"
    made.mkdir()
    for day in range(1, 21):
        run_of(day, made / f"{day:02}.json")
    return made


_watchers: list[Callable[[str], None]] = []


def _on_event(event: str, arguments: Any) -> None:
    if event == "open" and _watchers and isinstance(arguments[0], (str, bytes, os.PathLike)):
        _watchers[-1](os.fsdecode(arguments[0]))


@pytest.fixture
def opened(folder: Path) -> Iterator[list[Path]]:
    """The result files that this process opened."""
    if not _watchers:
        sys.addaudithook(_on_event)
    seen: list[Path] = []

    def note(name: str) -> None:
        if Path(name).parent == folder:
            seen.append(Path(name))

    _watchers.append(note)
    yield seen
    _watchers[-1] = lambda _: None


def test_the_second_time_no_file_is_opened(
    folder: Path, tmp_path: Path, opened: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.json").write_text("{")
    opened.clear()
    assert cli.main(["compare", "--no-chart", str(folder)]) == 2
    first = capsys.readouterr()
    assert sorted(opened) == sorted(folder.iterdir())
    opened.clear()
    assert cli.main(["compare", "--no-chart", str(folder)]) == 2
    second = capsys.readouterr()
    assert second.out == first.out
    # What is no result is named each time, and not read each time.
    assert "bad.json: truncated" in second.err
    assert cli.main(["history", "--no-chart", str(folder)]) == 0
    assert opened == []
    # The guard asks the runs that it compares for their processes, and no other.
    new = run_of(28, tmp_path / "new.json")
    cli.main(["check", "--baseline", str(folder), str(new)])
    assert sorted(opened) == [folder / f"{day}.json" for day in range(16, 21)]
    # A page shows the code of one run a machine.
    opened.clear()
    assert cli.main(["report", str(folder), "-o", str(tmp_path / "page")]) == 2
    assert opened == [folder / "20.json"]
    text = (tmp_path / "page" / "report.md").read_text()
    assert "20 runs" in text
    assert "1 file could not be read" in text


def test_what_is_kept_does_not_grow_with_a_file(folder: Path) -> None:
    one = folder / "01.json"
    size = _kept(one)
    content = json.loads(one.read_text())
    grid = {"origin": 0.5, "width": 0.1, "counts": [1] * 2000}
    for entry in content["benchmarks"]:
        entry["histogram"] = {"unit": "core_cycles", "clean": grid, "contaminated": grid}
    one.write_text(jsontext.dumps(content))
    assert one.stat().st_size > 100_000
    assert _kept(one) == size < 5000


def _kept(one: Path) -> int:
    row = store._parse(one, {})
    assert row.reason == ""
    return sum(len(value) for value in astuple(row))


def test_runs_that_differ_in_their_own_figures_share_what_a_machine_is(tmp_path: Path) -> None:
    def own(number: int) -> Callable[[Any], None]:
        def change(content: Any) -> None:
            ours = content["context"]["irqcost"]
            ours["tsc"] |= {"khz": 2e6 + number, "measured": {"khz": 2e6 + number, "ms": 100.0}}
            reason = f"a nop costs {number} core cycles there"
            ours["backends"]["kvm"] = {"usable": False, "reason": reason, "remedy": "none"}
            ours["absent"] = [{"name": "kvm", "reason": reason}]

        return change

    for number in range(5):
        changed("alpha", tmp_path / f"{number}.json", own(number))
    records = store.read([tmp_path]).records
    assert len({id(record.shared) for record in records}) == 1
    for number, record in enumerate(records):
        context = record.context
        assert context.tsc_khz == 2e6 + number
        assert context.absent[0].reason == f"a nop costs {number} core cycles there"
        assert [one.reason for one in context.backends if one.name == "kvm"] == [
            f"a nop costs {number} core cycles there"
        ]


def test_of_many_bad_files_some_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(50):
        (folder / f"bad-{number:02}.json").write_text("{")
    for command, code in (("compare", 2), ("history", 0)):
        assert cli.main([command, "--no-chart", str(folder)]) == code
        lines = capsys.readouterr().err.splitlines()
        named = [line for line in lines if "bad-" in line]
        assert len(named) == 20 and "bad-00.json: truncated" in named[0]
        assert "irqcost: left out: 30 more files" in lines


def test_a_file_of_another_schema_is_named(folder: Path) -> None:
    def newer(content: Any) -> None:
        content["context"]["irqcost"]["schema"] = 3

    changed("alpha", folder / "newer.json", newer)
    for _ in range(2):
        (error,) = store.read([folder]).errors
        assert error.path.name == "newer.json"
        assert error.reason == "schema 3, but this irqcost reads schema 2"


def test_a_bad_file_that_was_mended_is_read(folder: Path) -> None:
    one = folder / "01.json"
    whole = one.read_text()
    one.write_text(whole[:100])
    assert len(store.read([folder]).errors) == 1
    one.write_text(whole)
    loaded = store.read([folder])
    assert (len(loaded.records), loaded.errors) == (20, [])


def test_where_no_index_can_be_made(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Nobody may make a file there, not even root.
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/irqcost")
    assert len(store.read([folder]).records) == 20
    assert "no index, so the next look takes as long" in capsys.readouterr().err


def test_an_index_that_another_command_holds(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(index, "_PATIENCE", 0.01)
    store.read([folder])
    with sqlite3.connect(index.place(), isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert len(store.read([folder]).records) == 20
        assert "locked" in capsys.readouterr().err
        other.execute("ROLLBACK")
    assert len(store.read([folder]).records) == 20
    assert capsys.readouterr().err == ""


# A process that reads a folder three times, as those of this file do.
_READER = """\
import os, sys
from pathlib import Path
from irqcost.model import index, store

index.WORTH, index._SETTLED_NS = 1, 0
os.sched_getaffinity = lambda _: {0}
print(*(len(store.read([Path(sys.argv[1])]).records) for _ in range(3)))
"""


def test_commands_at_once(folder: Path, opened: list[Path]) -> None:
    command = [sys.executable, "-c", _READER, folder]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert [one.communicate()[0] for one in running] == ["20 20 20\n"] * 4
    opened.clear()
    assert len(store.read([folder]).records) == 20
    assert opened == []


def test_more_machines_than_can_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machines = reading.MOST_COLUMNS + 3
    for number in range(machines):
        run_of(1, tmp_path / f"{number:02}.json", f"0x{number}")
    run_of(2, tmp_path / "last.json", f"0x{machines - 1}")
    read = reading.columns([tmp_path], None, None, None)
    assert len(read.columns) == reading.MOST_COLUMNS
    # That with most results is the first; what tells them apart is in their names.
    assert len(read.columns[0].paths) == 2
    assert read.columns[0].series.name == f"microcode 0x{machines - 1}"
    assert read.beyond.startswith("3 results of 3 more machines are not shown")
    assert read.beyond in capsys.readouterr().err
    # Who asks for all has all.
    asked = reading.columns([tmp_path], None, "machine", None)
    assert (len(asked.columns), asked.beyond) == (machines, "")


def test_medians_of_machines_are_medians(folder: Path) -> None:
    (one,) = columns.of_groups(columns.groups(store.read([folder]).records, "machine"), {})
    entry = one.result.figures["ring3/popf/throughput"]
    alpha = {item["name"]: item for item in document("alpha")["benchmarks"]}
    assert entry.core_cycles == alpha["ring3/popf/throughput"]["core_cycles"]
    assert entry.samples == 20


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_on_a_terminal_and_a_line_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {}
    for kind in (Terminal, io.StringIO):
        monkeypatch.setattr(sys, "stderr", kind())
        with progress.Progress("reading 3 result files") as bar:
            for done in (1, 2, 3):
                bar.count(done, 3, "a.json")
        shown[kind] = sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert re.search(r"reading 3 result files: .*\| 0/3 ", shown[Terminal])
    assert shown[io.StringIO] == "reading 3 result files …\n"


def test_results_are_written_small() -> None:
    grid = {"origin": 1.0, "counts": [[0, 1], [1, 2]]}
    text = jsontext.dumps({"a": [1, 2], "b": [grid, grid], "c": grid, "d": ["x", {"e": [[1]]}]})
    assert '"a": [1,2],\n' in text
    assert '\n  "b": [\n    {"origin":1.0,"counts":[[0,1],[1,2]]},\n    {"origin":1.0,' in text
    assert '\n  "c": {\n    "origin": 1.0,\n    "counts": [[0,1],[1,2]]\n  },' in text
    assert json.loads(text)["b"] == [grid, grid]


def test_any_code_that_reads_results_makes_the_index_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Path(index.__file__).parent
    copied = tmp_path / "model"
    shutil.copytree(own, copied)
    monkeypatch.setattr(index, "__file__", str(copied / "index.py"))
    before = index._code()
    for name in ("schema1.py", "parsing.py", "machine_code/masking.py"):
        with (copied / name).open("a", encoding="utf-8") as file:
            file.write("# changed\n")
        assert index._code() != before, name
        before = index._code()
