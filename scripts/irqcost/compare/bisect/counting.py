# SPDX-License-Identifier: GPL-2.0-only
"""The exact count of one benchmark in what a git tree has checked out: of a kernel, or of irqcost.

A kernel is built, with the smallest configuration that boots, and measured by this irqcost. Of a
tree of irqcost the harness and the module are built, and measured on one kernel. Both run in a
guest under the instruction clock.
"""

import dataclasses
import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from irqcost.base.cache import cache_directory, locked
from irqcost.base.errors import IrqcostError
from irqcost.base.progress import Progress
from irqcost.compare.ab import builds, git
from irqcost.measure import build
from irqcost.model import catalogue, description
from irqcost.vm import both, from_source
from irqcost.vm.architectures import X86
from irqcost.vm.from_source import RECIPES, Recipe, Say
from irqcost.vm.kernels import find_kernel
from irqcost.vm.module import make_module

# What tells a kernel's tree: it has these.
_OF_A_KERNEL = ("Kbuild", "init/Kconfig", "arch/x86/include/asm/irqflags.h")

# Turns: one would do where all is exact, and a second one shows that it is.
_TURNS = (0, 0)

# In the release of a kernel that is built here.
_NAME = "bisect"


class Unmeasurable(IrqcostError):
    """There is no count of this commit: it does not build or boot, or lacks the benchmark."""


@dataclass(frozen=True)
class Asked:
    """What is to be counted.

    @benchmark: its name. @kernel: the kernel on which trees of irqcost are measured. @config: what
    a kernel's configuration has beside bench_kmod/tests/guest.config. @place: the folder where
    kernels are built.
    """

    benchmark: str
    kernel: str
    config: Path | None
    place: Path


def place(tree: Path) -> Path:
    """The folder in the cache for what is built of a tree."""
    digest = hashlib.sha256(str(tree.resolve()).encode()).hexdigest()[:12]
    return cache_directory() / "bisect" / f"{tree.resolve().name}-{digest}"


def is_kernel(tree: Path) -> bool:
    """Whether a folder has the sources of a kernel, and not of irqcost. Raises IrqcostError where
    it has neither."""
    if all((tree / name).is_file() for name in _OF_A_KERNEL):
        return True
    missing = builds.missing_files(tree)
    if missing:
        raise IrqcostError(
            f"{tree}: neither a kernel's tree ({_OF_A_KERNEL[-1]}) nor irqcost's ({missing[0]})"
        )
    return False


def require(asked: Asked, tree: Path) -> None:
    """Raises IrqcostError where no commit could be counted, for a reason that is not a commit's."""
    kernel = is_kernel(tree)
    _require_benchmark(asked.benchmark, ours=kernel)
    if not shutil.which(X86.qemu):
        raise IrqcostError(f"{X86.qemu} is missing: install the package {X86.package}")
    if not kernel:
        return
    from_source.require_tools()
    if asked.config is not None and not asked.config.is_file():
        raise IrqcostError(f"--config {asked.config}: no such file")


def require_alone(tree: Path) -> None:
    """Raises IrqcostError where what is in a tree is not what its commit has, or a build is in the
    way of another one outside."""
    top = git.run(tree, "rev-parse", "--show-toplevel")
    if top.returncode:
        raise IrqcostError(f"{tree}: not a git tree: {git.complaint(top)}")
    changed = git.line(tree, "status", "--porcelain", "--untracked-files=no").splitlines()
    if changed:
        raise IrqcostError(
            f"{tree}: {len(changed)} changed file{'s' * (len(changed) > 1)}: commit or stash that, "
            "so that a count is of the commit"
        )
    if is_kernel(tree) and (tree / "include" / "config").exists():
        raise IrqcostError(f"{tree}: a kernel was built in it; `make mrproper` removes that")


@contextmanager
def apart(asked: Asked) -> Iterator[Asked]:
    """The same, in a folder of its own that does not stay. Its name does: compilers' caches know
    files by their paths."""
    with locked(asked.place / ".lock"):
        folder = asked.place / "search"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield dataclasses.replace(asked, place=folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _require_benchmark(name: str, ours: bool) -> None:
    """`ours`: the probes are those of this irqcost, and not of some commit."""
    backend, _, rest = name.partition("/")
    probe, _, mode = rest.partition("/")
    modes = description.read()["modes"]
    if backend not in ("ring3", "kmod", "bpf") or not any(
        mode == one or mode.startswith(f"{one}/") for one in modes
    ):
        raise IrqcostError(
            f"--benchmark {name}: write backend/probe/mode, such as "
            "kmod/local_irq_save_restore/throughput; a guest has ring3, kmod and bpf, and modes "
            f"are {', '.join(modes)}"
        )
    known = {one.key for one in catalogue.read() if backend in one.backends}
    if ours and probe not in known:
        raise IrqcostError(
            f"--benchmark {name}: {backend} has no probe {probe}; `irqcost probes` lists them"
        )


def count(asked: Asked, tree: Path) -> float:
    """How many instructions the benchmark executes in what is checked out in `tree`. Raises
    Unmeasurable, and IrqcostError where the reason is not the commit's."""
    counted = _of_kernel if is_kernel(tree) else _of_project
    with Progress(f"counting {asked.benchmark}") as progress:
        return counted(asked, tree, progress)


def _of_kernel(asked: Asked, tree: Path, progress: Progress) -> float:
    bench = build.harness()
    try:
        built = _kernel_built(asked, tree, progress.show)
        kernel = find_kernel(str(built), progress.show)
        with tempfile.TemporaryDirectory(prefix="irqcost-") as folder:
            # Not the cache's: of two commits all may be the same that it knows modules by.
            make_module(kernel, Path(folder))
            side = both.Side(bench, Path(folder, "irqcost.ko"))
            turns = both.in_turn(kernel, [side], _TURNS, _pattern(asked), progress)
    except IrqcostError as error:
        raise Unmeasurable(str(error)) from error
    return agreed(asked.benchmark, turns)


def _kernel_built(asked: Asked, tree: Path, say: Say) -> Path:
    """The folder of what is built, where the next commit builds only what differs."""
    recipe = recipe_of(asked)
    folder = asked.place / "build"
    # Always: the configuration of a commit must not depend on which one was built before.
    from_source.configure(recipe, _NAME, tree, folder, say)
    say("building the kernel")
    cached = ["CC=ccache gcc"] if shutil.which("ccache") else []
    from_source.make(recipe, tree, folder, *cached)
    return folder


def recipe_of(asked: Asked) -> Recipe:
    own = () if asked.config is None else (str(asked.config.resolve()),)
    return dataclasses.replace(RECIPES["plain"], configs=own)


def _of_project(asked: Asked, tree: Path, progress: Progress) -> float:
    kernel = find_kernel(asked.kernel, progress.show)
    project = builds.Build(str(tree), "", source=tree.resolve())
    try:
        side = both.Side(project.bench(), project.module(kernel, progress.show))
        turns = both.in_turn(kernel, [side], _TURNS, _pattern(asked), progress)
    except IrqcostError as error:
        raise Unmeasurable(str(error)) from error
    return agreed(asked.benchmark, turns)


def _pattern(asked: Asked) -> str:
    return f"^{re.escape(asked.benchmark)}$"


def agreed(benchmark: str, turns: list[both.Turn]) -> float:
    """The count on which all turns agree. Raises Unmeasurable."""
    counts = []
    for turn in turns:
        entry = turn.result.figures.get(benchmark)
        if entry is None:
            reasons = {one.reason for one in turn.result.context.absent}
            raise Unmeasurable(f"{benchmark} was not measured: {'; '.join(sorted(reasons))}")
        if entry.spread:
            raise Unmeasurable(f"{benchmark}: its count differs from sample to sample")
        # A BPF program's clock is the kernel's: ns by a scale that is known to a millionth.
        counts.append(round(entry.ticks, 2))
    if len(set(counts)) > 1:
        raise Unmeasurable(f"{benchmark}: its count differs from time to time ({counts})")
    return counts[0]
