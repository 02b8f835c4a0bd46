# SPDX-License-Identifier: GPL-2.0-only
"""Result files are found and opened here and nowhere else."""

import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any, NoReturn

from irqcost.base.errors import ResultError
from irqcost.model import members, parsing, schema1
from irqcost.model.result import Result

# A run is below 1 MiB; dozens of repetitions of it are read too, a stray disk image is not.
_MAX_MIB = 16
_MAX_VARIABLE = "IRQCOST_MAX_RESULT_MIB"

# Lists and objects, each of which takes hundreds of bytes; a run has a quarter of it.
_MOST_NESTED_IN_MIB = 32 << 10


def max_result_bytes() -> int:
    """The size of the largest file that is read: 16 MiB, unless the environment says otherwise."""
    told = os.environ.get(_MAX_VARIABLE, "")
    return (int(told) if told.isdecimal() else _MAX_MIB) << 20


def read_result(path: Path) -> Result:
    """The result in a file. Raises ResultError, which names the file and the reason."""
    return read_document(path)[1]


# As jsontext.py writes them: histograms, a third of a file and half of the time that it takes (two
# ranges, which are fast: ASCII but for blanks, braces and backslashes); and machine code, another
# third of it, which all runs of a kernel have in common. That ends with its line, or before the
# first line that is less far in: found without a pattern that a hostile file makes slow.
_HISTOGRAM = re.compile(r'"histogram":\{"unit":"\w+"(,"\w+":\{[!-[\]-z]*\})*\}')
_CODE = '"machine_code": '
_CODE_END = re.compile(r"\n(?! {7})")
_CODE_CLOSED = "\n      }"
# Letters. Longer ones are read with the rest and not kept, so that a hostile file costs no more
# memory than itself; the longest of the results in results/ has 67,000.
_MOST_CODE_KEPT = 1 << 18


def read_document(path: Path, complete: bool = True) -> tuple[Any, Result]:
    """A result file as the JSON that it holds, in this version's schema, and as what that means:
    the whole, or without machine code and histograms. Raises ResultError."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ResultError(path, "not a regular file")
        text = _bounded(path, status.st_size)
        if not text.strip():
            raise ResultError(path, "empty file")
        document = schema1.current(_loaded(text) if complete else _loaded_in_short(text))
        return document, parsing.parse(document, complete)
    except OSError as error:
        raise ResultError(path, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise ResultError(path, f"not JSON: no UTF-8 text at byte {error.start}") from error
    except json.JSONDecodeError as error:
        body = text.strip()
        ends = body.endswith("}") and error.pos < len(text.rstrip())
        cut = "truncated" if body.startswith("{") and not ends else "not JSON"
        reason = f"{cut}: {error.msg} in line {error.lineno}, column {error.colno}"
        raise ResultError(path, reason) from error
    except members.FormatError as error:
        raise ResultError(path, str(error)) from error
    except ValueError as error:
        raise ResultError(path, f"a number that cannot be read: {error}") from error
    except RecursionError as error:
        raise ResultError(path, "nested too deeply for a result") from error


def _bounded(path: Path, size: int) -> str:
    """The text of a file, unless it would take more memory than any result. Raises ResultError."""
    most = max_result_bytes()
    with path.open("rb") as file:
        # Asked for the most, Python would have the system make room for that, in each of thousands.
        content = file.read(size + 1) if size <= most else b""
        if len(content) > size:  # It grew.
            content += file.read(most + 1 - len(content))
    if size > most or len(content) > most:
        raise ResultError(
            path,
            f"{max(size, len(content))} bytes; no result is larger than {most} bytes "
            f"(${_MAX_VARIABLE} allows for more)",
        )
    most_nested = (most >> 20) * _MOST_NESTED_IN_MIB
    few = len(content) <= most_nested
    nested = 0 if few else content.count(b"[") + content.count(b"{")
    if nested > most_nested:
        raise ResultError(path, f"{nested} lists and objects: no result has so many")
    return content.decode("utf-8")


def _loaded(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse_constant)


_loaded_once = lru_cache(maxsize=4)(_loaded)


def _code_span(text: str) -> tuple[int, int] | None:
    """Where the machine code of a document is, or may be; None where it is not as written."""
    begin = text.find(_CODE + "{")
    if begin < 0:
        return None
    begin += len(_CODE)
    found = _CODE_END.search(text, begin)
    end = found.start() if found else len(text)
    if text.startswith(_CODE_CLOSED, end):
        end += len(_CODE_CLOSED)
    else:
        end = text.rfind("}", begin, end) + 1
    return (begin, end) if 0 < end - begin < _MOST_CODE_KEPT else None


def _loaded_in_short(text: str) -> Any:
    """A document without histograms, whose machine code is shared with others."""
    known: list[Any] = []

    def constant(name: str) -> Any:
        return known.pop() if known and name == "NaN" else _refuse_constant(name)

    short = text
    # In its place stands what JSON does not have: a second one is the file's own.
    if span := _code_span(text):
        begin, end = span
        with suppress(json.JSONDecodeError):  # Where that is, the whole text tells.
            known.append(_loaded_once(text[begin:end]))
            short = f"{text[:begin]}NaN{text[end:]}"
    try:
        return json.loads(_HISTOGRAM.sub('"histogram":null', short), parse_constant=constant)
    except json.JSONDecodeError:
        return _loaded(text)  # Which says where in the file.


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
