# SPDX-License-Identifier: GPL-2.0-only
"""What all languages know is defined once: the examples of docs/ARCHITECTURE.md, performed."""

import json
import re
import shutil
import subprocess
from pathlib import Path

from irqcost import ROOT
from irqcost.model import catalogue, description

_MAIN = """
#include <iostream>
#include "report/describe.h"
int main() { std::cout << irqcost::DescribeJson(); }
"""


def example(language: str, sign: str) -> str:
    """The block of code in docs/ARCHITECTURE.md that has a sign in it."""
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    (found,) = (
        block for block in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL) if sign in block
    )
    return found


def added_row() -> tuple[int, str]:
    """A row like the example's, with an id and a key of its own."""
    number = max(probe.id for probe in catalogue.read()) + 1
    row = example("c", "cli_sti_nop")
    row = row.replace("(51, cli_sti_nop,", f"({number}, cli_sti_pause,").replace("nop", "pause")
    return number, row


def test_the_examples_are_rows() -> None:
    rows = catalogue.INSTRUCTIONS.read_text(encoding="utf-8")
    assert example("c", "cli_sti_nop") in rows
    registry = ROOT / "bench_user" / "backends" / "registry.def"
    assert example("cpp", "MakeRing3") in registry.read_text(encoding="utf-8")
    assert catalogue.by_key()["cli_sti_nop"].where == "RING0_UNMASKS"


def test_a_probe_and_a_backend_are_added_in_one_place_each(tmp_path: Path) -> None:
    kmod = tmp_path / "bench_kmod"
    shutil.copytree(ROOT / "bench_kmod", kmod, ignore=shutil.ignore_patterns("tests"))
    number, row = added_row()
    copy = tmp_path / catalogue.INSTRUCTIONS.relative_to(ROOT)
    with copy.open("a", encoding="utf-8") as rows:
        rows.write(row)
    registry = tmp_path / "backends" / "registry.def"
    registry.parent.mkdir()
    text = (ROOT / "bench_user" / "backends" / "registry.def").read_text(encoding="utf-8")
    registry.write_text(text + example("cpp", "MakeRing3").replace("ing3", "ing4"))
    (tmp_path / "main.cc").write_text(_MAIN)
    sources = [tmp_path / "main.cc", ROOT / "bench_user" / "report" / "describe.cc"]
    # The copies come first, so they are what is included.
    includes = (tmp_path, kmod / "include", kmod / "arch/x86/include", ROOT / "bench_user")
    folders = [f"-I{folder}" for folder in includes]
    compiler = ["g++", "-std=c++20", '-DIRQCOST_VERSION="x"', *folders]
    program = tmp_path / "describe"
    subprocess.run([*compiler, *sources, "-o", program], check=True)
    told = json.loads(subprocess.run([program], check=True, capture_output=True).stdout)
    (found,) = (one for one in told["catalogue"] if one["key"] == "cli_sti_pause")
    probe = catalogue.Probe(**found)
    assert probe.id == number and probe.has_section and not probe.in_ring3 and probe.repeatable
    # Interrupts are on in it: not in a handler that runs with interrupts off.
    assert "hardirq" not in probe.contexts()
    assert probe.backends == ("kmod", "kvm") and probe.use
    assert "ring4" in [one["name"] for one in told["backends"]]
    known = description.read()
    assert len(told["catalogue"]) == len(known["catalogue"]) + 1
    assert len(told["backends"]) == len(known["backends"]) + 1
    # Its windows are assembled from the row alone.
    windows = tmp_path / "windows.o"
    source = ROOT / "bench_user" / "backends" / "windows.cc"
    subprocess.run([*compiler, "-mno-red-zone", "-c", source, "-o", windows], check=True)
    symbols = subprocess.run(["nm", windows], check=True, capture_output=True, text=True).stdout
    assert "irqcost_cli_sti_pause_64" in symbols
