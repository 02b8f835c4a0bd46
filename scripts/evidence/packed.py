# SPDX-License-Identifier: GPL-2.0-only
"""Recorded processes: the documents that ab_record.py and guard_record.py write, a line each.

Packed into one file by planes.py they take two thirds of such lines packed by xz. Usage:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/packed.py FILE|FOLDER… --out NAME.packed.xz
"""

import argparse
import json
import lzma
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import planes

SUFFIX = ".packed.xz"

# The recorders round to the fifth digit.
_UNIT = 1e5
# Stands for null; no figure is so low.
_NOTHING = -(1 << 39)


def documents(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """The documents of files, packed or not, and of the packed files in folders."""
    found = []
    for path in paths:
        for one in sorted(path.glob("*.xz")) if path.is_dir() else [path]:
            if one.name.endswith(SUFFIX):
                found += _read(one)
            else:
                with lzma.open(one, "rt") if one.suffix == ".xz" else one.open() as file:
                    found += [json.loads(line) for line in file]
    return found


def write(path: Path, written: Sequence[Mapping[str, Any]]) -> None:
    """Packs documents. Raises ValueError if a number has more digits than are kept."""
    copies = json.loads(json.dumps(written))
    of_processes = [process["figures"] for process in _processes(copies)]
    names = list(dict.fromkeys(name for figures in of_processes for name in figures))
    orders = list(dict.fromkeys(map(tuple, of_processes)))
    for process in _processes(copies):
        process["figures"] = orders.index(tuple(process["figures"]))
    width = len(next(iter(of_processes[0].values())))
    columns = [
        [figures[name][place] for name in names for figures in of_processes if name in figures]
        for place in range(width)
    ]
    flags = [place for place in range(width) if all(isinstance(v, bool) for v in columns[place])]
    head = {
        "documents": copies,
        "names": names,
        "orders": [list(map(names.index, order)) for order in orders],
        "flags": flags,
    }
    planes.write(path, head, [list(map(_whole, column)) for column in columns])


def _whole(value: float | None) -> int:
    if value is None or isinstance(value, bool):
        return _NOTHING if value is None else int(value)
    if round(value * _UNIT) / _UNIT != value:
        raise ValueError(f"{value} has more than five digits after the point")
    return round(value * _UNIT)


def _read(path: Path) -> list[dict[str, Any]]:
    head, columns = planes.read(path)
    made: list[list[Any]] = [
        [
            bool(value) if place in head["flags"] else None if value == _NOTHING else value / _UNIT
            for value in column
        ]
        for place, column in enumerate(columns)
    ]
    found: list[dict[str, Any]] = head["documents"]
    rows: dict[int, Iterator[list[Any]]] = {}
    at = 0
    has = [order for process in _processes(found) for order in [process["figures"]]]
    for name in range(len(head["names"])):
        count = sum(name in head["orders"][order] for order in has)
        rows[name] = map(list, zip(*(column[at : at + count] for column in made)))
        at += count
    for process in _processes(found):
        order = head["orders"][process["figures"]]
        process["figures"] = {head["names"][name]: next(rows[name]) for name in order}
    return found


def _processes(found: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The processes of documents: of the two builds of `ab`, or of a run."""
    for one in found:
        yield from one.get("pair") or one["epochs"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Packs recorded processes into one file.")
    parser.add_argument("paths", metavar="FILE|FOLDER", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True, help=f"NAME{SUFFIX}")
    args = parser.parse_args()
    write(args.out, documents(args.paths))


if __name__ == "__main__":
    main()
