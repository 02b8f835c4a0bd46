# SPDX-License-Identifier: GPL-2.0-only
"""Building the harness with CMake."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from irqcost import ROOT
from irqcost.base import files, layout
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
    irqcost-bench. What a package has installed is not built. Raises BuildError."""
    ours = layout.installed()
    if ours and source == ROOT:
        return ours.bench
    place = folder(preset, source)
    if configured(place, source) and _unchanged(place, source, target):
        return bench(preset, source)
    log = build_log(preset, source)
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
            began = time.time_ns()
            logged(make, log, progress)
            _remember(place, source, target, began)
        finally:
            ownership.give_all(place)
    return bench(preset, source)


def _unchanged(place: Path, source: Path, target: str) -> bool:
    """Whether every file that a target was built from, and what was built, is as it was then, by
    size and time: asking the build takes a second."""
    try:
        known = json.loads(_stamp(place, target).read_text(encoding="utf-8"))
        return bool(known == _states(set(known) | _sources(source)))
    except (OSError, ValueError, TypeError):
        return False


def _remember(place: Path, source: Path, target: str, began: int) -> None:
    """Keeps what _unchanged() compares, unless a file was changed since the build began: nobody
    knows which of its contents was built. Without the compiler's lists of files nothing is kept."""
    stamp = _stamp(place, target)
    stamp.unlink(missing_ok=True)
    used = _used(place)
    states = _states(used | _sources(source))
    moved = (time_ for path, (time_, _) in states.items() if not Path(path).is_relative_to(place))
    if used and max(moved, default=0) < began:
        stamp.write_text(json.dumps(states), encoding="utf-8")


def _stamp(place: Path, target: str) -> Path:
    return place / f"irqcost-built-{target}.json"


def _states(paths: Iterable[str]) -> dict[str, list[int]]:
    """Time and size by path; of what is not there none."""
    found = {}
    for path in sorted(paths):
        with suppress(FileNotFoundError, NotADirectoryError):
            status = os.stat(path)
            found[path] = [status.st_mtime_ns, status.st_size]
    return found


def _sources(source: Path) -> set[str]:
    """Files of the checkout that a build may depend on: a new one may take another's place."""
    folders = [source / name for name in ("bench_user", "bench_kmod", "scripts/evidence/recorder")]
    files_ = {path for folder in folders for path in folder.rglob("*")}
    files_ |= {source / name for name in ("CMakeLists.txt", "CMakePresets.json", "VERSION")}
    return {str(path) for path in files_ if not path.is_dir()}


# Paths in the compiler's lists and in what CMake wrote: to libraries, tools and its own files.
_PATH = re.compile(r"""[^\s"':;()\\]*/[^\s"':;()\\]+""")


def _used(place: Path) -> set[str]:
    """Files that are named in the lists of a build folder, and what was built of them; nothing
    where the compiler left no lists."""
    lists = list(place.rglob("*.o.d"))
    if not lists:
        return set()
    lists += [*place.rglob("build.make"), *place.rglob("link.txt"), *place.rglob("Makefile.cmake")]
    named = {one for file in lists for one in _PATH.findall(file.read_text(errors="replace"))}
    found = {os.path.normpath(place / one) for one in named}
    found |= {str(place / "CMakeCache.txt")}
    found |= {str(path) for path in place.rglob("*.a")} | {str(place / "bench_user/irqcost-bench")}
    return {path for path in found if os.path.isfile(path)}


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
    ours = layout.installed()
    if ours and source == ROOT:
        return ours.bench
    return folder(preset, source) / "bench_user" / "irqcost-bench"


def build_log(preset: str = "release", source: Path = ROOT) -> Path:
    """What the compilers said when a preset was last built."""
    return folder(preset, source) / "irqcost-build.log"


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
