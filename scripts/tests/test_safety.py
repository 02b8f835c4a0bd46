# SPDX-License-Identifier: GPL-2.0-only
"""What docs/SAFETY.md says of the module where the code defines it."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from irqcost import ROOT
from irqcost.vm.soak import program

MODULE = ROOT / "bench_kmod"
PAGE = " ".join((ROOT / "docs" / "SAFETY.md").read_text(encoding="utf-8").split())

# Each fact as C says it, and how the page says it.
FACTS = {
    "IRQCOST_MAX_SAMPLES": "at most {:,} samples of",
    "sizeof(struct irqcost_sample)": "samples of {} bytes for the length of a run",
    "IRQCOST_MAX_IRQS_OFF_NS / 1000": "for at most {} µs at a stretch",
    "IRQCOST_ROUND_US / 1000": "keeps it busy for {} ms at a time",
    "IRQCOST_MAX_ROUNDS": "A run of the longest kind, {} rounds,",
    "irqcost_contention_ms(IRQCOST_MAX_ROUNDS) / 100": "is over after {0[0]}.{0[1]} s whatever",
    "IRQCOST_MAX_TEXT": "at most {} bytes each",
}


@cache
def values(directory: Path) -> dict[str, int]:
    source = directory / "facts.c"
    lines = "".join(f'printf("%llu\\n", (unsigned long long)({fact}));\n' for fact in FACTS)
    source.write_text(
        f"#include <stdio.h>\n#include <irqcost/abi.h>\nint main(void) {{\n{lines}}}\n"
    )
    said = subprocess.run([program(source, directory)], capture_output=True, text=True, check=True)
    return dict(zip(FACTS, map(int, said.stdout.split()), strict=True))


@pytest.mark.parametrize("fact", FACTS)
def test_numbers(fact: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    value = values(tmp_path_factory.getbasetemp())[fact]
    said = FACTS[fact].format(str(value) if "[" in FACTS[fact] else value)
    assert said in PAGE


def test_registers() -> None:
    sources = [*MODULE.glob("*.[ch]"), *(MODULE / "arch").rglob("*.[ch]")]
    code = "".join(path.read_text(encoding="utf-8") for path in sorted(sources))
    assert set(re.findall(r"\bMSR_\w+", PAGE)) == set(re.findall(r"\bMSR_\w+", code))
    assert not re.findall(r"\bwrmsr\w*", code)


def test_what_lasts_is_accounted_to_the_caller() -> None:
    """Memory of a size that the caller names is allocated with the flag that has it accounted."""
    for path in sorted(MODULE.glob("*.c")):
        for call in re.findall(
            r"\b(?:__vmalloc|v[mz]alloc|kv[mz]alloc\w*|kmalloc_array|kcalloc)\([^;]*;",
            path.read_text(encoding="utf-8"),
        ):
            assert "GFP_KERNEL_ACCOUNT" in call, (path.name, call)
