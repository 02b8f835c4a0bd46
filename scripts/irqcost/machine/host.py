# SPDX-License-Identifier: GPL-2.0-only
"""Facts about this machine, as its kernel tells them. Nothing here measures or changes anything.

Each function takes the root of the file system, so that tests can give it another machine.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from irqcost.base import layout
from irqcost.machine.hostfacts import cpu_list
from irqcost.model.result import Cpu

_ROOT = Path("/")


@dataclass(frozen=True)
class Fact:
    """One condition: whether it holds, what was found, and what would help if it does not."""

    holds: bool
    found: str
    remedy: str = ""


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def kernel_release() -> str:
    return os.uname().release


def cpu(root: Path = _ROOT) -> Cpu:
    """The first CPU of /proc/cpuinfo."""
    fields = {}
    for line in (_read(root / "proc/cpuinfo") or "").partition("\n\n")[0].splitlines():
        key, _, value = line.partition(":")
        fields[key.strip()] = value.strip()

    def number(key: str) -> int | None:
        return int(fields[key]) if fields.get(key, "").isdigit() else None

    return Cpu(
        vendor=fields.get("vendor_id"),
        brand=fields.get("model name"),
        codename=None,
        family=number("cpu family"),
        model=number("model"),
        stepping=number("stepping"),
        microcode=fields.get("microcode"),
        measured=None,
    )


# As the kernel's PMU drivers call them, and as a result does.
_CORE_TYPES = {"cpu_core": "performance", "cpu_atom": "efficiency"}


def core_types(root: Path = _ROOT) -> dict[str, frozenset[int]]:
    """The CPUs of each type of core, the online ones; empty where all are of one type, or where
    the kernel does not say (it does since Linux 5.13)."""
    found = {
        name: cpu_list(_read(root / "sys/devices" / device / "cpus"))
        for device, name in _CORE_TYPES.items()
    }
    return {name: cpus for name, cpus in found.items() if cpus}


def module_facts(release: str, root: Path = _ROOT) -> list[Fact]:
    """What building and loading the kernel module needs."""
    use_vm = f"measure ring 0 in a guest: {layout.command()} vm"
    # Where no module can be loaded at all, the rest of the list would only mislead.
    if not (root / "proc/modules").exists():
        return [Fact(False, "the kernel was built without loadable modules", use_vm)]
    if "nomodule" in (_read(root / "proc/cmdline") or "").split():
        remedy = f"boot without it, or {use_vm}"
        return [Fact(False, "`nomodule` on the kernel's command line", remedy)]
    if _read(root / "proc/sys/kernel/modules_disabled") == "1":
        remedy = f"reboot, or {use_vm}"
        return [Fact(False, "loading was switched off (kernel.modules_disabled = 1)", remedy)]
    facts = [Fact(True, "the kernel takes modules"), _signatures(root)]
    headers = root / "lib/modules" / release / "build"
    if (headers / "Makefile").exists():
        facts.append(Fact(True, f"kernel headers in {headers}"))
    else:
        facts.append(
            Fact(
                False,
                f"no kernel headers in {headers}",
                f"install linux-headers-{release} (Debian), kernel-devel (Fedora) or "
                "linux-headers (Arch)",
            )
        )
    facts.append(_device(root))
    return facts


def _signatures(root: Path) -> Fact:
    """Whether the kernel loads a module that nobody signed."""
    lockdown = _read(root / "sys/kernel/security/lockdown") or ""
    locked = "[" in lockdown and "[none]" not in lockdown
    enforced = _read(root / "sys/module/module/parameters/sig_enforce") == "Y"
    if not locked and not enforced:
        return Fact(True, "unsigned modules are loaded")
    why = f"kernel lockdown is {lockdown}" if locked else "module signatures are enforced"
    if _secure_boot(root):
        why += ", as Secure Boot asks"
    return Fact(
        False, why, "sign irqcost.ko with a key enrolled by mokutil, or switch Secure Boot off"
    )


def _secure_boot(root: Path) -> bool:
    for variable in (root / "sys/firmware/efi/efivars").glob("SecureBoot-*"):
        try:
            # Four bytes of attributes, one of content.
            return variable.read_bytes()[4:] == b"\x01"
        except OSError:
            return False
    return False


# For root that lacks rights, as in a container: only whoever starts that can give them.
_CONTAINER = "give the device to the container (docker run --device), or run outside of it"


def _device(root: Path) -> Fact:
    device = root / "dev/irqcost"
    if not device.exists():
        return Fact(
            False,
            f"no {device}",
            "as root: make -C bench_kmod, then insmod bench_kmod/irqcost.ko"
            if not layout.installed()
            else "install the package irqcost-dkms; then, as root: modprobe irqcost",
        )
    if not os.access(device, os.R_OK | os.W_OK):
        remedy = "run as root" if os.geteuid() else _CONTAINER
        return Fact(False, f"{device} may not be opened by this user", remedy)
    return Fact(True, f"{device} can be opened")


def vm_facts() -> list[Fact]:
    """What `irqcost vm` needs."""
    facts = []
    for program, package in (
        ("qemu-system-x86_64", "qemu-system-x86"),
        ("busybox", "busybox-static"),
        ("make", "make"),
        ("gcc", "gcc"),
        ("dpkg-deb", "dpkg"),
    ):
        path = shutil.which(program)
        facts.append(
            Fact(True, f"{program}: {path}")
            if path
            else Fact(False, f"{program} is not installed", f"install {package}")
        )
    return facts
