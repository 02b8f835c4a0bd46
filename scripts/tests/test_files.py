# SPDX-License-Identifier: GPL-2.0-only
"""Reading what is no result, and writing that fails."""

import errno
import os
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from irqcost.base import files
from irqcost.base.errors import IrqcostError, ResultError
from irqcost.model import filenames, reader
from irqcost.model.result import Cpu
from results import changed, path, result


def test_a_result_is_read() -> None:
    alpha = result("alpha")
    assert alpha.context.cpu.brand == "Test CPU Alpha @ 2.45GHz"
    assert alpha.context.execution == "bare-metal"
    assert alpha.context.kernel.config is None
    assert [backend.name for backend in alpha.context.backends] == ["ring3", "kmod"]
    assert not alpha.context.backends[1].usable
    popf = alpha.figures["ring3/popf/throughput"]
    assert (popf.core_cycles, popf.ticks, popf.samples) == (13.0, 9.8113, 200)
    assert not popf.unreliable and alpha.figures["ring3/sahf/throughput"].unreliable
    assert result("exact").figures["kmod/cli_sti/isolated"].core_cycles is None


def entry(key: str, value: object) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        content["benchmarks"][0][key] = value

    return change


def ours(key: str, value: object) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        content["context"]["irqcost"][key] = value

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (ours("schema", 3), "schema 3, but this irqcost reads schema 2"),
        (ours("execution", {"kind": "dreamt", "reason": ""}), "none of bare-metal"),
        (ours("instruction_clock", 1), "instruction_clock is not true or false"),
        (lambda c: c["context"]["irqcost"].pop("tsc"), "context.irqcost.tsc is missing"),
        (lambda c: c["context"].pop("irqcost"), "of another program"),
        (lambda c: c.pop("context"), "not a result"),
        (lambda c: c.update(benchmarks={}), "benchmarks is not a list"),
        (entry("ticks", float("nan")), "NaN is no figure"),
        (entry("ticks", float("-inf")), "-Infinity is no figure"),
        (lambda c: c["benchmarks"].append(c["benchmarks"][0]), "stands twice"),
        (entry("ticks", "1.0"), r"benchmarks\[0\].ticks is not a number"),
        (entry("ticks", True), r"benchmarks\[0\].ticks is not a number"),
        (entry("ticks", 10**400), "not a finite number"),
        (entry("ticks", 1e308), r"benchmarks\[0\].ticks is 1e\+308: no figure is so great"),
        (
            lambda c: c["context"]["irqcost"]["backends"].update({"\x1b[2J": 1}),
            "backends has the key \ufffd.2J, which is no name",
        ),
        (entry("spread", -1), r"benchmarks\[0\].spread is below 0"),
        (
            lambda c: c["benchmarks"][0].update(ticks_low=1e9, ticks_high=2e9),
            r"benchmarks\[0\].ticks is not from ticks_low to ticks_high",
        ),
        (entry("run_name", "ring3/popf"), "not named backend/probe/mode"),
        (entry("run_name", "ring3//isolated"), "not named backend/probe/mode"),
        (entry("time_unit", "us"), "another time_unit"),
        (entry("run_type", "guess"), "unknown run_type"),
    ],
)
def test_one_thing_wrong(tmp_path: Path, change: Callable[[Any], None], reason: str) -> None:
    wrong = changed("alpha", tmp_path / "wrong.json", change)
    with pytest.raises(ResultError, match=reason) as raised:
        reader.read_result(wrong)
    assert str(raised.value).startswith(f"{wrong}: ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"\n \n", "empty file"),
        (b"<html>", "not JSON: .+ in line 1, column 1$"),
        (b"\xff\xfe{}", "no UTF-8 text at byte 0"),
        (b"[]", "not a result"),
        (b"7", "not a result"),
        (b"[" * 200000, "nested too deeply"),
        (b'{"context": ' + b"1" * 5000 + b"}", "a number that cannot be read"),
    ],
)
def test_foreign_content(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(ResultError, match=reason):
        reader.read_result(tmp_path / "x.json")


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    whole = path("alpha").read_bytes().rstrip()
    cut = tmp_path / "cut.json"
    for length in range(1, len(whole), 97):
        cut.write_bytes(whole[:length])
        with pytest.raises(ResultError, match="truncated|not JSON"):
            reader.read_result(cut)


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, reason in (("pipe", "not a regular"), (".", "not a regular"), ("none", "No such")):
        with pytest.raises(ResultError, match=reason):
            reader.read_result(tmp_path / name)


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(reader.max_result_bytes() + 1)
    with pytest.raises(ResultError, match="no result is larger than"):
        reader.read_result(large)


def test_folders_are_searched(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "a" / "b" / "x.json").touch()
    (tmp_path / "a" / "x.png").touch()
    found, errors = reader.find_results([tmp_path / "a", tmp_path / "empty", tmp_path / "none"])
    assert found == [tmp_path / "a" / "b" / "x.json", tmp_path / "none"]
    assert [error.path for error in errors] == [tmp_path / "empty"]


def test_repetitions_are_their_median(tmp_path: Path) -> None:
    def repeat(content: Any) -> None:
        first = content["benchmarks"][0]
        more = [dict(first, ticks=ticks, repetition_index=i) for i, ticks in enumerate((9, 7, 8))]
        content["benchmarks"] = more

    def aggregate(content: Any) -> None:
        repeat(content)
        first = dict(content["benchmarks"][0], run_type="aggregate", name="other")
        content["benchmarks"].append(dict(first, aggregate_name="mean", ticks=70))
        content["benchmarks"].append(dict(first, aggregate_name="median", ticks=80))

    name = "ring3/empty/throughput"
    for change, ticks in ((repeat, 8), (aggregate, 80)):
        figures = reader.read_result(changed("alpha", tmp_path / "r.json", change)).figures
        assert {name: entry.ticks for name, entry in figures.items()} == {name: ticks}


def test_failed_benchmarks_are_absent(tmp_path: Path) -> None:
    def fail(content: Any) -> None:
        first = content["benchmarks"][0]
        failed = {"error_occurred": True, "error_message": "broken", "name": first["name"]}
        content["benchmarks"] = [failed]

    read = reader.read_result(changed("alpha", tmp_path / "f.json", fail))
    assert not read.entries
    assert read.context.absent[-1].reason == "broken"


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_written_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "x.json"
    with files.written_whole(target) as partial:
        partial.write_text("content")
        assert not target.exists()
    assert target.read_text() == "content"
    assert names(target.parent) == ["x.json"]


def test_nothing_is_left_of_what_failed(tmp_path: Path) -> None:
    for error in (KeyboardInterrupt, ValueError):
        with pytest.raises(error), files.written_whole(tmp_path / "x.json") as partial:
            partial.write_text("half")
            raise error
    assert not names(tmp_path)


def test_an_existing_file_stays(tmp_path: Path) -> None:
    target = tmp_path / "x.json"
    target.write_text("first")
    with pytest.raises(IrqcostError, match="exists, and is never overwritten"):
        with files.written_whole(target):
            pytest.fail("the work was begun")
    with files.written_whole(target, replace=True) as partial:
        partial.write_text("second")
    assert target.read_text() == "second"


def no_space(*_arguments: object, **_options: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["posix_fallocate", "fsync", "link"])
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    monkeypatch.setattr(os, call, no_space)
    with pytest.raises(IrqcostError, match="x.json: cannot be written: No space left"):
        with files.written_whole(tmp_path / "x.json") as partial:
            assert call != "posix_fallocate", "the work was begun"
            partial.write_text("content")
    assert not names(tmp_path)


def test_a_disk_that_fills_in_the_work(tmp_path: Path) -> None:
    with pytest.raises(IrqcostError, match="x.json: cannot be written: No space left"):
        with files.written_whole(tmp_path / "x.json"):
            Path("/dev/full").write_text("content")
    assert not names(tmp_path)


def test_places_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cases = [
        (tmp_path / "file" / "x.json", "cannot be written: "),
        (tmp_path, "is a folder"),
        (Path("/proc/irqcost/x.json"), "cannot be written: "),
    ]
    for target, reason in cases:
        with pytest.raises(IrqcostError, match=reason), files.written_whole(target):
            pytest.fail("the work was begun")


@pytest.mark.parametrize(
    ("brand", "numbers", "slug"),
    [
        ("Intel(R) Xeon(R) Processor", (6, 207, 2), "intel-xeon-06-cf-02"),
        ("Intel(R) Core(TM) i7-8700 CPU @ 3.20GHz", (6, 158, 10), "intel-core-i7-8700-06-9e-0a"),
        ("AMD EPYC 7B13", (25, 1, 1), "amd-epyc-7b13-19-01-01"),
        ("../../x", (6, None, None), "x-06"),
        (None, (None, None, None), "genuine-test"),
    ],
)
def test_cpu_slug(brand: str | None, numbers: tuple[int | None, ...], slug: str) -> None:
    cpu = Cpu("Genuine Test", brand, None, *numbers, microcode=None, measured=None)
    assert filenames.cpu_slug(cpu) == slug


def test_default_path_is_in_utc() -> None:
    when = datetime(2026, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    place = filenames.default_path(Cpu(None, "X", None, 6, 1, 2, None, None), "6.1.0-rt", when)
    assert place.parts[-3:] == ("results", "x-06-01-02", "2025-12-31T233000Z-6.1.0-rt.json")


def test_of_two_at_once_the_first_to_end_stays(tmp_path: Path) -> None:
    target = tmp_path / "x.json"
    with pytest.raises(IrqcostError, match="another command wrote it meanwhile"):
        with files.written_whole(target) as late:
            late.write_text("late")
            # Another process makes another temporary file.
            (tmp_path / "other").write_text("early")
            (tmp_path / "other").rename(target)
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.json"]
    assert target.read_text() == "early"


def test_a_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **_options: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    with files.written_whole(tmp_path / "x.json") as partial:
        partial.write_text("whole")
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.json"]
    assert (tmp_path / "x.json").read_text() == "whole"


def test_texts_hold_nothing_that_a_terminal_obeys(tmp_path: Path) -> None:
    name = "X\x1b]0;title\x07\nY\ud800\u202eZ 1 µs"

    def change(content: Any) -> None:
        content["context"]["irqcost"]["cpu"]["brand"] = name
        content["benchmarks"][0]["label"] = name

    odd = reader.read_result(changed("alpha", tmp_path / "odd.json", change))
    shown = "X\ufffd]0;title\ufffd\ufffdY\ufffd\ufffdZ 1 µs"
    assert odd.context.cpu.brand == shown and odd.entries[0].label == shown
