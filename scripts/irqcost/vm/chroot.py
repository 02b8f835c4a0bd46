# SPDX-License-Identifier: GPL-2.0-only
"""The compiler of another Debian release: a minimal system of that release in a folder.

A kernel's modules should be built by the compiler that built the kernel, and Debian's newest
kernels bring tools that need a newer C library than this machine's. Nothing in such a folder is
ever started but make; what is mounted for that is in a mount namespace of its own, so that it
is gone when make ends, however it ends.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from irqcost.base.errors import BuildError, IrqcostError
from irqcost.base.process import output
from irqcost.vm.apt import Source

# Where the kernel's unpacked packages, the module's sources and its objects are within.
KERNEL = Path("/kernel")
_SOURCES = Path("/irqcost")
_BUILD = Path("/build")

# Beside what a kernel's packages name. A compiler for cross builds has no plain `as`; with W=1 the
# kernel's scripts in Perl read the module's comments.
TOOLS = ("make", "binutils", "perl")

# What is mounted in it is gone with the last process in it.
_NAMESPACE = ("unshare", "--mount", "--propagation", "private")

# objtool reads /proc. Arguments: chroot, kernel, sources, build, and the command.
_ENTER = """\
mount -t proc proc "$1/proc"
mount --bind "$2" "$1/kernel"
mount --bind "$3" "$1/irqcost"
mount --bind "$4" "$1/build"
root=$1
shift 4
exec chroot "$root" "$@"
"""


@dataclass(frozen=True)
class Chroot:
    """A system made by make(). @kernel is what appears as KERNEL in it."""

    root: Path
    kernel: Path

    def make_argv(self, headers: Path, sources: Path, build: Path, *further: str) -> list[str]:
        """The command that builds the module; the paths are those of this machine."""
        inside = KERNEL / headers.relative_to(self.kernel)
        # With the folder around the sources, which they have links into.
        mounts = [str(self.root), str(self.kernel), str(sources.parent), str(build)]
        within = _SOURCES / sources.name
        make = ["make", "-C", str(within), f"KDIR={inside}", f"BUILD={_BUILD}", *further]
        return [*_NAMESPACE, "sh", "-euc", _ENTER, "enter", *mounts, *make]

    def identity(self) -> str:
        """Changes when any package of it does. Raises BuildError where it may not be entered."""
        if os.geteuid():
            raise BuildError(f"{self.root}: only root can build in it")
        status = (self.root / "var/lib/dpkg/status").read_bytes()
        return hashlib.sha256(status).hexdigest()


def make(root: Path, suite: str, packages: Iterable[str], archive: Source) -> None:
    """Make a minimal Debian system of @suite in @root, with TOOLS and @packages.

    Raises IrqcostError, also where the user is not root.
    """
    bootstrap(root, suite, archive, [*TOOLS, *packages])
    for place in (KERNEL, _SOURCES, _BUILD):
        (root / place.relative_to("/")).mkdir()


def bootstrap(root: Path, suite: str, archive: Source, packages: Sequence[str] = ()) -> None:
    """Make a minimal system of @suite with @packages in @root, verified by the archive's keys.

    Raises IrqcostError, also where the user is not root.
    """
    if os.geteuid():
        raise IrqcostError(f"only root can install Debian {suite} into a folder (debootstrap)")
    if not shutil.which("debootstrap"):
        raise IrqcostError("debootstrap is missing: install the package debootstrap")
    # Without --force-check-gpg it warns and goes on where it finds no keys.
    command = ["debootstrap", "--variant=minbase", "--force-check-gpg"]
    if packages:
        command.append(f"--include={','.join(packages)}")
    if Path(archive.signed_by).is_file():
        command.append(f"--keyring={archive.signed_by}")
    # It mounts /proc and /sys in the new system, and leaves them mounted when it is ended.
    output(
        [*_NAMESPACE, *command, suite, str(root), archive.uri],
        f"{' '.join(command)} {suite} failed",
    )
