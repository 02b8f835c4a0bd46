# SPDX-License-Identifier: GPL-2.0-only
"""A damaged index gives the figures of the files, or is not used: never others, never a traceback,
and not for ever.

IRQCOST_FUZZ says how many damages are tried; the default is for a test's run.
"""

import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from irqcost.base import executors
from irqcost.model import index, store
from results import changed, path

_DAMAGES = int(os.environ.get("IRQCOST_FUZZ", "60"))


@pytest.fixture(name="cache")
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("IRQCOST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(index, "WORTH", 1)
    monkeypatch.setattr(index, "_SETTLED_NS", 0)
    monkeypatch.setattr(executors.os, "sched_getaffinity", lambda _: {0})
    yield index.place()


def _files(folder: Path) -> list[Path]:
    """Runs of two machines, and a file that is not a result."""
    folder.mkdir()
    (folder / "bad.json").write_text("[")

    def date(day: int) -> Callable[[Any], None]:
        return lambda content: content["context"].update(date=f"2026-01-0{day}T00:00:00+00:00")

    for name in ("alpha", "beta"):
        for day in (1, 2):
            changed(name, folder / f"{name}{day}.json", date(day))
    return sorted(folder.glob("*.json"))


def _seen(folder: Path) -> Any:
    """All that comes of a folder."""
    loaded = store.read([folder])
    records = [
        (
            one.path.name,
            one.date,
            repr(one.context),
            one.own,
            one.names,
            one.values.tobytes(),
            one.verdicts,
            dict(one.remarks),
            dict(one.code_digests),
        )
        for one in loaded.records
    ]
    return records, [str(error) for error in loaded.errors]


def _cells(cache: Path, chance: random.Random) -> None:
    """Another value in one place, as any program could write it."""
    with sqlite3.connect(cache) as database:
        table = chance.choice(["files", "documents", "made_by"])
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        keys = [row[0] for row in database.execute(f"SELECT {columns[0]} FROM {table}")]
        column, key = chance.choice(columns), chance.choice(keys)
        value = chance.choice([b"\xff\xfe", "", "x", 7, 1.5, b"", "[]", "{}", "good"])
        if chance.random() < 0.3:  # One of another row.
            (value,) = chance.choice(database.execute(f"SELECT {column} FROM {table}").fetchall())
        database.execute(
            f"UPDATE OR REPLACE {table} SET {column} = ? WHERE {columns[0]} = ?", (value, key)
        )


def _bytes(cache: Path, chance: random.Random) -> None:
    content = bytearray(cache.read_bytes())
    kind = chance.choice(["bits", "page", "cut", "swap"])
    page = chance.randrange(len(content) // 4096) * 4096
    other = chance.randrange(len(content) // 4096) * 4096
    if kind == "bits":
        for _ in range(chance.choice([1, 10, 300])):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    elif kind == "page":
        content[page : page + 4096] = bytes([chance.choice([0, 255])]) * 4096
    elif kind == "cut":
        del content[chance.randrange(len(content)) :]
    else:
        content[page : page + 4096], content[other : other + 4096] = (
            content[other : other + 4096],
            content[page : page + 4096],
        )
    cache.write_bytes(content)


def _tables(cache: Path, chance: random.Random) -> None:
    with sqlite3.connect(cache) as database:
        database.execute(
            chance.choice(
                [
                    "DROP TABLE files",
                    "DROP TABLE documents",
                    "ALTER TABLE files DROP COLUMN content",
                    "DELETE FROM documents",
                    "CREATE TABLE more (x)",
                ]
            )
        )


def test_figures_are_those_of_the_files_whatever_is_in_the_index(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "results"
    _files(folder)
    truth = _seen(folder)
    whole = cache.read_bytes()
    assert truth == _seen(folder)
    for seed in range(_DAMAGES):
        cache.write_bytes(whole)
        chance = random.Random(seed)
        chance.choice([_cells, _cells, _bytes, _tables])(cache, chance)
        for look in range(3):
            capsys.readouterr()
            assert _seen(folder) == truth, (seed, look)
        # By then it is whole again, or gone and made anew.
        assert "no index" not in capsys.readouterr().err, seed


def test_a_row_of_another_file_is_not_believed(cache: Path, tmp_path: Path) -> None:
    files = _files(tmp_path / "results")
    truth = _seen(tmp_path / "results")
    with sqlite3.connect(cache) as database:
        stamps = dict(database.execute("SELECT path, stamp FROM files"))
        alpha, beta = (
            os.fsencode(one) for one in files if one.name in ("alpha1.json", "beta1.json")
        )
        database.execute("DELETE FROM files WHERE path = ?", (alpha,))
        database.execute(
            "UPDATE files SET path = ?, stamp = ? WHERE path = ?", (alpha, stamps[alpha], beta)
        )
    assert _seen(tmp_path / "results") == truth


def test_without_a_home_there_is_no_index(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("IRQCOST_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    assert len(store.read([path("alpha")]).records) == 1
    assert "no index" in capsys.readouterr().err
    assert not cache.exists()
