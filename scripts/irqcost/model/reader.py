# SPDX-License-Identifier: GPL-2.0-only
"""Result files are found and opened here and nowhere else."""

import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from itertools import chain, islice
from pathlib import Path
from typing import Any, NoReturn

from irqcost.base.errors import ResultError
from irqcost.model import members, parsing
from irqcost.model.result import Result

# A full run is below 1 MiB; hundreds of repetitions of it are read too, a stray disk image is not.
MAX_RESULT_BYTES = 64 << 20


def read_result(path: Path) -> Result:
    """The result in a file. Raises ResultError, which names the file and the reason."""
    return read_document(path)[1]


def _lists(*names: str) -> re.Pattern[bytes]:
    """Finds lists as jsontext.py writes those of numbers: each on a line, alone. No text in JSON
    goes over the end of a line, so what looks like one is one."""
    return re.compile(rb'\n *"(?:%b)": (\[.*\])(?=,?\n)' % "|".join(names).encode())


class Depth(Enum):
    """What of a result file is read. What is not, most of a file, is passed over where it stands as
    we write it, and is null in the document."""

    WHOLE = None
    EPOCHS = _lists("windows", "counts")  # without samples: for the guard
    # Without epochs and live texts as well: for thousands of files.
    FIGURES = _lists("windows", "counts", "epochs")


def read_document(path: Path, depth: Depth = Depth.WHOLE) -> tuple[Any, Result]:
    """A result file as the JSON that it holds, and as what that means. Raises ResultError."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ResultError(path, "not a regular file")
        if status.st_size > MAX_RESULT_BYTES:
            raise ResultError(
                path,
                f"{status.st_size} bytes; no result is larger than {MAX_RESULT_BYTES} bytes",
            )
        content = path.read_bytes()
    except OSError as error:
        raise ResultError(path, error.strerror or str(error)) from error
    if depth.value is not None:
        try:
            document = _decoded(_without(depth.value, content).decode())
            return document, parsing.parse(document, texts=depth is Depth.EPOCHS)
        except (members.FormatError, ValueError, RecursionError):
            pass  # The whole of it says where it is wrong.
    return _whole(path, content)


def _whole(path: Path, content: bytes) -> tuple[Any, Result]:
    try:
        text = content.decode()
        if not text.strip():
            raise ResultError(path, "empty file")
        document = _decoded(text)
        return document, parsing.parse(document)
    except UnicodeDecodeError as error:
        raise ResultError(path, f"not JSON: no UTF-8 text at byte {error.start}") from error
    except json.JSONDecodeError as error:
        cut = "truncated" if error.pos >= len(text.rstrip()) else "not JSON"
        reason = f"{cut}: {error.msg} in line {error.lineno}, column {error.colno}"
        raise ResultError(path, reason) from error
    except members.FormatError as error:
        raise ResultError(path, str(error)) from error
    except ValueError as error:
        raise ResultError(path, f"a number that cannot be read: {error}") from error
    except RecursionError as error:
        raise ResultError(path, "nested too deeply for a result") from error


def _decoded(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse_constant)


def _without(lists: re.Pattern[bytes], content: bytes) -> bytes:
    """A result with null for lists, all of which stand behind its context."""
    content = _without_windows(content)
    kept = []
    done = 0
    for found in lists.finditer(content, max(content.find(b'"benchmarks"'), 0)):
        begin, end = found.span(1)
        kept += [content[done:begin], b"null"]
        done = end
    return b"".join([*kept, content[done:]])


_WINDOWS = b'"windows": [\n'


def _without_windows(content: bytes) -> bytes:
    """A result with null for the windows, which are objects: as jsontext.py writes their list, it
    ends with the bracket that stands as far to the right as its name."""
    kept = []
    done = 0
    while (at := content.find(_WINDOWS, done)) >= 0:
        indent = content[content.rfind(b"\n", 0, at) + 1 : at]
        end = content.find(b"\n" + indent + b"]", at)
        if indent.strip() or end < 0:
            break
        kept += [content[done : at + len(_WINDOWS) - len(b"[\n")], b"null"]
        done = end + len(b"\n" + indent + b"]")
    return b"".join([*kept, content[done:]])


def _refuse_constant(name: str) -> NoReturn:
    raise members.FormatError(f"{name} is no figure (JSON has no such number)")


def find_results(paths: Sequence[Path]) -> tuple[list[Path], list[ResultError]]:
    """Result files: those named, and for a folder every .json file below it, sorted by name.

    Links to folders are not followed, so that none is read in a circle. Returns the files, and an
    error for each folder that holds none or cannot be read.
    """
    found: list[Path] = []
    errors = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        unread: list[OSError] = []
        # As texts: thousands of paths take a while to be compared.
        inside = list(map(Path, sorted(_json_below(path, unread.append))))
        for error in unread:
            errors.append(ResultError(Path(error.filename), error.strerror or str(error)))
        if not inside and not unread:
            errors.append(ResultError(path, "no .json file in this folder"))
        found += inside
    return found, errors


def faults(errors: Sequence[ResultError], paths: Sequence[Path]) -> list[ResultError]:
    """Those that somebody who asked for these paths is to know of: not that in a folder there are
    irqcost's records of other kinds."""
    return [one for one in errors if one.path in paths or not _of_another_kind(one)]


def _of_another_kind(error: ResultError) -> bool:
    return error.reason.startswith(parsing.OTHER_RECORD)


def _json_below(folder: Path, unread: Callable[[OSError], object] | None = None) -> Iterator[str]:
    for place, _, names in os.walk(folder, onerror=unread):
        yield from (os.path.join(place, name) for name in names if name.endswith(".json"))


def more_results_than(most: int, paths: Sequence[Path]) -> bool:
    """Whether find_results() would find more than so many files; it looks for no more of them."""
    found = chain.from_iterable(_json_below(p) if p.is_dir() else [str(p)] for p in paths)
    return next(islice(found, most, None), None) is not None
