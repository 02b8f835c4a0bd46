# SPDX-License-Identifier: GPL-2.0-only
"""What was read from result files, remembered in the user's cache: SQLite.

It only saves time. A row counts while path, size, inode and times of its file are what they were,
and while it has the hash that it was written with; the whole index while the code that made it is
unchanged. In any doubt the file is read again. Where the index cannot be opened, is damaged or
cannot be written, work goes on without it.
"""

import hashlib
import marshal
import os
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irqcost.base.cache import NoCache, cache_directory
from irqcost.model import reader

# Fewer files than this are parsed faster than an index is worth.
WORTH = 64

# A file changed so lately may change again within one step of its file system's clock (2 s on
# FAT), and would look the same: it is not remembered yet.
_SETTLED_NS = 2_000_000_000

# Seconds to wait for another command that writes.
_PATIENCE = 5.0


@dataclass(frozen=True)
class Row:
    """A file's part of a Record, packed, or the `reason` why it is no result; `shared` and `names`
    are keys of documents, "" of none."""

    date: str = ""
    own: str = ""
    verdict: str = ""
    shared: str = ""
    names: str = ""
    numbers: bytes = b""
    verdicts: str = ""
    remarks: str = ""
    reason: str = ""


# `content` is a Row, packed, and `hash` that of a path, a stamp and a content; `shared` and `names`
# say here, too, which documents are in use.
_TABLES = """
CREATE TABLE made_by (code TEXT NOT NULL);
CREATE TABLE files (
    path BLOB PRIMARY KEY, hash BLOB NOT NULL, stamp TEXT NOT NULL,
    shared TEXT NOT NULL, names TEXT NOT NULL, content BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE documents (key TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
"""
_MAKER = "SELECT code FROM made_by"


def place() -> Path:
    """Where the index lies. Raises NoCache."""
    return cache_directory() / "index.sqlite"


def _code() -> str:
    """What decides about how a file is read."""
    packages = Path(__file__).parent.parent
    files = [path for name in ("base", "model") for path in (packages / name).rglob("*.py")]
    content = b"".join(path.read_bytes() for path in sorted(files))
    return hashlib.sha256(content + str(reader.max_result_bytes()).encode()).hexdigest()


def digest(text: str) -> str:
    """The key of a document: the same text has the same key."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _hash(path: bytes, stamp: str, content: bytes) -> bytes:
    """Of a row, with what it is a row of. Neither a path nor a stamp has a zero byte in it."""
    return hashlib.sha256(b"\0".join((path, stamp.encode(), content))).digest()


def _is_whole(path: Any, known: Any, stamp: Any, content: Any) -> bool:
    """Whether a row is as it was written; a damaged one may have any values."""
    kinds = isinstance(path, bytes) and isinstance(stamp, str) and isinstance(content, bytes)
    return kinds and known == _hash(path, stamp, content)


def _stamp(status: os.stat_result) -> str:
    parts = (status.st_size, status.st_ino, status.st_dev, status.st_mtime_ns, status.st_ctime_ns)
    return " ".join(map(str, parts))


def _key(path: Path, here: str) -> bytes:
    return os.fsencode(os.path.join(here, path))


def _below(folder: Path) -> tuple[bytes, bytes]:
    """The first key of a file below a folder, and the first key after those."""
    begin = _key(folder / "x", os.getcwd())[:-1]  # As of a file in it: pathlib drops a "." before.
    return begin, begin[:-1] + bytes([begin[-1] + 1])


class Index:
    """The rows known, and those to be remembered; without a database it knows none.

    `documents` are the texts that rows refer to, by key.
    """

    def __init__(self, database: sqlite3.Connection | None) -> None:
        self._database = database
        self._stamps: dict[Path, str] = {}
        self._rows: dict[bytes, tuple[str, Row]] = {}
        self._here = os.getcwd() if database else ""
        self._new: list[tuple[Path, Row]] = []
        # Keys of rows below the folders that were asked for, less those of files that are there.
        self._gone: set[bytes] = set()
        self.documents: dict[str, str] = {}
        if database is not None:
            found = database.execute("SELECT key, text FROM documents")
            self.documents.update((key, text) for key, text in found if _is_document(key, text))
        self._stored = set(self.documents)

    def look_up(self, paths: Sequence[Path]) -> None:
        """Looks up files, and all below folders at once, for find(). What is known of files below
        the folders and is not found by save() is dropped there."""
        if self._database is None:
            return
        find = self._database.execute
        query = "SELECT path, hash, stamp, content FROM files WHERE path"
        try:
            for asked in paths:
                if is_folder := asked.is_dir():
                    rows = find(f"{query} >= ? AND path < ?", _below(asked))
                else:
                    rows = find(f"{query} = ?", (_key(asked, self._here),))
                for path, known, stamp, content in rows:
                    if is_folder:
                        self._gone.add(path)
                    if _is_whole(path, known, stamp, content):
                        # Now, so that what was packed is not kept beside it.
                        self._rows[path] = stamp, Row(*marshal.loads(content))
        except sqlite3.Error as error:
            _without(error)
            self._database = None

    def find(self, path: Path) -> Row | None:
        """What is known of a file as it is now, of those that were looked up."""
        if self._database is None:
            return None
        key = _key(path, self._here)
        self._gone.discard(key)
        try:
            status = os.stat(key)
        except OSError:
            return None
        stamp = _stamp(status)
        known_stamp, row = self._rows.get(key, ("", Row()))
        if known_stamp == stamp:
            if row.reason or row.shared in self.documents and row.names in self.documents:
                return row
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _SETTLED_NS:
            self._stamps[path] = stamp
        return None

    def add(self, path: Path, row: Row) -> None:
        """Remembers a row that was read after find() did not know it."""
        if path in self._stamps:
            self._new.append((path, row))

    def save(self) -> None:
        """Writes what is new."""
        if self._database is None or not (self._new or self._gone):
            return
        used = {key for _, row in self._new for key in (row.shared, row.names) if key}
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            # Another version may have made the tables its own since these rows were looked up.
            if self._database.execute(_MAKER).fetchall() != [(_code(),)]:
                return
            self._database.executemany(
                "INSERT OR REPLACE INTO documents VALUES (?, ?)",
                [(key, self.documents[key]) for key in sorted(used - self._stored)],
            )
            self._database.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)",
                [self._written(path, row) for path, row in self._new],
            )
            self._database.executemany(
                "DELETE FROM files WHERE path = ?", [(path,) for path in self._gone]
            )
            self._database.execute(
                "DELETE FROM documents WHERE key NOT IN "
                "(SELECT shared FROM files UNION SELECT names FROM files)"
            )

    def _written(self, path: Path, row: Row) -> tuple[bytes | str, ...]:
        key, stamp = _key(path, self._here), self._stamps[path]
        content = marshal.dumps(tuple(vars(row).values()))
        return key, _hash(key, stamp, content), stamp, row.shared, row.names, content


def _is_document(key: object, text: object) -> bool:
    return isinstance(text, str) and key == digest(text)


@contextmanager
def opened(count: int) -> Iterator[Index]:
    """The index for a look at `count` files; saved when the block ends without an exception."""
    if count < WORTH:
        yield Index(None)
        return
    try:
        database = _database(place())
    except NoCache as error:
        print(f"irqcost: no index, so the next look takes as long: {error}", file=sys.stderr)
        database = None
    if database is None:
        yield Index(None)
        return
    with closing(database):
        try:
            known = Index(database)
        except sqlite3.Error as error:
            _without(error)
            known = Index(None)
        yield known
        try:
            known.save()
        except sqlite3.Error as error:
            _without(error)


# That another one writes, or that the place does not allow for a database: no damage.
_OF_THE_PLACE = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_NOLFS,
)


def _is_damage(error: BaseException) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, sqlite3.DatabaseError) and (
        code is None or code & 0xFF not in _OF_THE_PLACE  # The rest says more of the same.
    )


def _without(error: OSError | sqlite3.Error) -> None:
    """Says that there is no index; a damaged one is removed."""
    if _is_damage(error):
        with suppress(OSError):
            place().unlink()
    print(f"irqcost: no index, so the next look takes as long: {place()}: {error}", file=sys.stderr)


def _database(path: Path) -> sqlite3.Connection | None:
    """The index of this code, made anew where there is none or another one."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return _prepared(path)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            path.unlink()
            return _prepared(path)
    except (OSError, sqlite3.Error) as error:
        _without(error)
        return None


def _prepared(path: Path) -> sqlite3.Connection:
    """A connection to an index made by this code: an empty one, where another made it."""
    database = sqlite3.connect(path, timeout=_PATIENCE)
    # A damaged text is one with another hash.
    database.text_factory = lambda content: content.decode("utf-8", "replace")
    try:
        with database:
            database.execute("BEGIN IMMEDIATE")
            names = [name for (name,) in database.execute("SELECT name FROM sqlite_master")]
            if "made_by" not in names or database.execute(_MAKER).fetchall() != [(_code(),)]:
                for name in names:
                    database.execute(f'DROP TABLE IF EXISTS "{name}"')
                for statement in filter(str.strip, _TABLES.split(";")):
                    database.execute(statement)
                database.execute("INSERT INTO made_by VALUES (?)", (_code(),))
    except BaseException:
        database.close()
        raise
    return database
