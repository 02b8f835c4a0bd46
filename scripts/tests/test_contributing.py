# SPDX-License-Identifier: GPL-2.0-only
"""A chart and an output format are added to a copy of the tree as CONTRIBUTING.md shows them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from irqcost import ROOT
from results import path

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def example(sign: str) -> str:
    """The block of code in CONTRIBUTING.md that has a sign in it."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (found,) = (block for block in blocks if sign in block)
    return str(found)


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> Path:
    """A copy of what the command needs, without recordings and what was built."""
    copy = tmp_path / "tree"
    left_out = shutil.ignore_patterns(".git", "build", "recorded", "tests", "__pycache__")
    shutil.copytree(ROOT, copy, ignore=left_out)
    return copy


def insert(file: Path, after: str, lines: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(after) == 1, (file, after)
    file.write_text(text.replace(after, after + lines), encoding="utf-8")


def compare(tree: Path, *arguments: object) -> str:
    """What the copy's command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "irqcost", "compare", *map(str, arguments)],
        cwd=tree.parent,
        env={**os.environ, "PYTHONPATH": str(tree / "scripts")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_chart_is_added_in_one_place(tree: Path) -> None:
    charts = tree / "scripts" / "irqcost" / "output" / "charts"
    (name,) = re.findall(r"^`scripts/irqcost/output/charts/(\w+)\.py`:$", PAGE, re.MULTILINE)
    (charts / f"{name}.py").write_text(example("def figure("), encoding="utf-8")
    insert(charts / "__init__.py", "    for chart in (\n", example("Chart("))
    assert f"  {name} " in compare(tree, "--help")
    out = tree.parent / "drawn"
    files = (path("alpha"), path("beta"))
    assert f"{out}.svg" in compare(tree, *files, "--chart", name, "--out", out)
    svg = out.with_suffix(".svg").read_text(encoding="utf-8")
    assert ">Reliable results<" in svg and "Percent of all results of a run" in svg
    assert "Test CPU Alpha" in svg


def test_a_format_is_added_in_one_place(tree: Path) -> None:
    formats = tree / "scripts" / "irqcost" / "output" / "formats.py"
    insert(formats, "FORMATS: Mapping[str, Writer] = {\n", example('"names":'))
    function = f"\n\n{example('def names_text(')}\n"
    insert(formats, "\nWriter = Callable[[Comparison], str]\n", function)
    written = compare(tree, path("alpha"), "--select", "/popf/", "--format", "names")
    assert written.splitlines()[:1] == ["ring3/popf/throughput"]
    assert all("/popf/" in line for line in written.splitlines())
