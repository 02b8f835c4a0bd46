# SPDX-License-Identifier: GPL-2.0-only
"""The architectures of which guests can be booted, all that names one among the scripts."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """An architecture, with the machine of it that QEMU emulates.

    @name: what --arch takes.
    @debian: Debian's name of it, @triplet the one of its cross compiler, "" where none is needed.
    @folder: its folder in bench_kmod/arch, by the kernel's name of it.
    @image: where a kernel that was built from source has its image.
    @qemu: the emulator, of the Debian package @package.
    @machine: arguments of QEMU; @cpu, its model of a CPU; @clock: what follows any model, so that
    the clock of the module has one tick an instruction.
    @console: the kernel's console, QEMU's first serial port; @pci: that further ones are on PCI.
    @parameters: of the kernel.
    @result: the guest's name of the port that results come through, @control of the one after it.
    @signature: of its kernel images: bytes and where they are.
    @objdump: what tells objdump that bytes are its instructions; @stamp: what ends the line of the
    one that reads the clock.
    @masks: what a kernel may mask by: how its instruction begins, and its name.
    """

    name: str
    debian: str
    triplet: str
    folder: str
    image: str
    qemu: str
    package: str
    machine: tuple[str, ...]
    cpu: str
    clock: str
    console: str
    parameters: str
    pci: bool
    result: str
    control: str
    signature: tuple[int, bytes]
    objdump: tuple[str, ...]
    stamp: str
    masks: tuple[tuple[str, str], ...]

    def serial(self, target: str, identity: str) -> list[str]:
        """QEMU's arguments for a further serial port with the backend @target."""
        if not self.pci:
            return ["-serial", target]
        kind, path = target.split(":", 1)
        if kind == "chardev":
            return ["-device", f"pci-serial,chardev={path}"]
        return [
            "-chardev",
            f"{kind},id={identity},path={path}",
            *self.serial(f"chardev:{identity}", ""),
        ]

    def masked_by(self, code: Iterable[str]) -> str:
        """What @code masks by, which masks and unmasks; "" where no instruction of it shows."""
        for line in code:
            for begins, name in self.masks:
                if re.match(begins, line):
                    return name
        return ""

    @property
    def crossing(self) -> tuple[str, ...]:
        """What make takes for a kernel, or a module of one, that is not this machine's."""
        if not self.triplet:
            return ()
        return (f"ARCH={self.folder}", f"CROSS_COMPILE={self.triplet}-")

    def tool(self, name: str) -> str:
        """A tool of its compiler, such as gcc."""
        return f"{self.triplet}-{name}" if self.triplet else name


# A fixed model, so that a kernel patches itself in the same way whatever the machine and whatever
# the version of QEMU; rdtscp is a row of the catalogue, and this model lacks it.
X86 = Architecture(
    name="x86",
    debian="amd64",
    triplet="",
    folder="x86",
    image="arch/x86/boot/bzImage",
    qemu="qemu-system-x86_64",
    package="qemu-system-x86",
    machine=(),
    cpu="qemu64,+rdtscp",
    clock="",
    console="ttyS0",
    parameters="",
    pci=False,
    result="ttyS1",
    control="ttyS2",
    # Of the boot protocol.
    signature=(0x202, b"HdrS"),
    objdump=("-m", "i386:x86-64"),
    stamp="rdtsc",
    masks=(("cli", "IF"),),
)

# The counter of the generic timer has the rate that QEMU is told, and the instruction clock 1 GHz.
ARM64 = Architecture(
    name="arm64",
    debian="arm64",
    triplet="aarch64-linux-gnu",
    folder="arm64",
    image="arch/arm64/boot/Image",
    qemu="qemu-system-aarch64",
    package="qemu-system-arm",
    machine=("-M", "virt,gic-version=3"),
    cpu="max",
    clock=",cntfrq=1000000000",
    console="ttyAMA0",
    # Else a module may lie so far from the kernel that each call takes three instructions more.
    parameters="nokaslr",
    pci=True,
    result="ttyS0",
    control="ttyS1",
    signature=(0x38, b"ARMd"),
    objdump=("-m", "aarch64"),
    stamp=", cntvct_el0",
    # The CPU's masks, or the priority that an interrupt must have (pseudo-NMI).
    masks=(("msr daif", "DAIF"), ("msr icc_pmr_el1", "PMR")),
)

RISCV64 = Architecture(
    name="riscv64",
    debian="riscv64",
    triplet="riscv64-linux-gnu",
    folder="riscv",
    image="arch/riscv/boot/Image",
    qemu="qemu-system-riscv64",
    package="qemu-system-misc",
    machine=("-M", "virt"),
    cpu="rv64",
    clock="",
    console="ttyS0",
    parameters="nokaslr",
    pci=True,
    result="ttyS1",
    control="ttyS2",
    signature=(0x38, b"RSC\x05"),
    objdump=("-m", "riscv:rv64"),
    stamp="rdcycle a0",
    masks=((r"csr\w+ .*sstatus", "SIE"),),
)

ARCHITECTURES: Mapping[str, Architecture] = {one.name: one for one in (X86, ARM64, RISCV64)}
