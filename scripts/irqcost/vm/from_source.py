# SPDX-License-Identifier: GPL-2.0-only
"""Kernels built from Debian's sources, each by a recipe: source, configuration and compiler.

It takes some minutes, once. A build that was stopped continues where it was. Kernels of one source
share its tree; each has a folder of its own for what is built.
"""

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from irqcost import ROOT
from irqcost.base import archives
from irqcost.base.errors import BuildError, IrqcostError
from irqcost.base.process import output
from irqcost.vm.apt import PrivateApt, find_archive, machine_sources
from irqcost.vm.architectures import ARM64, X86, Architecture

# Told what is being done, for a line of progress.
Say = Callable[[str], None]

CONFIGS = ROOT / "bench_kmod" / "tests"

# Of what a metapackage of sources depends on, the sources.
_SOURCE_PACKAGE = re.compile(r"^linux-source-\d")


@dataclass(frozen=True)
class Source:
    """A package of kernel sources, or the metapackage that names the newest one, in a release."""

    release: str
    package: str


# Of the table's releases the one whose compiler is likeliest this machine's.
_STABLE = Source("bookworm", "linux-source-6.1")
# Any compiler of the last years builds it.
_NEWEST = Source("trixie-backports", "linux-source")


@dataclass(frozen=True)
class Recipe:
    """How a kernel is built: what its guest boots with and @configs on top, in that order, and by
    clang or gcc.

    @architecture: its own; the compiler is a cross compiler where it is not this machine's.
    @parameters: what it is always booted with.
    """

    source: Source
    configs: tuple[str, ...] = ()
    clang: bool = False
    architecture: Architecture = X86
    parameters: str = ""

    def settings(self, name: str) -> str:
        """What is wanted of Kconfig; @name is in the kernel's release."""
        guest = ("guest.config", f"guest-{self.architecture.folder}.config")
        configs = (*guest, *self.configs)
        texts = [(CONFIGS / config).read_text(encoding="utf-8") for config in configs]
        return "".join([*texts, f'CONFIG_LOCALVERSION="-{name}"\n'])

    def make_argv(self, source: Path, build: Path, *targets: str) -> list[str]:
        """The command that builds @targets in @build."""
        compiler = [f"LLVM={_llvm()}"] if self.clang else list(self.architecture.crossing)
        places = ["-C", str(source), f"O={build}"]
        return ["make", *places, f"-j{os.cpu_count() or 1}", *compiler, *targets]


RECIPES = {
    # What the toggles below are compared with.
    "plain": Recipe(_NEWEST),
    # Tracepoints wherever interrupts or preemption are switched.
    "tracepoints": Recipe(_NEWEST, ("tracepoints.config",)),
    # PREEMPT_RT without and with the lock that all sections with softirqs off once shared.
    "rt": Recipe(_NEWEST, ("rt.config",)),
    "rt-bh-lock": Recipe(_NEWEST, ("rt.config", "rt-bh-lock.config")),
    # kCFI is newer than the clang of Debian 12, which has others beside it.
    "clang": Recipe(_STABLE, ("clang.config",), clang=True),
    # Lock proving, the tracing of the interrupt flag, sanitizers, leak detection.
    "debug": Recipe(_STABLE, ("debug.config",)),
    # Masking by priority, which no kernel of Debian has; without the parameter it masks by DAIF.
    "pseudo-nmi-arm64": Recipe(
        _NEWEST,
        ("pseudo-nmi.config",),
        architecture=ARM64,
        parameters="irqchip.gicv3_pseudo_nmi=1",
    ),
}

# The first clang with -fsanitize=kcfi.
_LEAST_CLANG = 16
_NEWEST_CLANG = 30


def _llvm() -> str:
    """The value of LLVM= that names the oldest clang that is new enough. Raises IrqcostError."""
    for version in range(_LEAST_CLANG, _NEWEST_CLANG):
        if shutil.which(f"clang-{version}") and shutil.which(f"ld.lld-{version}"):
            return f"-{version}"
    raise IrqcostError(
        f"no clang that knows kCFI: install the packages clang-{_LEAST_CLANG}, "
        f"lld-{_LEAST_CLANG} and llvm-{_LEAST_CLANG}, or newer ones"
    )


def missing_settings(wanted: str, config: str) -> list[str]:
    """Lines of @wanted that Kconfig did not take over into @config: misspelt, or unmet."""
    lines = set(config.splitlines())
    return [
        line for line in wanted.splitlines() if line.startswith("CONFIG_") and line not in lines
    ]


def source_of(name: str, sources: Path, say: Say, mirror: str | None) -> Path:
    """The unpacked source of recipe @name in the folder @sources, fetched if it is not there.

    Raises IrqcostError.
    """
    source = RECIPES[name].source
    tree = sources / source.package
    if not tree.is_dir():
        say(f"kernel {name}: fetching {source.package}")
        _fetch(source, tree, mirror)
    return tree


def build(name: str, source: Path, directory: Path, say: Say) -> None:
    """Make @directory the built kernel of recipe @name from @source. Raises IrqcostError."""
    recipe = RECIPES[name]
    require_tools(recipe.architecture)
    wanted = recipe.settings(name)
    config = directory / ".config"
    if not config.is_file() or missing_settings(wanted, config.read_text(encoding="utf-8")):
        configure(recipe, name, source, directory, say)
    say(f"kernel {name}: building (some minutes, once)")
    make(recipe, source, directory)


def require_tools(architecture: Architecture = X86) -> None:
    """Raises IrqcostError where one is missing that builds kernels."""
    needed = {tool: tool for tool in ("bison", "flex", "bc")}
    if architecture.triplet:
        needed[architecture.tool("gcc")] = f"gcc-{architecture.triplet}"
    for tool, package in needed.items():
        if not shutil.which(tool):
            raise IrqcostError(
                f"{tool} is missing, which builds kernels: install the package {package}"
            )


def configure(recipe: Recipe, name: str, source: Path, directory: Path, say: Say) -> None:
    """Let @directory have the configuration of @recipe. Raises BuildError."""
    wanted = recipe.settings(name)
    say(f"kernel {name}: configuring")
    directory.mkdir(parents=True, exist_ok=True)
    asked = directory / "asked.config"
    asked.write_text(wanted, encoding="utf-8")
    # What is not asked for is left out, also where it comes with something else by default.
    _make(recipe.make_argv(source, directory, f"KCONFIG_ALLCONFIG={asked}", "allnoconfig"))
    config = (directory / ".config").read_text(encoding="utf-8")
    if missing := missing_settings(wanted, config):
        raise BuildError(f"kernel {name}: its source does not have {', '.join(missing)}")


def make(recipe: Recipe, source: Path, directory: Path, *further: str) -> None:
    """Build the image and what modules need, as @directory is configured; @further goes to make.
    Raises BuildError."""
    image = Path(recipe.architecture.image).name
    _make(recipe.make_argv(source, directory, *further, image, "modules"))


def _make(argv: Sequence[str]) -> None:
    output(argv, f"the kernel does not build ({' '.join(argv)})")


def _fetch(source: Source, target: Path, mirror: str | None) -> None:
    """Fetch and unpack the sources beside @target, and rename them when they are complete."""
    archive = find_archive(machine_sources(), mirror)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".source-") as work:
        scratch = Path(work)
        apt = PrivateApt(scratch / "apt", archive, source.release)
        apt.update()
        for deb in apt.download(apt.closure([source.package], _SOURCE_PACKAGE), scratch):
            subprocess.run(["dpkg-deb", "--extract", str(deb), str(scratch / "deb")], check=True)
        [packed] = (scratch / "deb/usr/src").glob("linux-source-*.tar.*")
        with tarfile.open(packed) as tar:
            archives.unpack(tar, scratch / "source")
        [tree] = (scratch / "source").iterdir()
        tree.rename(target)
