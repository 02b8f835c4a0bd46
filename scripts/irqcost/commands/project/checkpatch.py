# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's checkpatch.pl, out of the distribution's package of kernel sources.

The package is only unpacked, and of it only what checkpatch reads. The first call fetches about
140 MB; the scripts stay in the cache.
"""

import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from irqcost.base.cache import cache_directory
from irqcost.base.errors import IrqcostError

_NEEDED = ("checkpatch.pl", "spelling.txt", "const_structs.checkpatch")


def script() -> Path:
    """checkpatch.pl in the cache, fetched if need be. Raises IrqcostError where it cannot be."""
    folder = cache_directory() / "checkpatch"
    if not folder.is_dir():
        if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
            raise IrqcostError(
                "checkpatch comes from a Debian package, and this is no Debian; put "
                f"{', '.join(_NEEDED)} of a kernel's scripts/ into {folder}"
            )
        _fetch(folder)
    return folder / _NEEDED[0]


def _run(command: list[str], cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise IrqcostError(f"`{' '.join(command)}` failed: {done.stderr.strip()}")
    return done.stdout


def _fetch(folder: Path) -> None:
    """Fills the folder: it is complete or not there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="checkpatch-") as name:
        work = Path(name)
        # The package linux-source represents the release's own version, such as linux-source-6.1.
        depends = _run(["apt-cache", "depends", "linux-source"], work)
        found = re.search(r"Depends: (linux-source-\S+)", depends)
        if not found:
            raise IrqcostError("apt knows no package linux-source (run apt-get update)")
        _run(["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", found[1]], work)
        package = next(work.glob("*.deb"))
        _run(["dpkg-deb", "-x", str(package), "unpacked"], work)
        archive = next((work / "unpacked").rglob("linux-source-*.tar.*"))
        scripts = work / "scripts"
        scripts.mkdir()
        _extract(archive, scripts)
        scripts.rename(folder)


def _extract(archive: Path, target: Path) -> None:
    missing = set(_NEEDED)
    with tarfile.open(archive, "r|*") as tar:
        for member in tar:
            path = Path(member.name)
            if path.parent.name == "scripts" and path.name in missing:
                content = tar.extractfile(member)
                assert content is not None  # a regular file
                (target / path.name).write_bytes(content.read())
                missing.remove(path.name)
                if not missing:
                    return
    raise IrqcostError(f"{archive.name} lacks {', '.join(sorted(missing))}")
