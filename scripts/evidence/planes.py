# SPDX-License-Identifier: GPL-2.0-only
"""Columns of whole numbers as a small file.

The file is packed by xz: a line of JSON, then for each column its lowest bytes, the bytes above
these, and so on. Noise is in the lowest ones; the rest packs to almost nothing.
"""

import json
import lzma
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

_BYTES = 8


def write(path: Path, head: Any, columns: Sequence[Sequence[int]]) -> None:
    """Writes what is said of the columns, and the columns."""
    arrays = [np.array(column, dtype="<i8") for column in columns]
    widths = [_width(array) for array in arrays]
    shape = {"lengths": list(map(len, arrays)), "widths": widths}
    line = json.dumps({"columns": shape, "head": head}, separators=(",", ":"))
    planes = (
        array.view(np.uint8).reshape(-1, _BYTES)[:, :width].T.tobytes()
        for array, width in zip(arrays, widths)
    )
    with lzma.open(path, "wb", preset=9 | lzma.PRESET_EXTREME) as file:
        file.write(b"\n".join([line.encode(), b"".join(planes)]))


def _width(array: Any) -> int:
    """How many of its bytes a column needs."""
    most = max((max(value, ~value) for value in array.tolist()), default=0)
    return int(most).bit_length() // 8 + 1


def read(path: Path) -> tuple[Any, list[list[int]]]:
    """What write() was given."""
    with lzma.open(path) as file:
        line = json.loads(file.readline())
        columns = []
        for length, width in zip(line["columns"]["lengths"], line["columns"]["widths"]):
            planes = np.frombuffer(file.read(length * width), np.uint8).reshape(width, length)
            whole = np.zeros((length, _BYTES), np.uint8)
            whole[:, _BYTES - width :] = planes.T
            # Shifted down, the sign fills what is left out.
            values = whole.view("<i8").ravel() >> 8 * (_BYTES - width)
            columns.append(values.tolist())
    return line["head"], columns
