# SPDX-License-Identifier: GPL-2.0-only
"""Many results at once, and the index: never believed against the files."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from irqcost.base import executors, jsontext
from irqcost.base.errors import IrqcostError, ResultError
from irqcost.model import index, members, parsing, reader, store
from irqcost.model.result import Entry
import machine_code
from results import changed, committed, document, path, result


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An index of this test alone, used from the first file on, for files of any age."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(index, "WORTH", 1)
    monkeypatch.setattr(index, "_SETTLED_NS", 0)
    yield index.place()


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were parsed, not found in the index."""
    seen: list[Path] = []
    parse = store._parse

    def note(one: Path, documents: dict[str, str]) -> Any:
        seen.append(one)
        return parse(one, documents)

    monkeypatch.setattr(store, "_parse", note)
    # In this process, for no other one would note them.
    monkeypatch.setattr(executors.os, "sched_getaffinity", lambda _: {0})
    return seen


def shifted(target: Path, cycles: float) -> Path:
    """A copy of alpha with another figure for popf's throughput."""

    def change(content: Any) -> None:
        for entry in content["benchmarks"]:
            if entry["name"] == "ring3/popf/throughput":
                entry["core_cycles"] = cycles

    return changed("alpha", target, change)


def popf(loaded: store.Loaded) -> list[float]:
    place = store.COLUMNS.index("core_cycles")
    return [values(one)["ring3/popf/throughput"][place] for one in loaded.records]


def values(record: store.Record) -> dict[str, list[float]]:
    return dict(zip(record.names, record.values.tolist()))


def test_a_record_is_the_result_in_short() -> None:
    for name in ("alpha", "exact"):
        whole = result(name)
        (record,) = store.read([path(name)]).records
        assert record.names == tuple(whole.figures)
        assert record.context == whole.context
        for place, entry in enumerate(whole.figures.values()):
            nothing = (np.nan, np.nan)
            in_cycles = np.nan if entry.core_cycles is None else entry.core_cycles
            expected = [in_cycles, *(entry.cycles_interval or nothing), entry.ticks]
            expected += [*(entry.ticks_interval or nothing), entry.ns, entry.spread]
            np.testing.assert_array_equal(record.values[place], [*expected, entry.estimator])
            assert record.verdicts[place] == entry.verdict
            assert record.remarks.get(place, "") == entry.remark
            assert (place in record.remarks) == entry.unreliable


def test_the_second_look_parses_nothing(tmp_path: Path, parsed: list[Path]) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    for number in range(3):
        shifted(folder / f"{number}.json", 10.0 + number)
    first = store.read([folder])
    assert len(parsed) == 3
    second = store.read([folder])
    assert len(parsed) == 3
    assert popf(first) == popf(second) == [10.0, 11.0, 12.0]
    assert [one.context for one in first.records] == [one.context for one in second.records]


def test_another_limit_of_size_is_not_remembered(
    tmp_path: Path, parsed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = shifted(tmp_path / "1.json", 10.0)
    monkeypatch.setenv("IRQCOST_MAX_RESULT_MIB", "0")
    (error,) = store.read([one]).errors
    assert "no result is larger" in str(error)
    monkeypatch.delenv("IRQCOST_MAX_RESULT_MIB")
    assert popf(store.read([one])) == [10.0]


@pytest.mark.parametrize("how", ["folder", "named", "here", "above"])
def test_files_are_known_however_they_are_asked_for(
    how: str, tmp_path: Path, parsed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "results" / "inside"
    inside.mkdir(parents=True)
    shifted(inside / "a.json", 20.0)
    asked = {
        "folder": inside,
        "named": inside / "a.json",
        "here": Path("."),
        "above": Path("../inside"),
    }[how]
    monkeypatch.chdir(inside)
    for _ in range(2):
        assert popf(store.read([asked])) == [20.0]
    assert len(parsed) == 1


def test_a_file_that_changed_is_read_anew(tmp_path: Path, parsed: list[Path]) -> None:
    one = shifted(tmp_path / "1.json", 10.0)
    assert popf(store.read([one])) == [10.0]
    # The same size and, set back, the same time of change.
    status = one.stat()
    shifted(one, 11.0)
    os.utime(one, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert one.stat().st_size == status.st_size
    assert popf(store.read([one])) == [11.0]
    # Another file of the same size, age and name.
    shifted(tmp_path / "2.json", 12.0).replace(one)
    assert popf(store.read([one])) == [12.0]
    assert len(parsed) == 3


def test_a_file_just_written_is_not_remembered(
    tmp_path: Path, parsed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_SETTLED_NS", 10**18)
    one = shifted(tmp_path / "1.json", 10.0)
    store.read([one])
    store.read([one])
    assert len(parsed) == 2


def test_an_index_of_other_code_is_made_anew(
    parsed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    store.read([path("alpha")])
    monkeypatch.setattr(index, "_code", lambda: "another")
    assert popf(store.read([path("alpha")])) == [13.0]
    assert popf(store.read([path("alpha")])) == [13.0]
    assert len(parsed) == 2


def test_what_another_version_took_over_is_not_written_to(
    parsed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look of old code that ends after new code has made the index its own."""
    look = store.read

    def begun(*paths: Path) -> None:
        with index.opened(index.WORTH) as known:
            assert known.find(path("alpha")) is None
            known.add(path("alpha"), index.Row(reason="as the old code saw it"))
            with monkeypatch.context() as patch:
                patch.setattr(index, "_code", lambda: "another")
                look([path("beta")])

    begun()
    monkeypatch.setattr(index, "_code", lambda: "another")
    assert popf(look([path("alpha")])) == [13.0]


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"x" * 5000])
def test_a_damaged_index_is_made_anew(cache: Path, parsed: list[Path], content: bytes) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_bytes(content)
    for _ in range(2):
        assert popf(store.read([path("alpha")])) == [13.0]
    assert len(parsed) == 1


def test_damage_inside_is_survived(
    cache: Path, parsed: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    store.read([path("alpha"), path("beta")])
    content = bytearray(cache.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    cache.write_bytes(content)
    for _ in range(2):
        assert popf(store.read([path("alpha"), path("beta")])) == pytest.approx([13.0, 17.0])
    assert "no index" in capsys.readouterr().err
    # The second time it was made anew.
    assert len(parsed) == 6
    store.read([path("alpha"), path("beta")])
    assert len(parsed) == 6


def test_no_index_is_no_error(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache.parent.parent.mkdir()
    cache.parent.write_text("in the way")
    assert popf(store.read([path("alpha")])) == [13.0]
    assert "no index" in capsys.readouterr().err


def test_what_is_gone_is_forgotten(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    shifted(folder / "1.json", 10.0)
    shifted(folder / "2.json", 11.0)
    shifted(tmp_path / "r2.json", 11.0)
    store.read([folder, tmp_path / "r2.json"])
    (folder / "1.json").unlink()
    store.read([folder])
    with sqlite3.connect(cache) as database:
        rows = database.execute("SELECT path FROM files ORDER BY path").fetchall()
    assert [os.fsdecode(name) for (name,) in rows] == [
        str(folder / "2.json"),
        str(tmp_path / "r2.json"),
    ]


def test_bad_files_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    shifted(folder / "1.json", 10.0)
    (folder / "cut.json").write_bytes(path("alpha").read_bytes()[:3000])
    (folder / "deep.json").write_text("[" * 100_000)
    (folder / "foreign.json").write_text('{"context": {}, "benchmarks": []}')
    (folder / "nan.json").write_text('{"context": NaN}')
    (folder / "circle.json").symlink_to("circle.json")
    (folder / "around").symlink_to(folder, target_is_directory=True)
    os.mkfifo(folder / "pipe.json")
    with (folder / "huge.json").open("wb") as huge:
        huge.truncate(1 << 30)
    for _ in range(2):  # without the index, and with it
        loaded = store.read([folder])
        assert popf(loaded) == [10.0]
        reasons = {error.path.name: error.reason for error in loaded.errors}
        assert reasons.keys() == {
            "cut.json",
            "deep.json",
            "foreign.json",
            "nan.json",
            "circle.json",
            "pipe.json",
            "huge.json",
        }
        assert reasons["cut.json"].startswith("truncated")
        assert "1073741824 bytes; no result is larger" in reasons["huge.json"]
        assert reasons["pipe.json"] == "not a regular file"


def test_processes_give_what_one_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    for number in range(40):
        shifted(tmp_path / f"{number:02}.json", float(number))
    loaded = store.read([tmp_path])
    assert popf(loaded) == [float(number) for number in range(40)]
    # One context for all of one machine.
    assert len({id(one.shared) for one in loaded.records}) == 1


def test_select(tmp_path: Path) -> None:
    (record,) = store.read([path("alpha")], select="/sahf/throughput|/popf/isolated").records
    assert record.names == ("ring3/sahf/throughput", "ring3/popf/isolated")
    assert record.remarks == {0: result("alpha").figures["ring3/sahf/throughput"].remark}
    with pytest.raises(IrqcostError, match="--select"):
        store.read([path("alpha")], select="(")


def test_gather_keeps_the_order_and_marks_doubt() -> None:
    records = store.read([path("exact"), path("beta"), path("alpha"), path("exact-rt")]).records
    gathered = store.gather(records)
    popf_ = gathered["ring3/popf/throughput"]
    assert popf_.places.tolist() == [1, 2]
    assert popf_.values[:, store.COLUMNS.index("core_cycles")].tolist() == pytest.approx(
        [17.0, 13.0]
    )
    unreliable = gathered["ring3/sahf/throughput"]
    assert unreliable.unreliable.all() and np.isnan(unreliable.values).all()
    lock = gathered["kmod/spin_lock/throughput"]
    assert lock.values[:, store.COLUMNS.index("ticks")].tolist() == [17.0, 108.0]


def test_texts_are_told_apart(tmp_path: Path) -> None:
    def other(code: str) -> Any:
        function = {**machine_code.function("f", "90"), "code_sha256": code}
        ours = {"machine_code": machine_code.of("bpf/irq_save_restore", function)}
        return lambda c: c["context"]["irqcost"].update(ours)

    one, same, another = (
        changed("alpha", tmp_path / f"{i}.json", other(code)) for i, code in enumerate("aab")
    )
    code_digests = [record.code_digests for record in store.read([one, same, another]).records]
    assert code_digests[0] == code_digests[1] != code_digests[2]


def _made(make: Callable[[members.Object], Entry | None], entry: Any) -> Entry | str | None:
    try:
        return make(members.Object(entry, ""))
    except members.FormatError as error:
        return str(error)


def test_usual_entries_are_read_as_any_other() -> None:
    """They have a faster way: whatever is done to one, it makes the same of it, or nothing."""
    values = [None, True, "x", "", [], ["x"], {}, -1, 0, 10**40, 1e31, -1e31, 2.5]
    taken = 0
    for file in (path("alpha"), *committed("**/*v???.json")):
        for number, one in enumerate(json.loads(file.read_text("utf-8")).get("benchmarks", [])):
            tried = [one]
            if number % 9 == 0:
                keys = [*one, "error_occurred", "aggregate_name"]
                tried += [{**one, key: value} for key in keys for value in values]
                tried += [{k: v for k, v in one.items() if k != key} for key in keys]
            for entry in tried:
                found = _made(parsing._usual_entry, entry)
                assert found in (None, _made(parsing._any_entry, entry)), entry
                taken += found is not None
    assert taken > 100


def _document(file: Path, complete: bool) -> Any:
    try:
        return reader.read_document(file, complete)[0]
    except ResultError as error:
        return error.reason


@pytest.mark.parametrize("in_a_line", [False, True])
@pytest.mark.parametrize(
    "old, new",
    [
        ("", ""),
        ('"machine_code": {', '"other": {}, "machine_code": {'),
        ('"symbol"', '"machine_code": {"'),
        ('"symbol"', "NaN"),
        ('"symbol":"f"', '"symbol":NaN'),
        ('"symbol":"f"', '"symbol":"machine_code\\": {}"'),
        ('"date": "', '"nothing": NaN,"date": "'),
        ('"date": "', '"nothing": -Infinity,"date": "'),
        ('"date": "', '"date": "\\"machine_code\\": {}'),
        ('"benchmarks": [', '"machine_code": {},\n"benchmarks": ['),
        ('"benchmarks": [', '"machine_code": {},\n"nothing": NaN, "benchmarks": ['),
        ('"benchmarks": [', '"machine_code": NaN,\n"benchmarks": ['),
    ],
)
def test_machine_code_that_was_read_before_stands_where_it_is(
    tmp_path: Path, in_a_line: bool, old: str, new: str
) -> None:
    content = document("alpha")
    functions = machine_code.of("ring3/popf", machine_code.function("f", "9dc3"))
    content["context"]["irqcost"]["machine_code"] = functions
    text = jsontext.dumps(content)
    span = reader._code_span(text)
    assert span is not None
    begin, end = span
    if in_a_line:
        compact = json.dumps(functions, separators=(",", ":"))
        text = text[:begin] + compact + text[end:]
    else:
        assert json.loads(text[begin:end]) == functions
    assert old in text
    for number in range(2):
        file = tmp_path / f"{number}.json"
        file.write_text(text.replace(old, new, 1), "utf-8")
        assert _document(file, False) == _document(file, True)


@pytest.mark.parametrize(
    "content",
    [
        "{" + '"machine_code": {' * 200_000,
        '"machine_code": {' + "\n       " * 1_000_000,
        '{"machine_code": {' + '"}' * 1_000_000 + "\n",
    ],
)
def test_no_machine_code_takes_hours(tmp_path: Path, content: str) -> None:
    """Each would, if what does not end were looked for from each beginning."""
    file = tmp_path / "x.json"
    file.write_text(content, "utf-8")
    assert isinstance(_document(file, False), str)


def test_where_a_file_is_damaged_is_said_by_its_lines(tmp_path: Path) -> None:
    content = document("alpha")
    functions = machine_code.of("ring3/popf", machine_code.function("f", "9dc3"))
    content["context"]["irqcost"]["machine_code"] = functions
    file = tmp_path / "x.json"
    file.write_text(jsontext.dumps(content).replace('"benchmarks": [', '"benchmarks": [,', 1))
    assert "not JSON" in str(_document(file, False))
    assert _document(file, False) == _document(file, True)


def test_a_file_that_grows_while_it_is_read_is_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = shifted(tmp_path / "a.json", 10.0)
    size = one.stat().st_size
    assert reader._bounded(one, size // 3) == one.read_text("utf-8")
    monkeypatch.setenv("IRQCOST_MAX_RESULT_MIB", "1")
    one.write_bytes(one.read_bytes() + b" " * (1 << 20))
    with pytest.raises(ResultError, match="no result is larger than 1048576 bytes"):
        reader._bounded(one, size)
