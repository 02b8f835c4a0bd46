# SPDX-License-Identifier: GPL-2.0-only
"""Builds the harness and its BPF programs for another architecture, and runs its unit tests under
QEMU's emulation of user mode: function, no timing.

Libraries of that architecture are fetched as Debian packages and unpacked below build/cross;
nothing is installed. Needs the cross compiler (g++-aarch64-linux-gnu), qemu-user-static (from
Debian 13 on qemu-user), clang and bpftool.
"""

import argparse
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from irqcost import ROOT
from irqcost.base.errors import IrqcostError
from irqcost.vm import apt
from irqcost.vm.architectures import ARCHITECTURES, Architecture

_WANTED = ("libbenchmark-dev", "nettle-dev", "libgtest-dev", "libbpf-dev")
# The same for all.
_HEADERS = ("nlohmann-json3-dev",)
_TOOLCHAIN = """\
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR {processor})
set(CMAKE_CXX_COMPILER {compiler})
set(CMAKE_SYSROOT {sysroot})
set(CMAKE_FIND_ROOT_PATH {sysroot})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_CROSSCOMPILING_EMULATOR "{emulator};-L;{sysroot}")
"""


def fetch(architecture: Architecture, release: str, sysroot: Path, mirror: str | None) -> None:
    """Unpacks the libraries and all that they depend on. Raises IrqcostError."""
    archive = apt.find_archive(apt.machine_sources(), mirror)
    sysroot.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=sysroot.parent) as folder:
        work = Path(folder)
        source = apt.PrivateApt(work / "apt", archive, release, architecture.debian)
        source.update()
        wanted = [f"{name}:{architecture.debian}" for name in _WANTED]
        packages = source.closure([*wanted, *_HEADERS], re.compile(""))
        (work / "debs").mkdir()
        for deb in source.download(packages, work / "debs"):
            subprocess.run(["dpkg", "-x", str(deb), str(work / "sysroot")], check=True)
        # Where a merged /usr has them, which a package of the system itself would make.
        for name in ("lib", "lib64"):
            if not (work / "sysroot" / name).exists():
                (work / "sysroot" / name).symlink_to(f"usr/{name}")
        # Whole or not at all.
        (work / "sysroot").rename(sysroot)


def first_of(what: str, *names: str) -> str:
    """The first of these programs that is there. Raises IrqcostError."""
    for name in names:
        if shutil.which(name):
            return name
    raise IrqcostError(f"no {what}: none of {', '.join(names)} is installed")


def main() -> int:
    args = _parser().parse_args()
    architecture = ARCHITECTURES[args.architecture]
    folder = args.out / architecture.name
    processor = architecture.triplet.partition("-")[0]
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    compilers = [architecture.tool("g++"), architecture.tool("g++-12")]
    emulators = [f"qemu-{processor}-static", f"qemu-{processor}"]
    try:
        compiler = args.compiler or first_of("cross compiler", *compilers)
        emulator = first_of("emulator", *emulators)
        if not (folder / "sysroot").is_dir():
            print(f"cross: fetching libraries of Debian {release}, {architecture.debian}")
            fetch(architecture, release, folder / "sysroot", args.mirror)
        toolchain = folder / "toolchain.cmake"
        toolchain.write_text(
            _TOOLCHAIN.format(
                processor=processor,
                compiler=compiler,
                sysroot=folder / "sysroot",
                emulator=emulator,
            ),
            encoding="utf-8",
        )
        build = str(folder / "build")
        options = [f"-DCMAKE_TOOLCHAIN_FILE={toolchain}", "-DCMAKE_BUILD_TYPE=Release"]
        options += ["-DIRQCOST_BPF=ON", "-DIRQCOST_WERROR=ON"]
        for command in (
            ["cmake", "-S", str(ROOT), "-B", build, *options],
            ["cmake", "--build", build, "--parallel", str(args.jobs)],
            ["ctest", "--test-dir", build, "-L", "unit", "--output-on-failure", "-j2"],
        ):
            if (code := subprocess.run(command).returncode) != 0:
                raise IrqcostError(f"`{' '.join(command)}` ended with {code}")
    except IrqcostError as error:
        print(f"cross: {error}", file=sys.stderr)
        return error.code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cross", description=__doc__)
    foreign = [name for name, one in ARCHITECTURES.items() if one.triplet]
    add = parser.add_argument
    add("architecture", choices=foreign)
    add("--compiler", metavar="CXX", help="instead of the distribution's")
    add("--jobs", metavar="N", type=int, default=2)
    add("--mirror", metavar="URL", help="the archive (default: that of this machine's apt sources)")
    add("--out", metavar="DIR", type=Path, default=ROOT / "build" / "cross")
    return parser


if __name__ == "__main__":
    sys.exit(main())
