# SPDX-License-Identifier: GPL-2.0-only
"""What the repository keeps of measurements stays small enough to be cloned."""

import subprocess

import pytest

from irqcost import ROOT

FOLDERS = ("results", "scripts/evidence")
MOST_BYTES = 5_000_000


def test_tracked_data_stays_small() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: git lists the tracked files")
    command = ["git", "ls-files", "-z", *FOLDERS]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    sizes = {path.relative_to(ROOT): path.stat().st_size for path in files if path.exists()}
    assert sizes
    most = sorted(sizes.items(), key=lambda one: one[1], reverse=True)[:5]
    total = sum(sizes.values())
    assert total <= MOST_BYTES, f"{total} bytes are tracked; the largest files: {most}"
