# SPDX-License-Identifier: GPL-2.0-only
"""Building the harness with CMake."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from irqcost import ROOT
from irqcost.base import files
from irqcost.base.cache import cache_directory, locked
from irqcost.base.errors import BuildError, IrqcostError
from irqcost.base.process import child
from irqcost.base.progress import Progress
from irqcost.base.safety import ownership

_TAIL_LINES = 40

# How Make and Ninja say how far they are.
_STEP = re.compile(r"\[\s*(\d+%|\d+/\d+)\] (.*)")


def harness(preset: str = "release", source: Path = ROOT, target: str = "irqcost_bench") -> Path:
    """Configures and builds a preset of a checkout's CMakePresets.json; returns its
    irqcost-bench. Raises BuildError."""
    place = folder(preset, source)
    log = place / "irqcost-build.log"
    jobs = str(len(os.sched_getaffinity(0)))
    # Of two commands at once one builds, and the other then finds everything built.
    with Progress(f"building the harness ({preset})") as progress, locked(place / ".lock"):
        try:
            log.unlink(missing_ok=True)
            if not configured(place, source):
                forget_other_checkout(place, source)
                configure = ["cmake", "-S", str(source), "--preset", preset, "-B", str(place)]
                logged(configure, log, progress)
            make = ["cmake", "--build", str(place), "--parallel", jobs, "--target", target]
            logged(make, log, progress)
        finally:
            ownership.give_all(place)
    return bench(preset, source)


# What CMake keeps of a configuration that may be used as it is: the place of its sources, and that
# no part was left out whose tools may be there by now.
_HOME = re.compile(r"^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$", re.MULTILINE)
_COMPLETE = re.compile(r"^IRQCOST_LEFT_OUT:INTERNAL=$", re.MULTILINE)
# And the build folder itself.
_PLACE = re.compile(r"^CMAKE_CACHEFILE_DIR:INTERNAL=(.*)$", re.MULTILINE)


def configured(place: Path, source: Path) -> bool:
    """Whether a build folder needs no configuration: what its files depend on, the build checks by
    itself, in a third of the time."""
    cache = _cache(place)
    try:
        presets = (source / "CMakePresets.json").stat().st_mtime
        newer = (place / "CMakeCache.txt").stat().st_mtime > presets
    except OSError:
        return False
    return newer and _made_for(cache, place, source) and bool(_COMPLETE.search(cache))


def _cache(place: Path) -> str:
    try:
        return (place / "CMakeCache.txt").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _made_for(cache: str, place: Path, source: Path) -> bool:
    home, own = _HOME.search(cache), _PLACE.search(cache)
    if home is None or own is None:
        return False
    return (home[1], own[1]) == (str(source), str(place))


def forget_other_checkout(place: Path, source: Path) -> None:
    """Empties a build folder that came with a checkout that was moved or copied: CMake refuses it,
    and what is built in it names files of the other place."""
    cache = _cache(place)
    if not cache or _made_for(cache, place, source):
        return
    for entry in place.iterdir():
        if entry.name == ".lock":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def folder(preset: str, source: Path = ROOT) -> Path:
    """Where a preset is built: in the checkout, or, where that is read-only or no program may run
    from it, in the cache. Raises IrqcostError where neither will do."""
    own = source / "build" / preset
    if files.may_write(own) and files.may_run(own):
        return own
    checkout = hashlib.sha256(os.fsencode(source)).hexdigest()[:16]
    other = cache_directory() / "build" / f"{checkout}-{preset}"
    if not files.may_run(other):
        raise IrqcostError(
            f"{other}: no program may be run from there (mounted noexec), nor built in {own}: "
            "name another folder in $IRQCOST_CACHE"
        )
    return other


def bench(preset: str = "release", source: Path = ROOT) -> Path:
    """Where a preset has its irqcost-bench, built or not."""
    return folder(preset, source) / "bench_user" / "irqcost-bench"


def logged(command: Sequence[str], log: Path, progress: Progress) -> None:
    """Runs a command in the checkout, its output appended to a log. Raises BuildError."""
    with log.open("a", encoding="utf-8") as out:
        try:
            with child(command, subprocess.STDOUT) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    out.write(line)
                    if step := _STEP.match(line):
                        progress.show(f"{step[1]} {step[2]}")
        except FileNotFoundError as error:
            raise BuildError(f"{command[0]} is not installed") from error
    if process.returncode:
        tail = log.read_text(encoding="utf-8").splitlines()[-_TAIL_LINES:]
        raise BuildError(
            f"`{' '.join(command)}` failed. The end of {log}:\n" + "\n".join(tail),
        )
