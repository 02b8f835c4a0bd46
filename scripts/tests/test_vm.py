# SPDX-License-Identifier: GPL-2.0-only
"""The parts of `irqcost vm` that need no guest."""

import argparse
import dataclasses
import hashlib
import io
import lzma
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from irqcost.base import cache
from irqcost.base.errors import Exit, IrqcostError
from irqcost.base.progress import Progress
from irqcost.commands import vm
from irqcost.measure.guests import measuring
from irqcost.vm import apt, initramfs, kernels, module, qemu, transport
from irqcost.vm.apt import Source
from irqcost.vm.kernels import Kernel

KERNEL = Kernel("6.1", "6.1.0-1-amd64", Path("/k/vmlinuz, x"), Path("/k/headers"))


# --- apt ---------------------------------------------------------------------------------------

DEB822 = """\
Types: deb deb-src
# a comment
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
URIs: http://mirror.test/debian-security
Suites: bookworm-security
Signed-By: /key.gpg

Enabled: no
Types: deb
URIs: http://other.test/debian
Suites: trixie
"""


def test_deb822_sources() -> None:
    main, security = apt.parse_deb822(DEB822)
    assert main.uri == "http://mirror.test/debian"
    assert main.suites == ("bookworm", "bookworm-updates")
    assert main.signed_by.splitlines()[1:] == [
        " -----BEGIN PGP PUBLIC KEY BLOCK-----",
        " .",
        " abc",
    ]
    assert security == Source(
        "http://mirror.test/debian-security", ("bookworm-security",), "/key.gpg"
    )


def test_one_line_sources() -> None:
    text = (
        "# deb http://no.test x main\n"
        "deb-src http://no.test bookworm main\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://a.test/debian bookworm main # note\n"
        "deb http://b.test/debian bookworm/updates main\n"
    )
    assert apt.parse_one_line(text) == [
        Source("http://a.test/debian", ("bookworm",), "/k.gpg"),
        Source("http://b.test/debian", ("bookworm/updates",)),
    ]


def test_machine_sources_reads_both_formats(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text("deb http://a.test/debian bookworm main\n")
    (tmp_path / "sources.list.d" / "b.sources").write_text(DEB822)
    (tmp_path / "sources.list.d" / "c.list.disabled").write_text("deb http://c.test sid main\n")
    uris = [source.uri for source in apt.machine_sources(tmp_path)]
    assert uris == [
        "http://a.test/debian",
        "http://mirror.test/debian",
        "http://mirror.test/debian-security",
    ]


def test_debian_is_told_from_other_archives() -> None:
    foreign = [
        Source("http://ubuntu.test", ("noble", "noble-security")),
        Source("http://cloud.test", ("cloud-sdk-bookworm",)),
    ]
    with pytest.raises(IrqcostError, match="--mirror"):
        apt.find_archive(foreign)
    archive = apt.find_archive(foreign + apt.parse_deb822(DEB822))
    assert archive.main.uri == "http://mirror.test/debian"
    assert archive.security and archive.security.uri == "http://mirror.test/debian-security"


def test_private_sources_keep_mirror_and_key() -> None:
    text = apt.sources_text(apt.find_archive(apt.parse_deb822(DEB822)), "bullseye")
    main, security = apt.parse_deb822(text)
    assert main.suites == ("bullseye",)
    assert main.signed_by.endswith("abc")
    assert security == Source(
        "http://mirror.test/debian-security", ("bullseye-security",), "/key.gpg"
    )


def test_mirror_must_be_a_url() -> None:
    with pytest.raises(IrqcostError, match="not a URL"):
        apt.find_archive([], "mirror.test/debian")


def test_depends_takes_the_first_alternative() -> None:
    text = (
        "linux-headers-1\n  Depends: linux-headers-1-common\n |Depends: linux-image-1\n"
        "  Depends: linux-image-1-unsigned\n  Depends: <virtual>\n    provider\n"
        "  PreDepends: linux-base\n"
    )
    names = ["linux-headers-1-common", "linux-image-1", "<virtual>", "linux-base"]
    assert apt.parse_depends(text) == names


def test_unreachable_mirror_is_a_clear_error(tmp_path: Path) -> None:
    # Port 9 on this machine: nothing listens there.
    source = Source("http://127.0.0.1:9/debian", ())
    private = apt.PrivateApt(tmp_path, apt.Archive(source, None), "bookworm")
    with pytest.raises(IrqcostError, match="127.0.0.1"):
        private.update()


# --- kernels -----------------------------------------------------------------------------------


def test_cache_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IRQCOST_CACHE", "/own")
    assert cache.cache_directory() == Path("/own")
    monkeypatch.delenv("IRQCOST_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert cache.cache_directory() == Path("/xdg/irqcost")


def build_tree(root: Path, signature: bytes = b"HdrS") -> Path:
    (root / "arch/x86/boot").mkdir(parents=True)
    (root / "arch/x86/boot/bzImage").write_bytes(bytes(0x202) + signature)
    (root / "include/generated").mkdir(parents=True)
    (root / "include/generated/utsrelease.h").write_text('#define UTS_RELEASE "6.9.0-test"\n')
    return root


def find(name: str, headers: Path | None = None) -> Kernel:
    return kernels.find_kernel(name, lambda text: None, None, headers)


def test_a_build_tree_is_a_kernel(tmp_path: Path) -> None:
    tree = build_tree(tmp_path / "tree")
    found = find(str(tree))
    assert found == Kernel(str(tree), "6.9.0-test", tree / "arch/x86/boot/bzImage", tree)
    image = tmp_path / "vmlinuz"
    image.write_bytes(found.vmlinuz.read_bytes())
    assert find(str(image), tree).vmlinuz == image


def test_paths_that_are_no_kernel(tmp_path: Path) -> None:
    with pytest.raises(IrqcostError, match="neither one of 5.10, 6.1, 6.1-rt"):
        find(str(tmp_path / "missing"))
    with pytest.raises(IrqcostError, match="bzImage is missing"):
        find(str(tmp_path))
    tree = build_tree(tmp_path / "tree", b"ELF!")
    with pytest.raises(IrqcostError, match="not an x86 kernel image"):
        find(str(tree))
    with pytest.raises(IrqcostError, match="--headers"):
        find(str(tree / "arch/x86/boot/bzImage"))
    with pytest.raises(IrqcostError, match="--headers"):
        find("6.1", tree)
    with pytest.raises(IrqcostError, match="names no release"):
        find(str(tree / "arch/x86/boot/bzImage"), tmp_path)


def test_a_failed_fetch_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IRQCOST_CACHE", str(tmp_path))
    source = Source("http://127.0.0.1:9/debian", ("bookworm",))
    monkeypatch.setattr(kernels, "machine_sources", lambda: [source])
    with pytest.raises(IrqcostError, match="127.0.0.1"):
        find("6.1")
    assert [path.name for path in (tmp_path / "kernels").iterdir()] == [".6.1.lock"]


def test_of_a_kernels_own_modules_those_of_kvm_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "deb/usr/lib/modules/9.9/kernel"
    folder.mkdir(parents=True)
    for name in ("kvm-amd.ko.xz", "kvm.ko", "ccp.ko", "irqbypass.ko", "kvm-intel.ko", "ext4.ko"):
        data = name.encode()
        (folder / name).write_bytes(lzma.compress(data) if name.endswith(".xz") else data)
    control = tmp_path / "deb/DEBIAN/control"
    control.parent.mkdir()
    control.write_text(
        "Package: linux-image\nVersion: 9\nArchitecture: amd64\nMaintainer: a\nDescription: b\n"
    )
    deb = tmp_path / "linux-image.deb"
    subprocess.run(["dpkg-deb", "-b", tmp_path / "deb", deb], check=True, capture_output=True)

    root = tmp_path / "root"
    kernels._unpack(deb, root)
    found = kernels.kvm_modules(replace(KERNEL, root=root))
    assert list(found) == ["irqbypass.ko", "kvm.ko", "ccp.ko", "kvm-amd.ko"]
    assert found["kvm-amd.ko"] == b"kvm-amd.ko.xz" and found["kvm.ko"] == b"kvm.ko"
    intel = kernels.kvm_modules(replace(KERNEL, root=root), "intel")
    assert list(intel) == ["irqbypass.ko", "kvm.ko", "kvm-intel.ko"]
    kept = {path.name.removesuffix(".xz") for path in root.glob("**/*.ko*")}
    assert kept == found.keys() | intel.keys() and not deb.exists()
    for without in (KERNEL, replace(KERNEL, root=tmp_path / "none")):
        with pytest.raises(IrqcostError, match="6.1: no module irqbypass, which KVM needs"):
            kernels.kvm_modules(without)


# --- module ------------------------------------------------------------------------------------


def test_build_key_changes_with_what_the_module_depends_on(tmp_path: Path) -> None:
    source = tmp_path / "main.c"
    source.write_text("int a;")

    def key(kernel: Kernel = KERNEL, compiler: str = "gcc 12") -> str:
        return module.build_key(kernel, compiler, [source], tmp_path)

    first = key()
    assert key() == first
    other = Kernel("6.1", "6.1.0-2-amd64", KERNEL.vmlinuz, KERNEL.headers)
    assert len({first, key(other), key(compiler="gcc 13")}) == 3
    source.write_text("int b;")
    assert key() != first


def test_a_kernel_that_was_built_again_has_another_module(tmp_path: Path) -> None:
    """A header in which one instruction was added changes neither release nor configuration."""
    tree = build_tree(tmp_path / "tree")
    keys = []
    for byte in (b"1", b"2"):
        image = tree / "arch/x86/boot/bzImage"
        image.write_bytes(image.read_bytes() + byte)
        keys.append(module.build_key(find(str(tree)), "gcc 12", []))
    assert keys[0] != keys[1]


def test_sources_of_the_module() -> None:
    names = {str(path.relative_to(module.SOURCES)) for path in module.source_files()}
    assert {
        "Kbuild",
        "Makefile",
        "include/irqcost/probes.def",
        "include/irqcost/probes/calls.def",
        "arch/x86/cpu.c",
        "arch/x86/flags.mk",
        "arch/x86/include/irqcost/arch/instructions.def",
        "main.c",
    } <= names
    assert not any(name.endswith((".o", ".mod.c")) for name in names)


# --- initramfs ---------------------------------------------------------------------------------


def test_archive_is_read_by_cpio(tmp_path: Path) -> None:
    archive = initramfs.Archive()
    archive.file("/usr/lib/a", b"12345", 0o755)
    archive.file("/usr/lib/b", b"")
    archive.link("/bin/sh", "busybox")
    archive.directory("/proc")
    assert "/usr/lib/a" in archive and "/usr/lib/c" not in archive
    subprocess.run(
        ["cpio", "-id", "--quiet"], input=archive.pack(), cwd=tmp_path, check=True, timeout=60
    )
    assert (tmp_path / "usr/lib/a").read_bytes() == b"12345"
    assert (tmp_path / "usr/lib/a").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "usr/lib/b").read_bytes() == b""
    assert (tmp_path / "bin/sh").readlink() == Path("busybox")
    assert (tmp_path / "proc").is_dir()


def test_ldd() -> None:
    text = (
        "\tlinux-vdso.so.1 (0x00007ffd)\n"
        "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f00)\n"
        "\t/lib64/ld-linux-x86-64.so.2 (0x00007f01)\n"
    )
    libraries = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"]
    assert initramfs.parse_ldd(text) == libraries
    with pytest.raises(IrqcostError, match="libx.so.1"):
        initramfs.parse_ldd("\tlibx.so.1 => not found\n")


def test_init_script_quotes_arguments_and_keeps_statuses() -> None:
    commands = [
        initramfs.Command("one", ("echo", "a b;c")),
        initramfs.Command("two", ("x",), capture=False),
    ]
    script = initramfs.init_script(commands)
    assert "echo 'a b;c' >/out/one.log 2>&1 </dev/null\necho $? >/out/one.status\n" in script
    assert "\nx </dev/null\necho $? >/out/two.status\n" in script
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    with pytest.raises(ValueError, match="file name"):
        initramfs.init_script([initramfs.Command("a/b", ("x",))])


# --- transport ---------------------------------------------------------------------------------


def package(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    body = buffer.getvalue()
    return f"irqcost-result {len(body)} {hashlib.sha256(body).hexdigest()}\n".encode() + body


def test_a_whole_package() -> None:
    content = {"a.json": b"{}\r\n\x00\xff", "sub/b": b""}
    assert transport.unpack(package(content)) == content


def test_damage_is_noticed() -> None:
    good = package({"a": b"data"})
    flipped = bytearray(good)
    flipped[-20] ^= 1
    for bad, why in (
        (b"", "nothing"),
        (good[:30], "does not begin"),
        (good[:-1], "bytes came back of"),
        (good + b"x", "bytes came back of"),
        (bytes(flipped), "checksum"),
    ):
        with pytest.raises(transport.TransportError, match=why):
            transport.unpack(bad)


# --- QEMU --------------------------------------------------------------------------------------


def test_qemu_arguments() -> None:
    argv = qemu.qemu_argv(KERNEL, qemu.Machine(exact=True), Path("/w"))
    assert argv[argv.index("-icount") + 1] == "shift=0,sleep=off"
    assert argv[argv.index("-smp") + 1] == "1"
    assert argv[argv.index("-kernel") + 1] == "/k/vmlinuz, x"
    assert argv[argv.index("-accel") + 1] == "tcg"
    assert argv[argv.index("-append") + 1].endswith(" panic=-1")
    machine = qemu.Machine(cpus=2, arguments=("-D", "x"), parameters="isolcpus=1")
    plain = qemu.qemu_argv(KERNEL, machine, Path("/w"))
    assert plain[plain.index("-append") + 1].endswith(" panic=-1 isolcpus=1")
    assert "-icount" not in plain and plain[-2:] == ["-D", "x"]
    assert plain[plain.index("-smp") + 1] == "2"


def test_the_instruction_clock_needs_one_cpu() -> None:
    with pytest.raises(IrqcostError, match="--smp 1"):
        qemu.Machine(exact=True, cpus=2)
    with pytest.raises(IrqcostError, match="at least one"):
        qemu.Machine(cpus=0)


@pytest.mark.parametrize("console, starts", [("Oops", 2), ("irqcost-guest: insmod", 1)])
def test_only_a_guest_that_did_not_begin_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, console: str, starts: int
) -> None:
    fake = tmp_path / "qemu"
    fake.write_text(
        f"#!/bin/sh\necho >>{tmp_path}/starts\n"
        f"for a; do case $a in file:*console.log) echo '{console}' >\"${{a#file:}}\";; esac; done\n"
    )
    fake.chmod(0o755)
    monkeypatch.setattr(qemu, "build_initramfs", lambda *_, **__: b"")
    emulated = dataclasses.replace(KERNEL.architecture, qemu=str(fake))
    with pytest.raises(qemu.GuestDied, match="nothing came back"):
        qemu.run_guest(dataclasses.replace(KERNEL, architecture=emulated), [])
    assert len((tmp_path / "starts").read_text()) == starts


# --- the command -------------------------------------------------------------------------------


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    vm.add_parser(parser.add_subparsers())
    return parser.parse_args(["vm", *arguments])


def test_dry_run_runs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = build_tree(tmp_path / "a tree")
    assert vm.run(parse("--kernel", str(tree), "--exact", "--dry-run")) == Exit.OK
    printed = capsys.readouterr().out
    assert "-icount shift=0,sleep=off" in printed
    assert f"'KDIR={tree}'" in printed


def test_dry_run_does_not_fetch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IRQCOST_CACHE", str(tmp_path))
    assert vm.run(parse("--kernel", "6.12", "--dry-run")) == Exit.OK
    assert "linux-image-6.12-amd64" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["--samples", "--smp", "--time-limit"])
@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5"])
def test_numbers_are_checked(option: str, value: str) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(option, value)
    assert ended.value.code == 2


def guest(files: dict[str, bytes], **status: int) -> qemu.GuestResult:
    console = "boot\nirqcost-guest: measure\nit went wrong\n"
    return qemu.GuestResult(status, console, {"insmod.log": b"no such thing\n", **files})


def test_a_guest_without_a_result_is_an_error() -> None:
    assert measuring.measured(guest({"result.json": b"{}"}, insmod=0, measure=0)) == b"{}"
    with pytest.raises(IrqcostError, match="no such thing"):
        measuring.measured(guest({}, insmod=1, measure=2))
    with pytest.raises(IrqcostError, match="status 2:\nit went wrong"):
        measuring.measured(guest({}, insmod=0, measure=2))


def test_the_follower_counts() -> None:
    shown: list[tuple[int, int, str]] = []

    class Recorder(Progress):
        def show(self, text: str) -> None:
            pass

        def count(self, done: int, total: int, now: str) -> None:
            shown.append((done, total, now))

    follower = measuring.Follower(Recorder("guest"))
    for line in (
        "irqcost-guest: list",
        "kmod/cli/isolated",
        "kmod/sti/isolated",
        "irqcost-guest: measure",
        "Benchmark   Time",
        "kmod/cli/isolated/manual_time   1 ns",
        "kmod/sti/isolated/manual_time   1 ns",
    ):
        follower.line(line)
    assert shown == [(1, 2, "kmod/cli/isolated"), (2, 2, "kmod/sti/isolated")]
