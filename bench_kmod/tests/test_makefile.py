# SPDX-License-Identifier: GPL-2.0-only
"""How the module's Makefile and Kbuild ask a kernel's build system, which is a fake one here."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from irqcost import ROOT
from irqcost.vm.module import source_files

SOURCES = ROOT / "bench_kmod"

# Tells what it was asked, and makes a module of it where all sources are at hand.
KERNEL = """\
modules:
\ttest -e '$(M)/Kbuild' -a -e '$(M)/calls.c' -a -e '$(M)/include/irqcost/abi.h'
\tprintf '%s\\n' 'M=$(M)' 'LLVM=$(LLVM)' 'OUTPUT=$(KBUILD_OUTPUT)' 'W=$(W)' >'$(M)/irqcost.ko'
"""


@pytest.fixture(name="kernel")
def _kernel(tmp_path: Path) -> Path:
    kernel = tmp_path / "kernel"
    (kernel / "include/config").mkdir(parents=True)
    (kernel / "Makefile").write_text(KERNEL)
    (kernel / "include/config/auto.conf").write_text("CONFIG_CC_IS_GCC=y\n")
    return kernel


def make(sources: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {key: value for key, value in os.environ.items() if key not in ("LLVM", "MAKEFLAGS")}
    return subprocess.run(
        ["make", "-s", "-C", str(sources), *arguments],
        capture_output=True,
        text=True,
        env=known | environment,
        check=False,
    )


def asked(module: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in module.read_text().splitlines())


def copied(target: Path) -> Path:
    for path in source_files():
        place = target / path.relative_to(SOURCES)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    return target


@pytest.mark.parametrize("name", ["plain", "with a blank"])
def test_in_the_sources(kernel: Path, tmp_path: Path, name: str) -> None:
    sources = copied(tmp_path / name)
    done = make(sources, f"KDIR={kernel}", "W=1")
    assert done.returncode == 0, done.stderr
    found = asked(sources / "irqcost.ko")
    assert (found["M"] == str(sources)) is (name == "plain")
    assert " " not in found["M"] and found["W"] == "1" and found["LLVM"] == ""
    # What the kernel's build system could not work in is gone again.
    assert Path(found["M"]).exists() is (name == "plain")


@pytest.mark.parametrize("name", ["plain", "with a blank"])
def test_in_a_folder_of_its_own(kernel: Path, tmp_path: Path, name: str) -> None:
    build = tmp_path / name
    done = make(SOURCES, f"KDIR={kernel}", f"BUILD={build}")
    assert done.returncode == 0, done.stderr
    assert " " not in asked(build / "irqcost.ko")["M"]
    assert not (SOURCES / "irqcost.ko").exists()


def test_the_environment_sends_it_nowhere_else(kernel: Path, tmp_path: Path) -> None:
    done = make(SOURCES, f"KDIR={kernel}", f"BUILD={tmp_path}/b", KBUILD_OUTPUT="/elsewhere")
    assert done.returncode == 0, done.stderr
    assert asked(tmp_path / "b/irqcost.ko")["OUTPUT"] == ""


def test_a_kernel_built_by_clang(kernel: Path, tmp_path: Path) -> None:
    config = kernel / "include/config/auto.conf"
    config.write_text("CONFIG_CC_IS_CLANG=y\nCONFIG_CLANG_VERSION=170006\n")
    tools = tmp_path / "tools"
    tools.mkdir()
    for installed in ("1", "-17"):
        done = make(
            SOURCES,
            f"KDIR={kernel}",
            f"BUILD={tmp_path}/b",
            PATH=f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        assert done.returncode == 0, done.stderr
        assert asked(tmp_path / "b/irqcost.ko")["LLVM"] == installed
        (tools / "clang-17").write_text("#!/bin/sh\n")
        (tools / "clang-17").chmod(0o755)


def test_no_headers(tmp_path: Path) -> None:
    done = make(SOURCES, f"KDIR={tmp_path}/none", f"BUILD={tmp_path}/b")
    assert done.returncode and not (tmp_path / "b").exists()
    [said, *_] = done.stderr.splitlines()
    assert "no headers of a kernel" in said and f"linux-headers-{os.uname().release}" in said


@pytest.mark.parametrize(
    "settings, said",
    [
        (["CC=no-such-compiler"], "no-such-compiler is missing"),
        (["CC=gcc", "CONFIG_CC_IS_CLANG=y"], "gcc is the wrong compiler"),
        (["CC=clang"], "clang is the wrong compiler"),
    ],
)
def test_another_compiler(tmp_path: Path, settings: list[str], said: str) -> None:
    if "CC=clang" in settings and not shutil.which("clang"):
        pytest.skip("needs clang")
    text = "CONFIG_CC_VERSION_TEXT := gcc-99 (Somebody's) 99.1\n"
    (tmp_path / "Makefile").write_text(f"{text}include {SOURCES}/Kbuild\nall:\n")
    done = make(tmp_path, *settings, f"src={SOURCES}", "SRCARCH=x86")
    assert done.returncode and said in done.stderr
    assert "gcc-99 (Somebody's) 99.1" in done.stderr


def test_a_copy_without_the_version(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(f"include {SOURCES}/Kbuild\nall:\n")
    (tmp_path / "arch/x86").mkdir(parents=True)
    (tmp_path / "arch/x86/flags.mk").touch()
    done = make(tmp_path, "CC=gcc", f"src={tmp_path}", "SRCARCH=x86")
    assert done.returncode and f"{tmp_path}/VERSION is missing" in done.stderr


def test_a_kernel_of_another_architecture(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(f"include {SOURCES}/Kbuild\nall:\n")
    done = make(tmp_path, "CC=gcc", f"src={SOURCES}", "SRCARCH=alpha")
    assert done.returncode and "irqcost: no port to alpha" in done.stderr


def test_what_a_kernel_has_is_seen_in_its_headers(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(f"include {SOURCES}/Kbuild\nall:\n\t@echo $(ccflags-y)\n")
    headers = {
        "arch/x86/include/asm/hardirq.h": "IRQ_COUNT_MAX,",
        "include/linux/hrtimer.h": "extern void hrtimer_setup(struct hrtimer *timer);",
    }
    for path, content in headers.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("hrtimer_setup_on_stack\n")
    arguments = ["CC=gcc", f"srctree={tmp_path}", f"src={SOURCES}", "SRCARCH=x86"]
    assert "IRQCOST_HAS" not in make(tmp_path, *arguments).stdout
    for path, content in headers.items():
        (tmp_path / path).write_text(content)
    done = make(tmp_path, *arguments)
    flags = {"-DIRQCOST_HAS_IRQ_COUNTS", "-DIRQCOST_HAS_HRTIMER_SETUP"}
    assert flags <= set(done.stdout.split()), done.stderr
