# SPDX-License-Identifier: GPL-2.0-only
"""Builds to compare: a checkout, a git revision, or an irqcost-bench that is there."""

import hashlib
import io
import os
import re
import shutil
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from irqcost import ROOT
from irqcost.base import archives, layout
from irqcost.base.cache import cache_directory, locked
from irqcost.base.errors import BuildError, IrqcostError
from irqcost.compare.ab import git
from irqcost.measure import build
from irqcost.vm.from_source import Say
from irqcost.vm.kernels import Kernel
from irqcost.vm.module import build_module

# Revisions that stay unpacked and built, so that a comparison made again begins at once.
_KEPT = 8

# What every version of the project has.
_NEEDED = ("CMakePresets.json", "bench_user/main.cc", "bench_kmod/Kbuild")


@dataclass(frozen=True)
class Build:
    """One of the two.

    @asked: as the user named it. @about: what that is, for readers. @source: its checkout, or None
    where a program was named. @program: that program, or None where it is to be built.
    """

    asked: str
    about: str
    source: Path | None = None
    program: Path | None = None

    def bench(self) -> Path:
        """Its irqcost-bench, built where it has to be. Raises IrqcostError."""
        if self.program is not None:
            return self.program
        try:
            bench = build.harness(source=self.checkout())
        except BuildError as error:
            raise BuildError(f"{self.asked}: the harness does not build: {error}") from error
        if not bench.is_file():
            raise IrqcostError(f"{self.asked}: its build leaves no {bench}")
        return bench

    def module(self, kernel: Kernel, say: Say) -> Path:
        """Its irqcost.ko for a kernel. Raises IrqcostError."""
        sources = self.checkout() / "bench_kmod"
        try:
            return build_module(kernel, say, sources)
        except BuildError as error:
            raise BuildError(f"{self.asked}: {error}") from error

    def checkout(self) -> Path:
        """Its sources. Raises IrqcostError where a program was named."""
        if self.source is None:
            raise IrqcostError(
                f"{self.asked}: a program has no module with it; name a checkout or a revision"
            )
        return self.source


def find(asked: str, root: Path = ROOT) -> Build:
    """What is meant by a name: a folder, a program, or a revision of the checkout `root`, which is
    unpacked into the cache. Raises IrqcostError."""
    path = Path(asked)
    if path.is_dir():
        _require_project(asked, path)
        return Build(asked, _state(path.resolve()), source=path.resolve())
    if path.is_file():
        if not os.access(path, os.X_OK):
            raise IrqcostError(f"{asked}: not an executable; an irqcost-bench was expected")
        return Build(asked, f"program, sha256 {digest(path)[:12]}", program=path.resolve())
    if os.path.lexists(path):
        raise IrqcostError(f"{asked}: neither a folder nor a regular file")
    if root == ROOT:
        layout.checkout(f"{asked} is neither a file nor a folder; a revision")
    commit, subject = _commit(asked, root)
    return Build(asked, f"{commit[:12]} {subject}", source=_unpacked(asked, commit, root))


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def missing_files(folder: Path) -> list[str]:
    """What every checkout has and a folder lacks."""
    return [name for name in _NEEDED if not (folder / name).is_file()]


def _require_project(asked: str, folder: Path) -> None:
    if missing := missing_files(folder):
        raise IrqcostError(f"{asked}: not a checkout of irqcost: {missing[0]} is missing")


def _state(folder: Path) -> str:
    """Which revision a folder is at, and whether it was changed since."""
    top = git.run(folder, "rev-parse", "--show-toplevel")
    if top.returncode and (folder / ".git").exists():
        return f"a checkout that git does not read ({git.complaint(top)})"
    if top.returncode or Path(os.fsdecode(top.stdout.rstrip(b"\n"))).resolve() != folder:
        return "a folder without git"
    head = git.line(folder, "log", "-1", "--format=%h %s", "--abbrev=12")
    changed = git.line(folder, "status", "--porcelain").splitlines()
    if not changed:
        return head
    return f"{head}, with uncommitted changes in {len(changed)} file" + "s" * (len(changed) > 1)


def _commit(asked: str, root: Path) -> tuple[str, str]:
    """Hash and subject of a revision. Raises IrqcostError."""
    done = git.run(root, "rev-parse", "--verify", "--end-of-options", f"{asked}^{{commit}}")
    commit = done.stdout.decode(errors="replace").strip()
    if done.returncode or not re.fullmatch("[0-9a-f]{40,64}", commit):
        why = git.complaint(done)
        if git.line(root, "rev-parse", "--is-shallow-repository") == "true":
            why += "; this clone is shallow: git fetch --unshallow gets the older revisions"
        raise IrqcostError(f"{asked}: not a file, a folder or a revision: {why}")
    return commit, git.line(root, "log", "-1", "--format=%s", commit)


def _unpacked(asked: str, commit: str, root: Path) -> Path:
    """The tree of a commit in the cache, without git. Raises IrqcostError."""
    place = cache_directory() / "ab"
    target = place / commit
    with locked(place / ".lock"):
        if not target.is_dir():
            with tempfile.TemporaryDirectory(dir=place, prefix=".new-") as folder:
                _extract(asked, commit, root, Path(folder, "tree"))
                Path(folder, "tree").rename(target)
        # The kernel's current stamp may be that of the last one.
        os.utime(target, ns=(time.time_ns(), time.time_ns()))
        _prune(place)
    return target


def _extract(asked: str, commit: str, root: Path, tree: Path) -> None:
    done = git.run(root, "archive", commit)
    if done.returncode:
        raise IrqcostError(f"{asked}: git cannot unpack it: {git.complaint(done)}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        archives.unpack(tar, tree)
    _require_project(asked, tree)


def _prune(place: Path) -> None:
    """Removes what was not used for longest."""
    trees = [path for path in place.iterdir() if path.is_dir() and path.name[0] != "."]
    trees.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in trees[_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
