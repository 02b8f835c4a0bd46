# SPDX-License-Identifier: GPL-2.0-only
"""The folders of bench_user include each other in the order that docs/ARCHITECTURE.md draws."""

import re
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from irqcost import ROOT

HARNESS = ROOT / "bench_user"
_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
_MOST_LINES = 500
_MOST_LINES_OF_A_FUNCTION = 60


def drawn() -> list[str]:
    """The drawing: folders and files of bench_user, the highest first."""
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    block = re.search(r"^```\n(main\.cc .*?)^```", text, re.DOTALL | re.MULTILINE)
    assert block, "docs/ARCHITECTURE.md has no drawing that begins with main.cc"
    return [line.split()[0].rstrip("/") for line in block[1].splitlines()]


def sources(root: Path) -> list[Path]:
    files = (path for path in root.rglob("*") if path.suffix in (".h", ".cc", ".c", ".def"))
    return sorted(path for path in files if "tests" not in path.relative_to(root).parts)


def arrows(root: Path) -> Iterator[tuple[str, str]]:
    """Each file with each file of the harness that it includes."""
    for path in sources(root):
        for name in _INCLUDE.findall(path.read_text(encoding="utf-8")):
            # Others are made by the build, such as the skeletons of BPF programs.
            if (root / name).exists():
                yield str(path.relative_to(root)), name
            else:
                assert "/" not in name, f"{path} includes {name}, which is not there"


def circle(graph: Mapping[str, set[str]]) -> str:
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return " < ".join(error.args[1])
    return ""


def problems(root: Path, order: Sequence[str]) -> list[str]:
    """What is against the order, and circles of files and of folders, those in backends too."""
    files: dict[str, set[str]] = {}
    folders: dict[str, set[str]] = {}
    found = []
    for one, other in arrows(root):
        files.setdefault(one, set()).add(other)
        parent, child = str(Path(one).parent), str(Path(other).parent)
        if parent != child:
            folders.setdefault(parent, set()).add(child)
        upper, lower = Path(one).parts[0], Path(other).parts[0]
        if order.index(upper) > order.index(lower):
            found.append(f"{one} includes {other}, and {lower} is above {upper}")
    return found + [text for text in (circle(files), circle(folders)) if text]


def test_the_drawing_names_all_folders_and_no_others() -> None:
    assert sorted(drawn()) == sorted({p.relative_to(HARNESS).parts[0] for p in sources(HARNESS)})


def test_no_file_includes_against_the_order() -> None:
    assert problems(HARNESS, drawn()) == []
    assert len(list(arrows(HARNESS))) > 100


@pytest.mark.parametrize(
    ("file", "other", "problem"),
    [
        ("base/low.h", "run/high.h", "base/low.h includes run/high.h, and run is above base"),
        ("run/high.h", "run/other.h", "run/high.h < run/other.h < run/high.h"),
        ("run/high.h", "run/deep/x.h", "run < run/deep < run"),
    ],
)
def test_what_is_against_the_order_is_found(
    tmp_path: Path, file: str, other: str, problem: str
) -> None:
    tree = {
        "base/low.h": "",
        "run/high.h": '#include "base/low.h"\n',
        "run/other.h": '#include "run/high.h"\n',
        "run/deep/x.h": '#include "run/other.h"\n',
    }
    for name, text in tree.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert problems(tmp_path, ("run", "base")) == []
    with (tmp_path / file).open("a") as changed:
        changed.write(f'#include "{other}"\n')
    found = [set(one.split(" < ")) for one in problems(tmp_path, ("run", "base"))]
    assert set(problem.split(" < ")) in found


def test_files_are_short() -> None:
    for folder in (HARNESS, ROOT / "bench_kmod"):
        for path in folder.rglob("*"):
            if path.suffix in (".h", ".cc", ".c", ".def", ".py"):
                lines = len(path.read_text(encoding="utf-8").splitlines())
                assert lines <= _MOST_LINES, f"{path}: {lines} lines"


def bodies(path: Path) -> Iterator[tuple[int, int]]:
    """First line and length of each function of a file, a body beginning and ending in column 0."""
    begun = 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("}") and begun:
            yield begun, number - begun + 1
            begun = 0
        elif line[:1].strip() and line.endswith("{") and not line.endswith("= {"):
            begun = 0 if line.startswith(("namespace", "extern", "struct", "class")) else number


def test_functions_are_short() -> None:
    found = 0
    for folder in (HARNESS, ROOT / "bench_kmod"):
        for path in sources(folder):
            for line, length in bodies(path):
                found += 1
                assert length <= _MOST_LINES_OF_A_FUNCTION, f"{path}:{line}: {length} lines"
    assert found > 300


def test_a_function_that_is_too_long_is_seen(tmp_path: Path) -> None:
    source = tmp_path / "long.c"
    source.write_text("struct x {\n};\nint f(void)\n{\n" + "\tg();\n" * 60 + "}\n")
    assert list(bodies(source)) == [(4, 62)]
