# SPDX-License-Identifier: GPL-2.0-only
"""How much CPU time a process's control groups leave it (CFS bandwidth, cgroup v1 and v2).

A container's limit of "half a CPU" is such a quota: the process runs at full speed, and is then
stopped for the rest of each period, in the middle of whatever it measures.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

# The content of a file by its path without the first slash; None where it cannot be read.
Reader = Callable[[str], str | None]


@dataclass(frozen=True)
class Quota:
    """The tightest one: how many CPUs' worth of time, and the file that says so."""

    cpus: float
    file: str

    def __str__(self) -> str:
        return f"{self.cpus:.4g} CPU{'' if self.cpus == 1 else 's'} by {self.file}"


def tightest_quota(text_of: Reader) -> Quota | None:
    """The tightest quota of this process's groups and of those above them, as far as they can be
    seen from here; None where there is none."""
    quotas = [one for folder in _folders(text_of) if (one := _of(folder, text_of)) is not None]
    return min(quotas, key=lambda one: one.cpus) if quotas else None


def _of(folder: PurePosixPath, text_of: Reader) -> Quota | None:
    # v2: "50000 100000", or "max 100000"; v1: two files, of which the first says -1 for none.
    file = folder / "cpu.max"
    text = text_of(_relative(file))
    if text is None:
        file = folder / "cpu.cfs_quota_us"
        text = f"{text_of(_relative(file))} {text_of(_relative(folder / 'cpu.cfs_period_us'))}"
    words = re.fullmatch(r"(\d+) (\d+)", text.strip())
    if not words or not int(words[2]):
        return None
    return Quota(int(words[1]) / int(words[2]), str(file))


def _relative(path: PurePosixPath) -> str:
    return str(path).lstrip("/")


def _folders(text_of: Reader) -> Iterator[PurePosixPath]:
    """Where the process's groups are mounted, and each of their parents up to the mount."""
    groups = _groups(text_of)
    for line in (text_of("proc/self/mountinfo") or "").splitlines():
        mount, _, kind = line.partition(" - ")
        fields, kinds = mount.split(), kind.split()
        if len(fields) < 5 or len(kinds) < 3:
            continue
        if kinds[0] == "cgroup2":
            group = groups.get("")
        elif kinds[0] == "cgroup" and "cpu" in kinds[2].split(","):
            group = groups.get("cpu")
        else:
            continue
        top = PurePosixPath(_unescaped(fields[4]))
        yield top
        # A container sees its own group alone: what lies above is outside of the mount.
        try:
            below = PurePosixPath(group or "/").relative_to(_unescaped(fields[3]))
        except ValueError:
            continue
        if ".." in below.parts:
            continue
        for part in below.parts:
            top /= part
            yield top


def _groups(text_of: Reader) -> dict[str, str]:
    """The process's group by controller; that of v2, which has all of them, by ""."""
    found = {}
    for line in (text_of("proc/self/cgroup") or "").splitlines():
        _, _, group = line.partition(":")
        controllers, _, path = group.partition(":")
        for controller in controllers.split(","):
            found[controller] = path
    return found


def _unescaped(path: str) -> str:
    """mountinfo has blanks and the like as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), path)
