# SPDX-License-Identifier: GPL-2.0-only
"""What in a document would identify a machine or its user: names, addresses, paths, serial
numbers. A result is meant to hold none of these."""

import pwd
import re
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

# Accounts of people begin here on all distributions.
_FIRST_USER, _NOBODY = 1000, 65534

# Names that identify nobody, and that texts about a kernel have for other reasons.
_COMMON = {"localhost", "debian", "ubuntu", "fedora", "arch", "archlinux", "linux", "root", "user"}
_SHORTEST_NAME = 3

_KEYS = re.compile(r"serial|uuid|asset|mac_?addr|host_?name|user_?name|login|e?mail", re.IGNORECASE)
# Bytes as Base64, whose letters spell anything.
_BYTES = re.compile(r"\.machine_code\.functions\[\d+\]\.code$")
_PATTERNS = {
    "a path": re.compile(r"(?<![\w)%])/(?!dev/|sys/|proc/)[\w.~-]+(?:/[\w.~-]+)+/?"),
    "an e-mail address or user@host": re.compile(r"\b[\w.+-]+@[A-Za-z][\w.-]+"),
    "a UUID": re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE),
    "a MAC address": re.compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", re.IGNORECASE),
    "an IP address": re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.-])"),
}


@dataclass(frozen=True)
class Finding:
    """Something private: where it stands, what it is, and the text."""

    where: str
    what: str
    text: str


def names() -> list[str]:
    """Those of this machine and of the people who have accounts on it."""
    host = socket.gethostname()
    users = (
        one for one in pwd.getpwall() if _FIRST_USER <= one.pw_uid < _NOBODY and one.pw_dir != "/"
    )
    found = {host, host.split(".")[0], *(one.pw_name for one in users)}
    return sorted(one for one in found if len(one) >= _SHORTEST_NAME and one not in _COMMON)


def found(document: object, known: Sequence[str]) -> list[Finding]:
    """What is private in a document; `known` are names()."""
    patterns = dict(_PATTERNS)
    if known:
        words = "|".join(map(re.escape, known))
        patterns["the name of a machine or a user"] = re.compile(rf"(?<!\w)(?:{words})(?!\w)")
    findings = []
    for where, text in _texts(document, ""):
        if _BYTES.search(where):
            continue
        key = re.sub(r"\[\d+\]$", "", where).rpartition(".")[2]
        if text and _KEYS.search(key):
            findings.append(Finding(where, "a value that its key calls private", text))
            continue
        for what, pattern in patterns.items():
            if match := pattern.search(text):
                findings.append(Finding(where, what, match.group()))
    return findings


def _texts(value: object, where: str) -> Iterator[tuple[str, str]]:
    """All texts of a document, with their places; the keys of objects are texts too."""
    items: Iterable[tuple[str, object]] = ()
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        yield from ((f"{where} (a key)".lstrip(), str(key)) for key in value)
        items = ((f"{where}.{key}".lstrip("."), one) for key, one in value.items())
    elif isinstance(value, list):
        items = ((f"{where}[{place}]", one) for place, one in enumerate(value))
    for inner, one in items:
        yield from _texts(one, inner)
