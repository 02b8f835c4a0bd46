# SPDX-License-Identifier: GPL-2.0-only
"""Where things are: in a checkout, or as a package has installed them.

Installed, the tree below ROOT has what the commands read, under the same paths as a checkout, and
a file that says where the rest is. packaging/CMakeLists.txt writes it. Nothing is written there.
"""

import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from irqcost import ROOT
from irqcost.base.errors import IrqcostError

# The paths in it are relative to the folder that it is in.
RECORD = "installed.json"


@dataclass(frozen=True)
class Installed:
    """Where a package has put the harness and the sources of the module."""

    bench: Path
    module: Path


@lru_cache(maxsize=1)
def installed(root: Path = ROOT) -> Installed | None:
    """What a package has installed; None in a checkout."""
    try:
        record = json.loads((root / RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Installed(*(Path(os.path.normpath(root / record[key])) for key in ("bench", "module")))


def command() -> str:
    """How a user starts irqcost."""
    return "irqcost" if installed() else "./irqcost"


def version() -> str:
    """The version of the command."""
    return (ROOT / "VERSION").read_text(encoding="utf-8").strip()


def results() -> Path:
    """The folder of this user's results: results/ of the checkout; installed, a folder in
    $XDG_DATA_HOME, else in ~/.local/share. Raises IrqcostError."""
    if not installed():
        return ROOT / "results"
    base = os.environ.get("XDG_DATA_HOME", "")
    # The specification wants relative ones ignored.
    if os.path.isabs(base):
        return Path(base) / "irqcost" / "results"
    try:
        return Path.home() / ".local" / "share" / "irqcost" / "results"
    except RuntimeError:
        raise IrqcostError(
            "this user has no home folder for results: name a folder in $XDG_DATA_HOME"
        ) from None


def state() -> Path:
    """The folder of what commands of this user remember and cannot make anew: that of the systemd
    service, else irqcost in $XDG_STATE_HOME, else in ~/.local/state. Raises IrqcostError."""
    # A service may have several folders.
    service = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if os.path.isabs(service):
        return Path(service)
    base = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(base):
        return Path(base) / "irqcost"
    try:
        return Path.home() / ".local" / "state" / "irqcost"
    except RuntimeError:
        raise IrqcostError(
            "this user has no home folder for what is remembered: name one in $XDG_STATE_HOME"
        ) from None


def results_named() -> str:
    """That folder, in the words of a help text."""
    if installed():
        return "${XDG_DATA_HOME:-~/.local/share}/irqcost/results"
    return "the folder results/ of the checkout"


def module_sources() -> Path:
    """The folder of the module's sources, be it there or not."""
    found = installed()
    return found.module if found else ROOT / "bench_kmod"


def include_folders(architecture: str) -> tuple[Path, ...]:
    """Where programs of an architecture find what they share with the module."""
    kmod = ROOT / "bench_kmod"
    return kmod / "include", kmod / "arch" / architecture / "include"


def checkout(what: str) -> Path:
    """The checkout, for what only that has. Raises IrqcostError where irqcost is installed."""
    if installed():
        raise IrqcostError(
            f"{what} needs the sources of irqcost, which no package has: use a checkout"
        )
    return ROOT
