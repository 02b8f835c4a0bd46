# SPDX-License-Identifier: GPL-2.0-only
"""Kernels to boot: Debian's, unpacked from their packages into a cache, or one of the user's own.

The cache is $IRQCOST_CACHE, else $XDG_CACHE_HOME/irqcost, else ~/.cache/irqcost. A kernel in it is
complete or not there at all; removing its directory makes the next run fetch the newest package.
"""

import dataclasses
import hashlib
import json
import lzma
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from irqcost.base.cache import cache_directory, locked
from irqcost.base.errors import IrqcostError
from irqcost.vm import chroot, from_source
from irqcost.vm.apt import Archive, PrivateApt, find_archive, machine_sources
from irqcost.vm.architectures import ARCHITECTURES, X86, Architecture
from irqcost.vm.from_source import Say

# In a kernel's folder a link to where its modules are built, if not with this machine's tools.
_CHROOT = "chroot"


@dataclass(frozen=True)
class DebianKernel:
    """A row of the table: a Debian release, and the metapackages that name its newest kernel.

    @tools: the release whose compiler and C library modules for it need; "": this machine's do.
    @architecture: its own, by the name in ARCHITECTURES; the compiler is a cross compiler then.
    @kbuild: the release whose kernel programs of this machine's architecture build modules for it,
    where those of its own need a newer C library; "": its own.
    """

    release: str
    image: str
    headers: str
    tools: str = ""
    architecture: str = X86.name
    kbuild: str = ""


DEBIAN_KERNELS = {
    "5.10": DebianKernel("bullseye", "linux-image-amd64", "linux-headers-amd64", "bullseye"),
    "6.1": DebianKernel("bookworm", "linux-image-amd64", "linux-headers-amd64"),
    "6.1-rt": DebianKernel("bookworm", "linux-image-rt-amd64", "linux-headers-rt-amd64"),
    "6.1-cloud": DebianKernel("bookworm", "linux-image-cloud-amd64", "linux-headers-cloud-amd64"),
    "6.12": DebianKernel("bookworm", "linux-image-6.12-amd64", "linux-headers-6.12-amd64"),
    "6.12-rt": DebianKernel("bookworm", "linux-image-6.12-rt-amd64", "linux-headers-6.12-rt-amd64"),
    # By the suite, as the version moves.
    "bookworm-backports": DebianKernel(
        "bookworm-backports", "linux-image-amd64", "linux-headers-amd64"
    ),
    "trixie": DebianKernel("trixie", "linux-image-amd64", "linux-headers-amd64", "trixie"),
    "trixie-rt": DebianKernel("trixie", "linux-image-rt-amd64", "linux-headers-rt-amd64", "trixie"),
    # Built in sid before it came to forky.
    "forky": DebianKernel("forky", "linux-image-amd64", "linux-headers-amd64", "sid"),
    "sid": DebianKernel("sid", "linux-image-amd64", "linux-headers-amd64", "sid"),
    "trixie-backports": DebianKernel(
        "trixie-backports", "linux-image-amd64", "linux-headers-amd64", "trixie"
    ),
    "trixie-backports-rt": DebianKernel(
        "trixie-backports", "linux-image-rt-amd64", "linux-headers-rt-amd64", "trixie"
    ),
    "newest": DebianKernel("experimental", "linux-image-amd64", "linux-headers-amd64", "sid"),
    # Of other architectures, which the names end in.
    "6.1-arm64": DebianKernel(
        "bookworm", "linux-image-arm64", "linux-headers-arm64", architecture="arm64"
    ),
    "6.1-rt-arm64": DebianKernel(
        "bookworm", "linux-image-rt-arm64", "linux-headers-rt-arm64", architecture="arm64"
    ),
    "6.12-arm64": DebianKernel(
        "bookworm", "linux-image-6.12-arm64", "linux-headers-6.12-arm64", architecture="arm64"
    ),
    "6.12-riscv64": DebianKernel(
        "trixie",
        "linux-image-riscv64",
        "linux-headers-riscv64",
        architecture="riscv64",
        kbuild="bookworm-backports",
    ),
}

# The kernel that --arch means.
DEFAULTS = {"x86": "6.1", "arm64": "6.1-arm64", "riscv64": "6.12-riscv64"}

# These are fetched by the tests; the others only when they are asked for.
TESTED = ("6.1", "6.1-rt", "6.12")

# With all checks.
DEBUG = "debug"

NAMES = (*DEBIAN_KERNELS, *from_source.RECIPES)

# What foreign guests need beside a kernel, as this machine's own is of no use there.
_BUSYBOX = "busybox-static"

# What a guest needs to have guests of its own, in the order in which they are loaded, by the vendor
# of its CPU. QEMU emulates one with SVM, of AMD.
_KVM_MODULES = {
    "amd": ("irqbypass", "kvm", "ccp", "kvm-amd"),
    "intel": ("irqbypass", "kvm", "kvm-intel"),
}
_KEPT_MODULES = {name for names in _KVM_MODULES.values() for name in names}

# Of what a kernel's packages depend on, these hold parts of the kernel itself.
_KERNEL_PACKAGE = re.compile(r"^linux-(?:image|binary|headers|kbuild)-")
# And these nothing that building a module needs.
_NO_TOOL = re.compile(r"^linux-(?:base|modules)\b|initramfs|dracut|kmod$|^wireless-regdb$")


@dataclass(frozen=True)
class Kernel:
    """A kernel that can be booted, and the directory that modules for it are built against.

    @toolchain: where its modules are built, if not with this machine's own tools.
    @root: where its packages are unpacked, if it is Debian's.
    @settings: what make needs beside what the headers say.
    @busybox: the one of the guest, if not this machine's own.
    @parameters: what it is always booted with.
    """

    name: str
    release: str
    vmlinuz: Path
    headers: Path
    toolchain: chroot.Chroot | None = None
    root: Path | None = None
    architecture: Architecture = X86
    settings: tuple[str, ...] = ()
    busybox: Path | None = None
    parameters: str = ""


def architecture_of(name: str) -> Architecture:
    """The architecture of what --kernel @name means; a path is of this machine's."""
    if name in from_source.RECIPES:
        return from_source.RECIPES[name].architecture
    row = DEBIAN_KERNELS.get(name)
    return ARCHITECTURES[row.architecture] if row else X86


def name_on(name: str, architecture: str) -> str:
    """The name of kernel @name on @architecture. Raises IrqcostError where there is none."""
    if architecture_of(name).name == architecture:
        return name
    known = [one for one in NAMES if architecture_of(one).name == architecture]
    if f"{name}-{architecture}" not in known:
        raise IrqcostError(
            f"--kernel {name}: not with --arch {architecture}: known are {', '.join(known)}"
        )
    return f"{name}-{architecture}"


def memory_mib(kernel: str) -> int:
    """What a guest needs: the sanitizers have a byte of shadow for each eight."""
    return 2048 if kernel == DEBUG else 1024


def is_fetched(name: str) -> bool:
    """Whether the cache holds this kernel."""
    return (cache_directory() / "kernels" / name / "kernel.json").is_file()


def find_kernel(
    name: str, say: Say, mirror: str | None = None, headers: Path | None = None
) -> Kernel:
    """The kernel that --kernel @name means: a row of the table, or a path.

    A path is a kernel build tree, or, with @headers, a kernel image. Raises IrqcostError.
    """
    if name in DEBIAN_KERNELS:
        if headers:
            raise IrqcostError(f"--headers goes with a kernel image of your own, not with {name}")
        return _debian_kernel(name, say, mirror)
    if name in from_source.RECIPES:
        return _built_kernel(name, say, mirror)
    path = Path(name)
    if not path.exists():
        known = ", ".join(NAMES)
        raise IrqcostError(f"--kernel {name}: neither one of {known} nor an existing path")
    return _own_kernel(path.absolute(), headers.absolute() if headers else None)


def _built_kernel(name: str, say: Say, mirror: str | None) -> Kernel:
    sources, kernels = cache_directory() / "sources", cache_directory() / "kernels"
    with locked(sources / ".lock"):
        source = from_source.source_of(name, sources, say, mirror)
    recipe = from_source.RECIPES[name]
    architecture = recipe.architecture
    with locked(kernels / f".{name}.lock"):
        build = kernels / name / "build"
        from_source.build(name, source, build, say)
        busybox = None
        if architecture is not X86:
            busybox = _fetched_busybox(kernels / name, recipe, say, mirror)
    return dataclasses.replace(
        _own_kernel(build, None, architecture),
        name=name,
        settings=architecture.crossing,
        busybox=busybox,
        parameters=recipe.parameters,
    )


def _fetched_busybox(
    folder: Path, recipe: from_source.Recipe, say: Say, mirror: str | None
) -> Path | None:
    """The one for a guest with a kernel that was built in @folder, fetched if it is not there."""
    root = folder / "root"
    if not _busybox_in(root):
        say(f"kernel {folder.name}: fetching {_BUSYBOX}")
        archive = find_archive(machine_sources(), mirror)
        foreign = recipe.architecture.debian
        with tempfile.TemporaryDirectory(dir=folder, prefix=".busybox-") as work:
            scratch = Path(work)
            apt = _updated(scratch, archive, recipe.source.release, foreign, say)
            [deb] = apt.download([f"{_BUSYBOX}:{foreign}"], scratch)
            _unpack(deb, scratch / "root")
            (scratch / "root").rename(root)
    return _busybox_in(root)


def _busybox_in(root: Path) -> Path | None:
    places = (root / "bin/busybox", root / "usr/bin/busybox")
    return next((place for place in places if place.is_file()), None)


def _own_kernel(path: Path, headers: Path | None, architecture: Architecture = X86) -> Kernel:
    if path.is_dir():
        vmlinuz = path / architecture.image
        headers = headers or path
        if not vmlinuz.is_file():
            raise IrqcostError(
                f"--kernel {path}: {vmlinuz} is missing: build it with "
                f"`make {vmlinuz.name} modules`"
            )
    elif headers is None:
        raise IrqcostError(f"--kernel {path}: a kernel image also needs --headers DIRECTORY")
    else:
        vmlinuz = path
    release = _release(headers)
    return _checked(Kernel(str(path), release, vmlinuz, headers, architecture=architecture))


def _release(headers: Path) -> str:
    """What `uname -r` says on the kernel that @headers belong to."""
    # Not include/config/kernel.release: Debian's 6.1 packages name the version there, not the ABI.
    path = headers / "include/generated/utsrelease.h"
    match = re.search(r'UTS_RELEASE "([^"]+)"', path.read_text()) if path.is_file() else None
    if not match:
        raise IrqcostError(
            f"{headers}: modules cannot be built against it: {path} names no release"
        )
    return match[1]


def _checked(kernel: Kernel) -> Kernel:
    """@kernel, if its image has the signature of its architecture at its place."""
    architecture = kernel.architecture
    place, signature = architecture.signature
    with kernel.vmlinuz.open("rb") as image:
        image.seek(place)
        if image.read(len(signature)) != signature:
            raise IrqcostError(
                f"{kernel.vmlinuz}: not an {architecture.name} kernel image "
                f"({Path(architecture.image).name})"
            )
    return kernel


def _debian_kernel(name: str, say: Say, mirror: str | None) -> Kernel:
    kernels = cache_directory() / "kernels"
    final = kernels / name
    if not is_fetched(name):
        say(f"waiting for another run that fetches kernel {name}")
        with locked(kernels / f".{name}.lock"):
            if not is_fetched(name):
                _fetch(name, final, say, mirror)
    about = json.loads((final / "kernel.json").read_text(encoding="utf-8"))
    vmlinuz, headers = final / about["vmlinuz"], final / about["headers"]
    if not (vmlinuz.is_file() and headers.is_dir()):
        raise IrqcostError(
            f"{final}: damaged: remove it, and the next run fetches the kernel again"
        )
    tools = final / _CHROOT
    root = final / "root"
    toolchain = chroot.Chroot(tools, root) if tools.is_dir() else None
    architecture = architecture_of(name)
    found = Kernel(name, about["release"], vmlinuz, headers, toolchain, root, architecture)
    if architecture is not X86:
        settings = _settings(architecture, DEBIAN_KERNELS[name])
        found = dataclasses.replace(found, settings=settings, busybox=_busybox_in(root))
    return _checked(found)


def _settings(architecture: Architecture, row: DebianKernel) -> tuple[str, ...]:
    """What lets Debian's headers build with a cross compiler."""
    names = {
        "DEB_BUILD_ARCH": X86.debian,
        "DEB_HOST_ARCH": architecture.debian,
        "DEB_HOST_GNU_TYPE": architecture.triplet,
        # Whatever version this machine has of it.
        "CC": architecture.tool("gcc"),
    }
    if row.kbuild:
        # The kernel's pahole is newer than this machine's, and nothing here reads BTF.
        names["CONFIG_DEBUG_INFO_BTF_MODULES"] = ""
    return tuple(f"{name}={value}" for name, value in names.items())


def kvm_modules(kernel: Kernel, vendor: str = "amd") -> dict[str, bytes]:
    """The modules of KVM by file name, in the order of loading. Raises IrqcostError."""
    found = {}
    for name in _KVM_MODULES[vendor]:
        paths = [path for path in _own_modules(kernel.root) if path.name.split(".ko")[0] == name]
        if len(paths) != 1:
            raise IrqcostError(
                f"kernel {kernel.name}: no module {name}, which KVM needs: Debian's kernels have "
                "it unless an older irqcost fetched them; remove that folder in the cache, "
                "and it is fetched again"
            )
        data = paths[0].read_bytes()
        found[f"{name}.ko"] = lzma.decompress(data) if paths[0].suffix == ".xz" else data
    return found


def _own_modules(root: Path | None) -> list[Path]:
    """Modules of the kernel's own package, as far as they are kept."""
    folders = ("lib/modules/*/kernel", "usr/lib/modules/*/kernel")
    return [path for one in folders for path in (root.glob(f"{one}/**/*.ko*") if root else ())]


def _fetch(name: str, final: Path, say: Say, mirror: str | None) -> None:
    """Fetch and unpack a kernel beside @final, and rename it when it is complete."""
    row = DEBIAN_KERNELS[name]
    if not shutil.which("dpkg-deb"):
        raise IrqcostError(
            "dpkg-deb is missing: Debian's kernels are unpacked with it (package dpkg)"
        )
    archive = find_archive(machine_sources(), mirror)
    with tempfile.TemporaryDirectory(dir=final.parent, prefix=f".{name}-") as work:
        scratch = Path(work)
        architecture = architecture_of(name)
        foreign = "" if architecture is X86 else architecture.debian
        suffix = f":{foreign}" if foreign else ""
        say(f"fetching kernel {name}: package lists")
        apt = _updated(scratch, archive, row.release, foreign, say)
        packages = apt.closure([row.image + suffix, row.headers + suffix], _KERNEL_PACKAGE)
        tools = {tool for package in packages for tool in apt.depends(package)}
        if foreign:
            # Those programs run here.
            packages = [_native(package, suffix) for package in packages] + [_BUSYBOX + suffix]
        kbuild = next((one for one in packages if one.startswith("linux-kbuild-")), "")
        if row.kbuild:
            packages.remove(kbuild)
        say(f"fetching kernel {name}: {' '.join(packages)}")
        (scratch / "debs").mkdir()
        debs = apt.download(packages, scratch / "debs")
        if row.kbuild:
            debs += _kbuild_of(row.kbuild, scratch, archive)
        say(f"unpacking kernel {name}")
        new = scratch / "new"
        for deb in debs:
            _unpack(deb, new / "root")
        about = _describe(name, new)
        if row.kbuild:
            _let_stand(new / "root/usr/lib", kbuild.partition(":")[0])
        if row.tools:
            needed = [tool for tool in tools - set(packages) if not _NO_TOOL.search(tool)]
            shared = _toolchain(row.tools, needed, archive, say)
            (new / _CHROOT).symlink_to(os.path.relpath(shared, final))
            _relocate(new / about["headers"], chroot.KERNEL)
        else:
            _relocate(new / about["headers"], final / "root")
        text = json.dumps({**about, "packages": [deb.stem for deb in debs]}, indent=2)
        (new / "kernel.json").write_text(text + "\n", encoding="utf-8")
        if final.exists():
            shutil.rmtree(final)
        new.rename(final)


def _updated(scratch: Path, archive: Archive, release: str, foreign: str, say: Say) -> PrivateApt:
    """An apt with its lists. Mirrors of security updates are not always whole for architectures
    that few ask for: then the kernel of the release itself is taken."""
    apt = PrivateApt(scratch / "apt", archive, release, foreign)
    try:
        apt.update()
    except IrqcostError:
        if not foreign or not archive.security:
            raise
        say(f"Debian {release}: no whole lists of security updates, so without those")
        apt = PrivateApt(scratch / "apt-main", Archive(archive.main, None), release, foreign)
        apt.update()
    return apt


def _native(package: str, suffix: str) -> str:
    """Of the kernel's programs, those of this machine's architecture."""
    if package.startswith("linux-kbuild-"):
        return f"{package.removesuffix(suffix)}:{X86.debian}"
    return package


def _kbuild_of(release: str, scratch: Path, archive: Archive) -> list[Path]:
    """The package of the newest kernel's programs in @release, which this machine can run."""
    apt = PrivateApt(scratch / "apt-kbuild", archive, release)
    apt.update()
    headers = apt.closure([f"linux-headers-{X86.debian}"], _KERNEL_PACKAGE)
    (scratch / "debs-kbuild").mkdir()
    wanted = [package for package in headers if package.startswith("linux-kbuild-")]
    return apt.download(wanted, scratch / "debs-kbuild")


def _let_stand(folder: Path, name: str) -> None:
    """Let the one folder of a kernel's programs in @folder be found by @name as well."""
    [found] = folder.glob("linux-kbuild-*")
    if found.name != name:
        (folder / name).symlink_to(found.name)


def _toolchain(suite: str, needed: Iterable[str], archive: Archive, say: Say) -> Path:
    """A system of @suite with the packages @needed: one for all kernels that need the same."""
    packages = sorted(needed)
    digest = hashlib.sha256(" ".join([*chroot.TOOLS, *packages]).encode()).hexdigest()[:12]
    folder = cache_directory() / "toolchains"
    final = folder / f"{suite}-{digest}"
    with locked(folder / f".{final.name}.lock"):
        if not final.is_dir():
            say(f"installing the compiler of Debian {suite} into a folder")
            with tempfile.TemporaryDirectory(dir=folder, prefix=f".{suite}-") as work:
                new = Path(work) / "new"
                chroot.make(new, suite, packages, archive.main)
                new.rename(final)
    return final


def _unpack(deb: Path, root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["dpkg-deb", "--extract", str(deb), str(root)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise IrqcostError(f"cannot unpack {deb.name}: {done.stderr.strip()}")
    # The kernel's own modules are most of its package, and the guest needs no others.
    for module in _own_modules(root):
        if module.name.split(".ko")[0] not in _KEPT_MODULES:
            module.unlink()
    deb.unlink()


def _describe(name: str, new: Path) -> dict[str, str]:
    """What was unpacked, by paths relative to @new."""
    places = ("boot/vmlinuz-*", "boot/vmlinux-*", "usr/lib/modules/*/vmlinuz")
    images = sorted(path for place in places for path in new.glob(f"root/{place}"))
    symbols = sorted(new.glob("root/usr/src/*/Module.symvers"))
    if len(images) != 1 or len(symbols) != 1:
        raise IrqcostError(
            f"the packages of kernel {name} hold {len(images)} kernel images "
            f"and {len(symbols)} header trees; one of each was expected"
        )
    headers = symbols[0].parent
    return {
        "release": _release(headers),
        "vmlinuz": str(images[0].relative_to(new)),
        "headers": str(headers.relative_to(new)),
    }


def _relocate(headers: Path, root: Path) -> None:
    """Let the headers' Makefile find itself and its other half below @root, where both will be."""
    makefile = headers / "Makefile"
    text = makefile.read_text(encoding="utf-8")
    makefile.write_text(text.replace("/usr/src/", f"{root}/usr/src/"), encoding="utf-8")
