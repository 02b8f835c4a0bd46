# SPDX-License-Identifier: GPL-2.0-only
"""Kernels built from Debian's sources, each by a recipe: a configuration and a compiler.

It takes some minutes, once. A build that was stopped goes on where it was.
"""

import os
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
from irqcost.vm.apt import PrivateApt, find_archive, machine_sources

CONFIGS = ROOT / "bench_kmod" / "tests"

# Of the table's releases the one whose compiler is likeliest this machine's.
_RELEASE, _PACKAGE = "bookworm", "linux-source-6.1"

_LOG_TAIL_LINES = 30


@dataclass(frozen=True)
class Recipe:
    """How a kernel is built: @configs on top of tinyconfig, in that order, and by clang or gcc."""

    configs: tuple[str, ...]
    clang: bool = False

    def settings(self) -> str:
        """What is wanted of Kconfig."""
        return "".join((CONFIGS / name).read_text(encoding="utf-8") for name in self.configs)

    def make_argv(self, tree: Path, *targets: str) -> list[str]:
        """The command that builds @targets in @tree."""
        compiler = [f"LLVM={_llvm()}"] if self.clang else []
        return ["make", "-C", str(tree), f"-j{os.cpu_count() or 1}", *compiler, *targets]


RECIPES = {
    # kCFI is newer than the clang of Debian 12, which has others beside it.
    "clang": Recipe(("guest.config", "clang.config"), clang=True),
    # Lock proving, the tracing of the interrupt flag, sanitizers, leak detection.
    "debug": Recipe(("guest.config", "debug.config")),
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


def build(name: str, tree: Path, say: Callable[[str], None], mirror: str | None) -> None:
    """Make @tree the built kernel of recipe @name. Raises IrqcostError."""
    recipe = RECIPES[name]
    for tool in ("bison", "flex", "bc"):
        if not shutil.which(tool):
            raise IrqcostError(
                f"{tool} is missing, which builds kernels: install the package {tool}"
            )
    if not tree.is_dir():
        say(f"kernel {name}: fetching {_PACKAGE}")
        _unpack_source(tree, mirror)
    wanted = recipe.settings()
    config = tree / ".config"
    if not config.is_file() or missing_settings(wanted, config.read_text(encoding="utf-8")):
        say(f"kernel {name}: configuring")
        _make(recipe.make_argv(tree, "tinyconfig"))
        config.write_text(config.read_text(encoding="utf-8") + wanted, encoding="utf-8")
        _make(recipe.make_argv(tree, "olddefconfig"))
        missing = missing_settings(wanted, config.read_text(encoding="utf-8"))
        if missing:
            raise BuildError(f"kernel {name}: its source does not have {', '.join(missing)}")
    say(f"kernel {name}: building (some minutes, once)")
    _make(recipe.make_argv(tree, "bzImage", "modules"))


def _make(argv: Sequence[str]) -> None:
    done = subprocess.run(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-_LOG_TAIL_LINES:])
        raise BuildError(f"the kernel does not build ({' '.join(argv)}):\n{tail}")


def _unpack_source(tree: Path, mirror: str | None) -> None:
    """Fetch and unpack the sources beside @tree, and rename them when they are complete."""
    tree.parent.mkdir(parents=True, exist_ok=True)
    archive = find_archive(machine_sources(), mirror)
    with tempfile.TemporaryDirectory(dir=tree.parent, prefix=".source-") as work:
        scratch = Path(work)
        apt = PrivateApt(scratch / "apt", archive, _RELEASE)
        apt.update()
        [deb] = apt.download([_PACKAGE], scratch)
        subprocess.run(["dpkg-deb", "--extract", str(deb), str(scratch / "deb")], check=True)
        [packed] = (scratch / "deb/usr/src").glob("linux-source-*.tar.*")
        with tarfile.open(packed) as tar:
            archives.unpack(tar, scratch / "source")
        [source] = (scratch / "source").iterdir()
        source.rename(tree)
