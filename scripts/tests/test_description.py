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


def test_a_probe_and_a_backend_are_added_in_one_place_each(tmp_path: Path) -> None:
    include = tmp_path / "include"
    shutil.copytree(ROOT / "bench_kmod" / "include", include)
    probes = include / "irqcost" / "probes.def"
    rows = probes.read_text(encoding="utf-8")
    before, mark, after = rows.rpartition("#undef IRQCOST_INSN")
    assert mark, "probes.def undefines its macros at the end"
    probes.write_text(before + example("c", "cli_sti_pause") + mark + after, encoding="utf-8")
    kinds = tmp_path / "backends" / "kinds.h"
    kinds.parent.mkdir()
    text = (ROOT / "bench_user" / "backends" / "kinds.h").read_text(encoding="utf-8")
    before, mark, after = text.rpartition("});")
    kinds.write_text(before + example("cpp", '"example"') + mark + after, encoding="utf-8")
    (tmp_path / "main.cc").write_text(_MAIN)
    sources = [tmp_path / "main.cc", ROOT / "bench_user" / "report" / "describe.cc"]
    # The copies come first, so they are what is included.
    folders = [f"-I{tmp_path}", f"-I{include}", f"-I{ROOT / 'bench_user'}"]
    program = tmp_path / "describe"
    subprocess.run(
        ["g++", "-std=c++20", '-DIRQCOST_VERSION="x"', *folders, *sources, "-o", program],
        check=True,
    )
    told = json.loads(subprocess.run([program], check=True, capture_output=True).stdout)
    (row,) = (one for one in told["catalogue"] if one["key"] == "cli_sti_pause")
    probe = catalogue.Probe(**row)
    assert probe.id == 90 and probe.has_section and not probe.in_ring3 and probe.repeatable
    # Interrupts are on in it: not in a handler that runs with interrupts off.
    assert "hardirq" not in probe.contexts()
    assert "example" in [one["name"] for one in told["backends"]]
    known = description.read()
    assert len(told["catalogue"]) == len(known["catalogue"]) + 1
    assert len(told["backends"]) == len(known["backends"]) + 1


def test_no_id_of_the_example_is_used() -> None:
    (found,) = re.findall(r"IRQCOST_INSN\((\d+), ", example("c", "cli_sti_pause"))
    assert int(found) not in {probe.id for probe in catalogue.read()}
