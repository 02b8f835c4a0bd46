# SPDX-License-Identifier: GPL-2.0-only
"""A kernel with every check that finds a wrong module, built from Debian's sources.

Lock proving, the tracing of the interrupt flag, address and undefined-behaviour sanitizers, leak
detection: bench_kmod/tests/debug.config. It takes some minutes, once. A build that was stopped
goes on where it was.
"""

import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from irqcost import ROOT, archives
from irqcost.errors import BuildError, IrqcostError
from irqcost.vm.apt import PrivateApt, find_archive, machine_sources

CONFIG = ROOT / "bench_kmod" / "tests" / "debug.config"

# Of the table's releases the one whose compiler is likeliest this machine's.
_RELEASE, _PACKAGE = "bookworm", "linux-source-6.1"

_LOG_TAIL_LINES = 30


def make_argv(tree: Path, *targets: str) -> list[str]:
    """The command that builds @targets in @tree."""
    return ["make", "-C", str(tree), f"-j{os.cpu_count() or 1}", *targets]


def missing_settings(wanted: str, config: str) -> list[str]:
    """Lines of @wanted that Kconfig did not take over into @config: misspelt, or unmet."""
    lines = set(config.splitlines())
    return [
        line for line in wanted.splitlines() if line.startswith("CONFIG_") and line not in lines
    ]


def build(tree: Path, say: Callable[[str], None], mirror: str | None) -> None:
    """Make @tree the built debug kernel. Raises IrqcostError."""
    for tool in ("bison", "flex", "bc"):
        if not shutil.which(tool):
            raise IrqcostError(
                f"{tool} is missing, which builds kernels: install the package {tool}"
            )
    if not tree.is_dir():
        say(f"kernel debug: fetching {_PACKAGE}")
        _unpack_source(tree, mirror)
    wanted = CONFIG.read_text(encoding="utf-8")
    config = tree / ".config"
    if not config.is_file() or missing_settings(wanted, config.read_text(encoding="utf-8")):
        say("kernel debug: configuring")
        _make(tree, "tinyconfig")
        config.write_text(config.read_text(encoding="utf-8") + wanted, encoding="utf-8")
        _make(tree, "olddefconfig")
        missing = missing_settings(wanted, config.read_text(encoding="utf-8"))
        if missing:
            raise BuildError(f"{CONFIG.name}: this kernel does not have {', '.join(missing)}")
    say("kernel debug: building (some minutes, once)")
    _make(tree, "bzImage", "modules")


def _make(tree: Path, *targets: str) -> None:
    done = subprocess.run(
        make_argv(tree, *targets),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-_LOG_TAIL_LINES:])
        raise BuildError(f"the debug kernel does not build (make {' '.join(targets)}):\n{tail}")


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
