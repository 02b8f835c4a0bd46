# SPDX-License-Identifier: GPL-2.0-only
"""irqcost.ko for a kernel, built once for each kernel, compiler and state of the sources."""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from irqcost.base import layout
from irqcost.base.cache import cache_directory, locked
from irqcost.base.errors import BuildError
from irqcost.base.process import output
from irqcost.vm.from_source import Say
from irqcost.vm.kernels import Kernel

SOURCES = layout.module_sources()

# With the kernel's further warnings on, so that what make said need not be made again.
_FLAGS = ("W=1",)
LOG = "make.log"

_ARCH_SOURCES = (".c", ".def", ".h", ".mk")


def source_files(sources: Path = SOURCES) -> list[Path]:
    """What the module is made from."""
    files = [sources / "Kbuild", sources / "Makefile", *sources.glob("*.[ch]")]
    files += (path for path in (sources / "include").rglob("*") if path.is_file())
    # Revisions before 0.3 have none; in the folders of architectures Kbuild has products.
    files += (path for path in (sources / "arch").rglob("*") if path.suffix in _ARCH_SOURCES)
    # Revisions before 0.3 have none.
    files += (path for path in [sources / "VERSION"] if path.is_file())
    # Kbuild's own product, where somebody built in the source tree.
    return sorted(path for path in files if not path.name.endswith(".mod.c"))


def build_key(kernel: Kernel, compiler: str, files: Iterable[Path], base: Path = SOURCES) -> str:
    """A name that changes when anything does that the module depends on."""
    digest = hashlib.sha256()
    config = kernel.headers / "include/generated/autoconf.h"
    for text in (kernel.release, str(kernel.headers), compiler, *kernel.settings, *_FLAGS):
        digest.update(text.encode() + b"\0")
    digest.update(config.read_bytes() if config.is_file() else b"")
    # Of a kernel that is built here, a header may differ from before and nothing else that has a
    # name. The kernel was then built again, since it includes the same header.
    if kernel.root is None and kernel.vmlinuz.is_file():
        digest.update(hashlib.sha256(kernel.vmlinuz.read_bytes()).digest())
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(base)}\0{len(content)}\0".encode() + content)
    return f"{kernel.release}-{digest.hexdigest()[:16]}"


def make_argv(kernel: Kernel, build: Path, *further: str, sources: Path = SOURCES) -> list[str]:
    """The command that builds the module for @kernel in @build; @further goes to Kbuild."""
    if kernel.toolchain:
        return kernel.toolchain.make_argv(kernel.headers, sources, build, *further)
    places = [f"KDIR={kernel.headers}", f"BUILD={build}"]
    return ["make", "-C", str(sources), *places, *kernel.settings, *further]


def compiler_of(kernel: Kernel) -> str:
    """What tells the compiler that builds for @kernel from another. Raises BuildError."""
    if kernel.toolchain:
        return kernel.toolchain.identity()
    architecture = kernel.architecture
    compiler = architecture.tool("gcc")
    packages = f"make and gcc-{architecture.triplet}" if architecture.triplet else "make and gcc"
    for tool in ("make", compiler):
        if not shutil.which(tool):
            raise BuildError(f"{tool} is missing: install the packages {packages}")
    return subprocess.run(
        [compiler, "--version"], capture_output=True, text=True, check=True
    ).stdout


def make_module(kernel: Kernel, build: Path, *further: str, sources: Path = SOURCES) -> str:
    """Build in @build. Return: make's output. Raises BuildError with its end."""
    return output(
        make_argv(kernel, build, *further, sources=sources),
        f"the module does not build for kernel {kernel.release}",
    )


def build_module(kernel: Kernel, say: Say, sources: Path = SOURCES) -> Path:
    """The path of irqcost.ko for @kernel, built now if it is not in the cache. What make said of it
    is beside it (LOG)."""
    if not (sources / "Kbuild").is_file():
        raise BuildError(f"{sources}: no sources of the module: install the package irqcost-dkms")
    modules = cache_directory() / "modules"
    key = build_key(kernel, compiler_of(kernel), source_files(sources), sources)
    final = modules / key / "irqcost.ko"
    if not final.is_file():
        with locked(modules / f".{kernel.release}.lock"):
            if not final.is_file():
                say(f"building the module for kernel {kernel.release}")
                with tempfile.TemporaryDirectory(dir=modules, prefix=".build-") as work:
                    build, ready = Path(work) / "build", Path(work) / "ready"
                    build.mkdir()
                    ready.mkdir()
                    said = make_module(kernel, build, *_FLAGS, sources=sources)
                    (ready / LOG).write_text(said, encoding="utf-8")
                    (build / "irqcost.ko").rename(ready / "irqcost.ko")
                    ready.rename(final.parent)
    return final
