# SPDX-License-Identifier: GPL-2.0-only
"""Git, asked about a folder."""

import os
import subprocess
from pathlib import Path

from irqcost.base.errors import IrqcostError


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """Git in a folder. A hook that started this has GIT_DIR and more of the kind, for which git
    would read another repository; GIT_CONFIG_* may have the user's safe.directory. What it says is
    read, and so has to be English."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("GIT_") or key.startswith("GIT_CONFIG")
    } | {"LC_ALL": "C"}
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, env=environment
        )
    except FileNotFoundError as error:
        raise IrqcostError("git is not installed; it is needed to find revisions") from error


def line(folder: Path, *arguments: str) -> str:
    """What git prints, without the end of the line; "" where it fails."""
    return run(folder, *arguments).stdout.decode(errors="replace").strip()


def complaint(done: "subprocess.CompletedProcess[bytes]") -> str:
    """What git says itself, in one line."""
    return " ".join(done.stderr.decode(errors="replace").split())
