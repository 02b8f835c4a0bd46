# SPDX-License-Identifier: GPL-2.0-only
"""An architecture is a folder: what is in it, what names one elsewhere, and x86's windows."""

import argparse
import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest

from irqcost import ROOT
from irqcost.base import layout
from irqcost.base.errors import IrqcostError, ResultError
from irqcost.commands import vm
from irqcost.measure.guests import foreign
from irqcost.measure.guests.measuring import GuestOptions
from irqcost.model import catalogue, reader
from irqcost.vm import apt, kernels, matrix, qemu
from irqcost.vm.across import counting, listing
from irqcost.vm.architectures import ARCHITECTURES, ARM64, RISCV64, X86
from irqcost.vm.counts import Counts
from irqcost.vm.kernels import Kernel
from irqcost.vm.qemu import Machine

# One window of each kind and size, of every row of instructions.
_WINDOWS = """\
#include <irqcost/body.h>
#define IRQCOST_INSN(id, key, group, where, irqs, needs, code, ...) \\
    IRQCOST_INSN_WINDOWS(key, code) IRQCOST_IN_SITU_WINDOWS(key, code)
#define IRQCOST_CALL(...)
#include <irqcost/probes.def>
"""

# Rows of instructions with the hash of their windows' bytes, before other architectures came.
_RECORDED = ROOT / "scripts" / "tests" / "data" / "windows-x86.hashes"

_ANY = re.compile(r"\bx86|amd64|arm64|aarch64|riscv|RISC-V", re.IGNORECASE)
_FOREIGN = re.compile(r"arm64|aarch64|riscv|RISC-V", re.IGNORECASE)


def window_hashes(folder: Path) -> dict[str, str]:
    """By row, a hash of the bytes of its windows, with single nops for padding: how long the nops
    are that pad is for each version of the assembler to choose."""
    source, assembly, target = (folder / f"windows.{kind}" for kind in "cso")
    source.write_text(_WINDOWS)
    includes = [f"-I{one}" for one in layout.include_folders(X86.folder)]
    flags = ["-w", "-O0", "-fcf-protection=none"]
    subprocess.run(["gcc", "-S", *flags, *includes, "-o", assembly, source], check=True)
    padded = re.sub(r"(?m)\.balign 64$", ".balign 64, 0x90", assembly.read_text())
    assembly.write_text(padded)
    subprocess.run(["gcc", "-c", "-Wa,-n", "-o", target, assembly], check=True)
    binary = folder / "windows.bin"
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", target, binary], check=True)
    text = binary.read_bytes()
    listing = subprocess.run(["nm", "-S", target], check=True, capture_output=True, text=True)
    hashes: dict[str, "hashlib._Hash"] = {}
    for line in sorted(listing.stdout.splitlines(), key=lambda line: line.split()[-1]):
        if found := re.fullmatch(r"(\w+) (\w+) [tT] irqcost_(\w+?)(?:_in_situ)?_\d+", line):
            start, size = int(found[1], 16), int(found[2], 16)
            hashes.setdefault(found[3], hashlib.sha256()).update(text[start : start + size])
    return {key: one.hexdigest()[:16] for key, one in hashes.items()}


def test_windows_of_x86_are_the_bytes_of_before(tmp_path: Path) -> None:
    recorded = json.loads(_RECORDED.read_text(encoding="utf-8"))
    made = window_hashes(tmp_path)
    assert len(recorded) > 50
    # Rows that came later are not in it.
    assert {key: made[key] for key in recorded} == recorded


def section() -> str:
    """Of docs/ARCHITECTURE.md, how to port."""
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    return text.partition("\n## Port to another architecture\n")[2].partition("\n## ")[0]


def listed(folder: str = "") -> set[str]:
    """What the section lists: files of an architecture's folder, or what is in none."""
    names = set(re.findall(r"^\| `([^`]+)`", section(), re.MULTILINE))
    if folder:
        prefix = f"{folder}/arch/*/"
        return {name.removeprefix(prefix) for name in names if name.startswith(prefix)}
    return {name for name in names if "/arch/*/" not in name}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_files_of_a_folder_are_those_of_the_documentation(name: str) -> None:
    folder = ROOT / "bench_kmod" / "arch" / ARCHITECTURES[name].folder
    sources = (".c", ".def", ".h", ".mk")
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix in sources}
    assert found == listed("bench_kmod")
    harness = ROOT / "bench_user" / "arch" / ARCHITECTURES[name].folder
    assert listed("bench_user")
    assert [one for one in listed("bench_user") if not (harness / one).is_file()] == []


def test_what_names_an_architecture_is_listed() -> None:
    """In module and harness any; in the scripts, whose machine is an x86 one, others than that."""
    naming = set()
    sources = ("*.c", "*.cc", "*.h", "*.def", "Kbuild", "Makefile", "CMakeLists.txt")
    for top in (ROOT / "bench_kmod", ROOT / "bench_user"):
        for path in (path for pattern in sources for path in top.rglob(pattern)):
            inside = path.relative_to(top).parts[0]
            if inside not in ("arch", "tests") and not path.name.endswith(".mod.c"):
                if _ANY.search(path.read_text(encoding="utf-8")):
                    naming.add(str(path.relative_to(ROOT)))
    scripts = [ROOT / "scripts/packages.txt", ROOT / "irqcost"]
    scripts += [
        *(ROOT / "scripts" / "irqcost").rglob("*.py"),
        *(ROOT / "scripts/tests").glob("vm_*"),
    ]
    for path in scripts:
        if _FOREIGN.search(path.read_text(encoding="utf-8")):
            naming.add(str(path.relative_to(ROOT)))
    assert naming == listed()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_rows_of_instructions(name: str) -> None:
    """Each architecture has what clock and sensors are made of, and no id means two rows."""
    folder = layout.include_folders(ARCHITECTURES[name].folder)[1]
    text = (folder / "irqcost" / "arch" / "instructions.def").read_text(encoding="utf-8")
    ids = dict(re.findall(r"^IRQCOST_(?:INSN|FAULT)\((\d+), (\w+),", text, re.MULTILINE))
    keys = list(ids.values())
    assert len(keys) == len(set(keys)) == len(ids)
    assert {"empty", "nop", "dep_add", "dep_imul", "zero_idiom", "push_pop"} <= set(keys)
    known = {str(probe.id): probe.key for probe in catalogue.read()}
    assert all(known.get(number, key) == key for number, key in ids.items())


def kernel(name: str) -> Kernel:
    architecture = kernels.architecture_of(name)
    return Kernel(name, "1", Path("/k/image"), Path("/k/h"), architecture=architecture)


def test_the_machine_of_an_architecture() -> None:
    x86 = qemu.qemu_argv(kernel("6.1"), Machine(exact=True), Path("/w"))
    assert x86[0] == "qemu-system-x86_64" and "-M" not in x86
    assert x86[x86.index("-append") + 1].startswith("console=ttyS0 ")
    arm64 = qemu.qemu_argv(kernel("6.1-arm64"), Machine(exact=True, cpu="cortex-a72"), Path("/w"))
    assert arm64[0] == "qemu-system-aarch64"
    # One tick of the counter an instruction, whatever the model.
    assert arm64[arm64.index("-cpu") + 1] == "cortex-a72,cntfrq=1000000000"
    assert [
        "-chardev",
        "file,id=result,path=/w/result",
        "-device",
        "pci-serial,chardev=result",
    ] == (arm64[arm64.index("-chardev") :][:4])
    riscv = qemu.qemu_argv(kernel("6.12-riscv64"), Machine(exact=True), Path("/w"))
    assert riscv[0] == "qemu-system-riscv64" and "shift=0,sleep=off" in riscv


def options(*words: str) -> GuestOptions:
    parser = argparse.ArgumentParser()
    vm.add_parser(parser.add_subparsers())
    return foreign.resolved(vm.arguments.chosen(GuestOptions, parser.parse_args(["vm", *words])))


def test_options() -> None:
    assert options().kernel == "6.1" and not options().foreign
    assert options("--arch", "x86", "--kernel", "6.12").kernel == "6.12"
    assert options("--arch", "arm64", "--exact").kernel == "6.1-arm64"
    assert options("--arch", "arm64", "--exact", "--kernel", "6.12").kernel == "6.12-arm64"
    assert options("--kernel", "6.12-riscv64", "--exact").arch == "riscv64"
    built = options("--arch", "arm64", "--exact", "--kernel", "pseudo-nmi", "--parameters", "a=1 b")
    assert built.kernel == "pseudo-nmi-arm64" and built.foreign
    assert built.machine.parameters == "a=1 b"
    assert options("--arch", "riscv64", "--exact").foreign
    for words, problem in (
        (["--arch", "arm64"], "needs --exact"),
        (["--arch", "riscv64", "--exact", "--kernel", "5.10"], "known are 6.12-riscv64"),
        (["--arch", "arm64", "--exact", "--filter", "x"], "always counts every row"),
        (["--arch", "arm64", "--exact", "--soak"], "--soak not with"),
    ):
        with pytest.raises(IrqcostError, match=problem):
            options(*words)


def test_dependencies_of_another_architecture() -> None:
    text = (
        "linux-headers-1-arm64:arm64\n"
        "  Depends: <linux-headers-1-common:arm64>\n"
        "    linux-headers-1-common\n"
        "  Depends: linux-kbuild-1:arm64\n"
    )
    assert apt.parse_depends(text) == ["linux-headers-1-common", "linux-kbuild-1:arm64"]


# What count.c prints, shortened.
_PRINTED = """\
module 123 5 gcc 12
count empty throughput 0 0 4
count nop isolated 1 1 1
count local_irq_save_restore throughput 28 28 4
count local_irq_save_restore isolated 7 7 1
count spin_lock throughput 70 74 4
absent local_trylock * this kernel does not offer it
absent spin_lock throughput/timer x y
"""


def test_what_the_program_prints(tmp_path: Path) -> None:
    counted = counting.read(_PRINTED, kernel("6.1-arm64"), "max")
    column = counted.column()
    assert column.counts == {"local_irq_save_restore": 7, "spin_lock": 17.5}
    assert column.varying == {"spin_lock"} and column.architecture == "arm64"
    assert column.absent == {"local_trylock": "this kernel does not offer it"}
    assert "local_irq_save_restore" in counted.text() and "arm64" in counted.text()
    path = tmp_path / "counts.json"
    counting.write(counted, path)
    document = json.loads(path.read_text())
    assert document["architecture"] == "arm64" and document["cpu"] == "max"
    assert document["instructions"]["spin_lock"] == {"throughput": 17.5}
    # It is no result, and never compared with one.
    with pytest.raises(ResultError, match="not a result, but a record of irqcost: counts"):
        reader.read_result(path)
    with pytest.raises(IrqcostError, match="nothing was counted"):
        counting.read("module 1 2 gcc", kernel("6.1-arm64"), "max")


def test_code_between_the_stamps() -> None:
    arm64 = "mov w20, w0|isb|mrs x0, cntvct_el0|mov x21, x0|isb|mrs x0, daif|isb|mrs x0, cntvct_el0"
    assert listing.between(lines(arm64), ARM64.stamp) == ("mrs x0, daif",)
    riscv = "fence|rdcycle a0|mv s3,a0|fence|csrci sstatus,2|fence|rdcycle a0|fence"
    assert listing.between(lines(riscv), RISCV64.stamp, 1) == ("csrci sstatus,2",)
    assert listing.between(lines(riscv), RISCV64.stamp, 2) == ()
    assert listing.between(lines("nop"), ARM64.stamp) == ()


def lines(text: str) -> dict[int, listing.Line]:
    """As objdump prints them."""
    numbered = enumerate(text.split("|"))
    return listing.parsed("".join(f"  {4 * number:x}:\t{one}\n" for number, one in numbered))


# A kernel with both ways to mask; what it is patched to is in the place of BRANCH.
_BOTH_WAYS = (
    "isb|mrs x0, cntvct_el0|str x0, [sp]|isb|BRANCH|msr daifset, #0x3|b 0x28|nop|"
    "mov x1, #0xc0                \t// #192|msr icc_pmr_el1, x1|"
    "mrs x2, daif|tbz w2, #7, 0x34|nop|isb|mrs x0, cntvct_el0|bl 0x1234567"
)


def test_code_that_is_executed() -> None:
    """Not what lies between the stamps: a kernel has two ways, and takes one of them."""
    daif, pmr = (lines(_BOTH_WAYS.replace("BRANCH", one)) for one in ("nop", "b 0x20"))
    assert listing.between(daif, ARM64.stamp, 5) == (
        *("nop", "msr daifset, #0x3", "b …", "mrs x2, daif", "tbz w2, #7, …"),
    )
    assert listing.between(pmr, ARM64.stamp, 6) == (
        *("b …", "mov x1, #0xc0", "msr icc_pmr_el1, x1", "mrs x2, daif", "tbz w2, #7, …", "nop"),
    )
    # Two ways, and nothing says which.
    assert listing.between(pmr, ARM64.stamp) == ()
    # Ways without number.
    assert (
        listing.between(
            lines(
                f"isb|mrs x0, cntvct_el0|str x0, [sp]|isb|{'cbz x1, 0x10|' * 30}"
                "isb|mrs x0, cntvct_el0"
            ),
            ARM64.stamp,
            30,
        )
        == ()
    )
    # A function that is called has instructions of its own.
    away = lines("isb|mrs x0, cntvct_el0|mov x1, x0|isb|bl 0x40|isb|mrs x0, cntvct_el0")
    assert listing.between(away, ARM64.stamp, 1) == ()


def test_architectures_beside_each_other() -> None:
    usual = Counts("6.1.0-1-amd64", "2026-01-01", {"spin_lock": 17, "cli": 1}, frozenset(), {})
    code = {"this_cpu_inc": ("stadd x2, [x0]",)}
    other = ("2026-01-02", {"spin_lock": 18.5}, frozenset({"spin_lock"}), {"read_lock": "why"})
    arm64 = Counts("6.1.0-1-arm64", *other, "arm64", "max", code)
    older = Counts("6.1.0-1-arm64", *other, "arm64", "cortex-a72")
    columns = {"6.1": usual, "6.1-arm64": arm64, "6.1-arm64-cortex-a72": older}
    whole = matrix.markdown(columns, catalogue.read())
    before, after = whole.split("\n## Three architectures\n")
    assert "x86<br>6.1.0-1 | arm64<br>6.1.0-1-arm64 | arm64<br>6.1.0-1-arm64 cortex-a72 |" in after
    assert "| `spin_lock` | 17 | 18.50 | 18.50 |" in after and "| `cli`" not in after
    assert "    arm64, 6.1.0-1-arm64\n        stadd x2, [x0]\n" in after
    assert "| masks by | – | – | – |\n" in after
    # The tables before it are of this machine's architecture.
    assert "arm64" not in before
    assert "Three" not in matrix.markdown({"6.1": usual}, catalogue.read())


def test_what_a_kernel_masks_by() -> None:
    """By its own code: a kernel that can mask by priority may also not do so."""
    daif, pmr = ("nop", "msr daifset, #0x3"), ("b …", "mov x1, #0xc0", "msr icc_pmr_el1, x1")
    assert [ARM64.masked_by(one) for one in (daif, pmr, ("nop",))] == ["DAIF", "PMR", ""]
    assert X86.masked_by(["pushfq", "cli"]) == "IF"
    assert RISCV64.masked_by(["csrc sstatus,2"]) == "SIE"

    def counted(*code: str) -> Counts:
        own = {"local_irq_disable_enable": code}
        release = "7.0-pseudo-nmi-arm64"
        return Counts(release, "2026-01-01", {"spin_lock": 9}, frozenset(), {}, "arm64", "max", own)

    columns = {"pseudo-nmi-arm64": counted(*pmr), "pseudo-nmi-arm64-off": counted(*daif)}
    page = matrix.markdown(columns, catalogue.read())
    assert "| | arm64<br>7.0-pseudo-nmi-arm64 | arm64<br>pseudo-nmi-arm64-off |\n" in page
    assert "\n| masks by | PMR | DAIF |\n" in page
    assert "    arm64, 7.0-pseudo-nmi-arm64, masks by PMR\n        b …\n        mov x1" in page
    assert "    arm64, 7.0-pseudo-nmi-arm64, masks by DAIF\n        nop\n" in page


def test_what_a_file_says_that_the_kernel_masks_by(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = "count local_irq_disable_enable isolated 3 3 1\n"
    printed += "text local_irq_disable_enable irqcost_window 00\n"
    for masking, name in (("msr daifset, #3", "DAIF"), ("msr icc_pmr_el1, x1", "PMR")):
        window = f"isb|mrs x0, cntvct_el0|str x0, [sp]|isb|nop|{masking}|nop"
        found = lines(f"{window}|isb|mrs x0, cntvct_el0")
        monkeypatch.setattr(counting, "disassembled", lambda *_, found=found: found)
        counted = counting.read(printed, kernel("6.1-arm64"), "max")
        assert counted.masks == counted.document()["masks"] == name
        assert f"The kernel masks by {name}.\n" in counted.text()


def test_tools_are_named_by_their_target() -> None:
    assert [one.tool("gcc") for one in (X86, ARM64, RISCV64)] == [
        "gcc",
        "aarch64-linux-gnu-gcc",
        "riscv64-linux-gnu-gcc",
    ]
