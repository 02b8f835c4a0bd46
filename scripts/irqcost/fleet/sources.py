# SPDX-License-Identifier: GPL-2.0-only
"""An archive of this checkout, as far as irqcost is built and runs from it."""

import gzip
import tarfile
from collections.abc import Iterator
from pathlib import Path

from irqcost import ROOT

_PARTS = (
    *("irqcost", "CMakeLists.txt", "CMakePresets.json", "VERSION", "CHANGELOG.md", "LICENSE"),
    *("bench_kmod", "bench_user", "packaging", "scripts/irqcost", "scripts/packages.txt"),
    *("scripts/evidence/recorder", "docs/result.schema.json", "fleet"),
    *("results/published", "results/emulated"),
)
# What builds and Python leave there.
_LEFT = {"__pycache__", ".mypy_cache"}
_MADE = {".o", ".ko", ".mod", ".cmd", ".pyc"}


def write(archive: Path) -> None:
    """Writes the archive: the same bytes for the same files, so that hosts build them once."""
    with archive.open("wb") as raw:
        with gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
            with tarfile.TarFile(fileobj=packed, mode="w") as tar:
                for path in _files():
                    tar.add(path, str(path.relative_to(ROOT)), False, filter=_ours)


def _files() -> Iterator[Path]:
    for part in _PARTS:
        whole = ROOT / part
        for path in sorted(whole.rglob("*")) if whole.is_dir() else [whole]:
            left = _LEFT & set(path.parts) or path.suffix in _MADE
            if not left and (path.is_file() or path.is_symlink()):
                yield path


def _ours(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Nobody's in particular."""
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
