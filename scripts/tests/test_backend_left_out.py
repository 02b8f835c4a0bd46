# SPDX-License-Identifier: GPL-2.0-only
"""A backend that cannot be built is left out with its reason; the harness is built without it."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from irqcost import ROOT

_MAIN = """
#include <cstdio>
#include "backends/bpf/bpf.h"
#include "backends/registry.h"
int main() {
  const auto reason = irqcost::MakeBpf({})->WhyUnavailable();
  return std::puts(reason->reason.c_str()) < 0;
}
"""


def configure(build: Path, *settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["cmake", "-S", str(ROOT), "-B", str(build), "-DIRQCOST_BUILD_TESTS=OFF", *settings],
        capture_output=True,
        text=True,
    )


def reason(build: Path) -> str:
    """What the backend of a configured build says of itself, compiled as the harness would be."""
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    names = [Path(command["file"]).name for command in commands]
    assert "bpf.cc" not in names and "ring3.cc" in names
    command = shlex.split(commands[names.index("unbuilt.cc")]["command"])
    main = build / "main.cc"
    main.write_text(_MAIN, encoding="utf-8")
    program = build / "main"
    # The compiler and its flags, without what is made of one file.
    flags = [flag for flag in command[: command.index("-o")] if flag != "-c"]
    source = str(ROOT / "bench_user/backends/bpf/unbuilt.cc")
    subprocess.run([*flags, "-O0", "-o", str(program), source, str(main)], check=True)
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout


def test_a_compiler_that_fails(tmp_path: Path) -> None:
    clang = tmp_path / "clang"
    clang.write_text(
        "#!/bin/sh\necho 'what follows is not understood' >&2\n"
        "echo 'error: no \"back-end\"; none (bpf)' >&2\nexit 1\n"
    )
    clang.chmod(0o755)
    done = configure(tmp_path / "build", f"-DIRQCOST_CLANG={clang}")
    assert done.returncode == 0, done.stderr
    assert "Without backend bpf (clang fails for probes.bpf.c" in done.stdout
    said = reason(tmp_path / "build")
    assert "clang fails for probes.bpf.c (1): error: no  back-end   none (bpf)" in said


@pytest.mark.parametrize(
    "setting, expected",
    [
        ("-DIRQCOST_BPFTOOL=", "not found: BPFTOOL"),
        ("-DIRQCOST_BPFTOOL=/bin/false", "false fails for probes.bpf.c (1)"),
        ("-DIRQCOST_BPF=OFF", "IRQCOST_BPF is off"),
    ],
)
def test_what_is_missing_or_not_wanted(setting: str, expected: str, tmp_path: Path) -> None:
    done = configure(tmp_path, setting)
    assert done.returncode == 0, done.stderr
    assert f"Without backend bpf ({expected}" in done.stdout


def test_one_that_was_asked_for_is_an_error(tmp_path: Path) -> None:
    done = configure(tmp_path, "-DIRQCOST_BPF=ON", "-DIRQCOST_BPFTOOL=/bin/false")
    assert done.returncode != 0
    assert "IRQCOST_BPF=ON, but backend bpf cannot be built: false fails" in done.stderr
