# SPDX-License-Identifier: GPL-2.0-only
"""The kernels that guests boot and the compilers that build them; without a guest."""

from pathlib import Path

import pytest

from irqcost.base.errors import IrqcostError
from irqcost.vm import apt, chroot, from_source, kernels, module, qemu
from irqcost.vm.kernels import Kernel
from irqcost.vm.qemu import Machine


def test_suites() -> None:
    assert apt.suites_of("bullseye") == (("bullseye",), ("bullseye-security",))
    assert apt.suites_of("experimental") == (("sid", "experimental"), ())
    backports = (("trixie", "trixie-backports"), ("trixie-security",))
    assert apt.suites_of("trixie-backports") == backports
    archive = apt.Archive(apt.Source("http://a.test/debian", ()), apt.Source("http://s.test", ()))
    [only] = apt.parse_deb822(apt.sources_text(archive, "experimental"))
    assert only.suites == ("sid", "experimental")


def test_the_module_is_built_where_its_compiler_is() -> None:
    room = chroot.Chroot(Path("/c/chroot"), Path("/c/root"))
    kernel = Kernel("5.10", "5.10.0-1", Path("/c/v"), Path("/c/root/usr/src/linux-5"), room)
    argv = module.make_argv(kernel, Path("/tmp/build"), "W=1")
    assert argv[0] == "unshare"
    assert argv[argv.index("enter") + 1 :] == [
        *("/c/chroot", "/c/root", str(module.SOURCES.parent), "/tmp/build"),
        *(
            "make",
            "-C",
            "/irqcost/bench_kmod",
            "KDIR=/kernel/usr/src/linux-5",
            "BUILD=/build",
            "W=1",
        ),
    ]


def test_a_compiler_comes_with_its_assembler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []

    def run(command: list[str], _: str) -> str:
        ran.append(command)
        (tmp_path / "c").mkdir()
        return ""

    monkeypatch.setattr(chroot.os, "geteuid", lambda: 0)
    monkeypatch.setattr(chroot.shutil, "which", lambda name: name)
    monkeypatch.setattr(chroot, "output", run)
    chroot.make(tmp_path / "c", "sid", ["gcc-14-for-host"], apt.Source("http://a.test/debian", ()))
    assert "--include=make,binutils,perl,gcc-14-for-host" in ran[0]


def test_kernels_that_need_the_same_compiler_share_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def make(root: Path, suite: str, packages: list[str], source: apt.Source) -> None:
        made.append((suite, packages))
        root.mkdir()

    monkeypatch.setenv("IRQCOST_CACHE", str(tmp_path))
    monkeypatch.setattr(chroot, "make", make)
    archive = apt.Archive(apt.Source("http://a.test/debian", ()), None)
    needs = (["gcc-14", "libelf1t64"], ["libelf1t64", "gcc-14"], ["gcc-15"])
    first, same, other = (
        kernels._toolchain("trixie", needed, archive, lambda text: None) for needed in needs
    )
    assert first == same != other and first.is_dir() and other.is_dir()
    assert made == [("trixie", needs[0]), ("trixie", needs[2])]


def test_only_root_installs_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chroot.os, "geteuid", lambda: 1000)
    with pytest.raises(IrqcostError, match="only root"):
        chroot.make(tmp_path / "c", "sid", [], apt.Source("http://a.test/debian", ()))


@pytest.fixture(name="made")
def _made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What make was asked for; the configuration is what was wanted, and nothing is built."""
    made: list[list[str]] = []

    def make(argv: list[str], _: str) -> str:
        made.append(argv)
        if argv[-1] == "allnoconfig":
            asked = Path(argv[-2].removeprefix("KCONFIG_ALLCONFIG="))
            (tmp_path / "build/.config").write_text(asked.read_text())
        return ""

    monkeypatch.setattr(from_source, "output", make)
    monkeypatch.setattr(from_source.shutil, "which", lambda name: name)
    return made


def test_a_kernel_is_configured_as_its_recipe_says(tmp_path: Path, made: list[list[str]]) -> None:
    for _ in range(2):
        from_source.build("rt-bh-lock", tmp_path, tmp_path / "build", lambda text: None)
    config = (tmp_path / "build/.config").read_text()
    assert "CONFIG_PREEMPT_RT=y\n" in config and 'LOCALVERSION="-rt-bh-lock"\n' in config
    # The second time nothing is configured, and make sees that all is there.
    assert [argv[-1] for argv in made] == ["allnoconfig", "modules", "modules"]
    assert all(f"O={tmp_path}/build" in argv for argv in made)


def test_a_kernel_of_another_architecture_is_cross_built(
    tmp_path: Path, made: list[list[str]]
) -> None:
    from_source.build("pseudo-nmi-arm64", tmp_path, tmp_path / "build", lambda text: None)
    assert all({"ARCH=arm64", "CROSS_COMPILE=aarch64-linux-gnu-"} <= {*argv} for argv in made)
    assert made[-1][-2:] == ["Image", "modules"]
    config = (tmp_path / "build/.config").read_text()
    assert "CONFIG_ARM64_PSEUDO_NMI=y\n" in config and "CONFIG_SERIAL_AMBA_PL011=y\n" in config
    assert "CONFIG_ACPI=y" not in config
    # This machine's own are built with its own compiler.
    made.clear()
    from_source.build("plain", tmp_path, tmp_path / "build", lambda text: None)
    assert made[-1][-2:] == ["bzImage", "modules"]
    assert not any("CROSS_COMPILE" in word for argv in made for word in argv)
    assert "CONFIG_ACPI=y\n" in (tmp_path / "build/.config").read_text()


def test_the_cross_compiler_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(from_source.shutil, "which", lambda name: "gcc" not in name or None)
    from_source.require_tools()
    with pytest.raises(IrqcostError, match="install the package gcc-aarch64-linux-gnu"):
        from_source.require_tools(kernels.architecture_of("pseudo-nmi-arm64"))


def test_what_a_kernel_that_was_cross_built_boots_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its busybox is fetched, its modules are cross-built, and its parameters are given."""
    monkeypatch.setenv("IRQCOST_CACHE", str(tmp_path))
    folder = tmp_path / "kernels/pseudo-nmi-arm64"
    fetched: list[str] = []

    def build(name: str, *_: object) -> None:
        used = kernels.architecture_of(name)
        image, header = folder / "build" / used.image, folder / "build/include/generated"
        image.parent.mkdir(parents=True, exist_ok=True)
        header.mkdir(parents=True, exist_ok=True)
        image.write_bytes(bytes(used.signature[0]) + used.signature[1])
        (header / "utsrelease.h").write_text('#define UTS_RELEASE "7.0-pseudo-nmi-arm64"\n')

    class Apt:
        def download(self, packages: list[str], directory: Path) -> list[Path]:
            fetched.extend(packages)
            return [directory / "busybox.deb"]

    def unpack(_: Path, root: Path) -> None:
        (root / "usr/bin").mkdir(parents=True)
        (root / "usr/bin/busybox").write_bytes(b"")

    monkeypatch.setattr(from_source, "source_of", lambda *_: tmp_path)
    monkeypatch.setattr(from_source, "build", build)
    monkeypatch.setattr(kernels, "_updated", lambda *_: Apt())
    monkeypatch.setattr(kernels, "_unpack", unpack)
    mirror = "http://a.test/debian"
    monkeypatch.setattr(apt, "KEYRING", tmp_path)
    for _ in range(2):
        found = kernels.find_kernel("pseudo-nmi-arm64", lambda text: None, mirror)
    assert fetched == ["busybox-static:arm64"]
    assert found.busybox == folder / "root/usr/bin/busybox"
    assert "CROSS_COMPILE=aarch64-linux-gnu-" in module.make_argv(found, Path("/b"))
    argv = qemu.qemu_argv(found, Machine(parameters="irqchip.gicv3_pseudo_nmi=0"), Path("/w"))
    words = argv[argv.index("-append") + 1].split()
    # The kernel takes the last.
    assert words[-2:] == ["irqchip.gicv3_pseudo_nmi=1", "irqchip.gicv3_pseudo_nmi=0"]
    assert argv[argv.index("-M") + 1] == "virt,gic-version=3"


def test_settings_that_kconfig_did_not_take() -> None:
    wanted = "# comment\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=y\n"
    assert from_source.missing_settings(wanted, "CONFIG_A=y\n# CONFIG_C is not set\n") == [
        "CONFIG_C=y"
    ]


def test_a_panic_is_shown_however_long_its_trace(tmp_path: Path) -> None:
    console = tmp_path / "console"
    panic = "[    3.0] Kernel panic - not syncing: sysrq triggered crash"
    trace = [f"[    3.1]  ? function_{i}+0x1/0x2" for i in range(90)]
    console.write_text("\n".join(["booting", panic, *trace]), encoding="utf-8")
    said = qemu._post_mortem("nothing came back", console)
    assert panic in said and "function_89" in said and "function_10+" not in said
    assert "booting" not in said
    console.write_text("\n".join(["booting", panic]), encoding="utf-8")
    assert qemu._post_mortem("x", console).count(panic) == 1
