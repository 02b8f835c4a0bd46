# SPDX-License-Identifier: GPL-2.0-only
"""What a host sent: somebody else's file, which is checked before anything of it is used."""

import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from irqcost.base.errors import IrqcostError
from irqcost.base.safety.texts import plain
from irqcost.model import members, reader
from irqcost.model.members import FormatError, Object

_OUTCOME = "outcome.json"
RESULTS = ("result.json", "result-performance.json", "result-efficiency.json")
_MOST_OUTCOME = 64 << 10
# Reasons of a host that are kept, and letters of each.
_MOST_SKIPPED = 20
_MOST_LETTERS = 300


class Rejected(IrqcostError):
    """A file of a host that is not what it should be."""


@dataclass(frozen=True)
class Outcome:
    """How a measurement ended on a host: an exit code with its reason, what was skipped and why,
    and its results as they were sent."""

    code: int
    why: str
    hostname: str
    machine: str
    kernel: str
    skipped: tuple[tuple[str, str], ...]
    results: Mapping[str, bytes]


def short(text: str) -> str:
    """A text of a host as it may be kept and shown."""
    cut = text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]}…"
    return plain(cut.strip())


def read(path: Path, most: int) -> Outcome:
    """The outcome in a file that was fetched. Raises Rejected."""
    try:
        if path.stat().st_size > most:
            raise Rejected(f"sent {path.stat().st_size} bytes; no outcome is larger than {most}")
        parts = _parts(path)
        return _outcome(parts.pop(_OUTCOME), parts)
    except KeyError:
        raise Rejected(f"sent no {_OUTCOME}") from None
    except (OSError, tarfile.TarError, EOFError) as error:
        raise Rejected(f"sent no archive that can be read: {short(str(error))}") from None
    except FormatError as error:
        raise Rejected(f"sent no outcome: {short(str(error))}") from None
    except (ValueError, RecursionError) as error:
        raise Rejected(f"sent no outcome: not JSON: {short(str(error))}") from None


def _parts(path: Path) -> dict[str, bytes]:
    """The files of an archive, of which only known names are read, never written by theirs."""
    limits = {_OUTCOME: _MOST_OUTCOME, **dict.fromkeys(RESULTS, reader.max_result_bytes())}
    found: dict[str, bytes] = {}
    with tarfile.open(path, "r:") as tar:
        while member := tar.next():
            name = member.name
            if name not in limits or name in found or not member.isreg() or member.issparse():
                raise Rejected(f"sent a file that is no part of an outcome: {short(name)}")
            if member.size > limits[name]:
                raise Rejected(f"sent {member.size} bytes as {name}; {limits[name]} is the most")
            file = tar.extractfile(member)
            content = file.read() if file else b""
            if len(content) != member.size:
                raise Rejected(f"sent only a part of {name}")
            found[name] = content
    return found


def _outcome(text: bytes, results: Mapping[str, bytes]) -> Outcome:
    whole = Object(json.loads(text), "outcome")
    skipped = whole.raw("skipped")
    if not isinstance(skipped, list) or len(skipped) > _MOST_SKIPPED:
        raise FormatError("outcome.skipped is no list of reasons")
    pairs = []
    for one in skipped:
        if not (isinstance(one, list) and len(one) == 2 and all(isinstance(x, str) for x in one)):
            raise FormatError("outcome.skipped has what is no reason")
        pairs.append((short(one[0]), short(one[1])))
    code = whole.number("code")
    if not 0 <= code <= members.GREATEST or int(code) != code:
        raise FormatError("outcome.code is no exit code")
    return Outcome(
        int(code),
        short(whole.text("why")),
        short(whole.text("host")),
        short(whole.text("machine")),
        short(whole.text("kernel")),
        tuple(pairs),
        results,
    )
