# SPDX-License-Identifier: GPL-2.0-only
"""A guest under Bochs, which emulates Intel's virtualisation (VMX) where QEMU's TCG does not.

Bochs has no loader of kernels: they boot from a CD. It is slower than QEMU by far, and each
instruction takes one tick of its TSC.
"""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from irqcost.vm.initramfs import Command, build_initramfs
from irqcost.vm.kernels import Kernel
from irqcost.vm.qemu import GuestResult
from irqcost.vm.transport import unpack

# A model with VMX, extended page tables and nothing that Debian's kernels stumble over.
_CPU = "corei7_haswell_4770"

# The packages of Debian that have them.
_ISOLINUX = Path("/usr/lib/ISOLINUX/isolinux.bin")
_LOADER = Path("/usr/lib/syslinux/modules/bios/ldlinux.c32")
_BIOS = Path("/usr/share/bochs/BIOS-bochs-latest")
_VGA = Path("/usr/share/vgabios/vgabios.bin")

_BOOT = """\
DEFAULT linux
PROMPT 0
LABEL linux
  KERNEL vmlinuz
  APPEND initrd=initramfs console=ttyS0 loglevel=5 oops=panic panic=-1 tsc=reliable no_timer_check
"""

_MACHINE = f"""\
cpu: model={_CPU}, count=1, ips=100000000, reset_on_triple_fault=0
memory: guest=512, host=512
romimage: file={_BIOS}
vgaromimage: file={_VGA}
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=boot.iso, status=inserted
boot: cdrom
display_library: rfb, options="timeout=0"
speaker: enabled=0
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
com1: enabled=1, mode=file, dev=console.log
com2: enabled=1, mode=file, dev=result
clock: sync=none
log: bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
"""


def missing() -> str:
    """What this machine lacks for it; "" where it has all."""
    needs: dict[str, Path | str | None] = {
        "bochs": shutil.which("bochs-bin"),
        "bochsbios": _BIOS if _BIOS.is_file() else None,
        "vgabios": _VGA if _VGA.is_file() else None,
        "isolinux": _ISOLINUX if _ISOLINUX.is_file() else None,
        "syslinux-common": _LOADER if _LOADER.is_file() else None,
        "xorriso": shutil.which("xorriso"),
    }
    lacking = [package for package, found in needs.items() if found is None]
    return f"install the packages {', '.join(lacking)}" if lacking else ""


def run_bochs(
    kernel: Kernel,
    commands: Sequence[Command],
    programs: Mapping[str, Path],
    files: Mapping[str, bytes],
    work: Path,
    time_limit: float,
) -> GuestResult:
    """As irqcost.vm.qemu.run_guest(); all files of the run are in @work."""
    disk = work / "disk" / "isolinux"
    disk.mkdir(parents=True)
    (disk / "initramfs").write_bytes(build_initramfs(commands, programs, files))
    (disk / "isolinux.cfg").write_text(_BOOT)
    for source, name in (
        (kernel.vmlinuz, "vmlinuz"),
        (_ISOLINUX, _ISOLINUX.name),
        (_LOADER, _LOADER.name),
    ):
        shutil.copy(source, disk / name)
    boot = ["-b", "isolinux/isolinux.bin", "-c", "isolinux/boot.cat", "-no-emul-boot"]
    boot += ["-boot-load-size", "4", "-boot-info-table"]
    subprocess.run(
        ["xorriso", "-as", "mkisofs", "-quiet", "-o", "boot.iso", *boot, "disk"],
        cwd=work,
        check=True,
        capture_output=True,
    )
    (work / "bochsrc").write_text(_MACHINE)
    # Debian builds it with a debugger, which waits for a command, and ends when there is no more.
    (work / "continue").write_text("c\n")
    with subprocess.Popen(
        ["bochs-bin", "-q", "-f", "bochsrc", "-rc", "continue"],
        cwd=work,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as bochs:
        try:
            # When the guest powers off, it ends with 1.
            bochs.wait(time_limit)
        finally:
            bochs.kill()
    back = unpack((work / "result").read_bytes())
    status = {command.name: int(back[f"{command.name}.status"]) for command in commands}
    return GuestResult(status, (work / "console.log").read_text(errors="replace"), back)
