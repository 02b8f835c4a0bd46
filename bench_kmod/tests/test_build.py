# SPDX-License-Identifier: GPL-2.0-only
"""The module built by a real kernel's build system where paths and the environment are awkward."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from irqcost.vm.module import SOURCES, source_files
from vm_guests import kernel

pytestmark = pytest.mark.guest


def small(target: Path) -> Path:
    """The module's sources in @target, with one row that calls the kernel: most of the time goes
    into compiling those."""
    for path in source_files():
        place = target / path.relative_to(SOURCES)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    kept = False
    for rows in sorted(target.rglob("*.def")):
        text = rows.read_text(encoding="utf-8")
        for call in re.findall(r"^IRQCOST_CALL\((?:.|\n)*?(?=^\S|\Z)", text, re.MULTILINE):
            text = text.replace(call, "") if kept else text
            kept = True
        rows.write_text(text, encoding="utf-8")
    return target


def headers(target: Path) -> Path:
    """A copy of a kernel's headers, with all that is beside them, in @target."""
    used = kernel("6.1")
    assert used.root
    shutil.copytree(used.root / "usr", target / "usr", symlinks=True)
    return target / used.headers.relative_to(used.root)


def make(sources: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {key: value for key, value in os.environ.items() if key not in ("LLVM", "MAKEFLAGS")}
    return subprocess.run(
        ["make", "-s", "-C", str(sources), f"-j{os.cpu_count()}", *arguments],
        capture_output=True,
        text=True,
        env=known | environment,
        check=False,
    )


def test_with_a_blank_in_every_path(tmp_path: Path) -> None:
    sources = small(tmp_path / "the sources")
    build = tmp_path / "the build"
    done = make(
        sources,
        f"KDIR={headers(tmp_path / 'the kernel')}",
        f"BUILD={build}",
        KBUILD_OUTPUT=str(tmp_path / "elsewhere"),
    )
    assert done.returncode == 0, done.stderr
    module = (build / "irqcost.ko").read_bytes()
    assert f"\0vermagic={kernel('6.1').release} ".encode() in module
    assert not (tmp_path / "elsewhere").exists()
    assert not list(sources.glob("*.o"))


@pytest.mark.skipif(not shutil.which("clang"), reason="needs clang")
def test_by_the_wrong_compiler(tmp_path: Path) -> None:
    done = make(SOURCES, f"KDIR={kernel('6.1').headers}", f"BUILD={tmp_path}", "CC=clang")
    assert done.returncode
    assert "irqcost: clang is the wrong compiler: this kernel was built by gcc-12" in done.stderr
