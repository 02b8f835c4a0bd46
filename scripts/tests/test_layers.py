# SPDX-License-Identifier: GPL-2.0-only
"""The packages of scripts/irqcost: who imports whom, as docs/ARCHITECTURE.md draws it."""

import ast
import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from irqcost import ROOT

_PACKAGE = ROOT / "scripts" / "irqcost"
_MOST_MODULES = 15
_MOST_LINES, _OF_A_COMMAND, _OF_A_FUNCTION = 500, 120, 60


def layers() -> list[str]:
    """The packages, the lowest first."""
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text("utf-8")
    drawing = text.partition("## The packages of `scripts/irqcost`")[2].split("```")[1]
    return [line.split()[0] for line in reversed(drawing.strip().splitlines())]


def modules(folder: Path) -> dict[str, Path]:
    """Files by the names of their modules below `irqcost`; of the package itself that is ""."""
    found = {}
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder).with_suffix("").parts
        found[".".join(parts[:-1] if path.name == "__init__.py" else parts)] = path
    return found


def imports(found: Mapping[str, Path], name: str) -> set[str]:
    """The modules that a module imports, wherever in it: also in functions, for type checkers, and
    by a text that names a module."""
    imported = set()
    for node in ast.walk(ast.parse(found[name].read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name} imports relative to itself"
            base = node.module or ""
            names = [base, *(f"{base}.{one.name}" for one in node.names)]
        elif isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = [node.value]
        else:
            continue
        inner = (one.removeprefix("irqcost.") for one in names if one.startswith("irqcost."))
        imported |= {one for one in inner if one in found and one != name}
    # `from irqcost.a import b` runs irqcost.a as well, but is no use of what is in it.
    return {one for one in imported if not any(other.startswith(f"{one}.") for other in imported)}


def sizes(name: str, path: Path) -> list[str]:
    """What of a file is too long to be seen through."""
    text = path.read_text("utf-8")
    functions = [one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.FunctionDef)]
    is_command = any(one.name == "add_parser" for one in functions)
    most = _OF_A_COMMAND if is_command else _MOST_LINES
    said = [f"{name} is longer than {most} lines"] if text.count("\n") > most else []
    long = [one for one in functions if (one.end_lineno or 0) - one.lineno >= _OF_A_FUNCTION]
    return said + [f"{name}: {one.name}() is longer than {_OF_A_FUNCTION} lines" for one in long]


def faults(folder: Path, order: list[str]) -> list[str]:
    """What is against the order, a circle, too much in a folder, or too long."""
    found = modules(folder)
    uses = {name: imports(found, name) for name in found}
    said = []
    # irqcost itself is below all packages, its command line above them.
    places = {"": -1} | {name: place for place, name in enumerate(order)}

    def place(name: str) -> int:
        return places.get(name.partition(".")[0], len(order))

    for name, used in sorted(uses.items()):
        said += [f"{name} imports {one}" for one in sorted(used) if place(one) > place(name)]
    try:
        TopologicalSorter(uses).prepare()
    except CycleError as error:
        said.append(f"a circle: {' <- '.join(error.args[1])}")
    said += [fault for name in sorted(found) for fault in sizes(name, found[name])]
    folders: dict[Path, int] = {}
    for path in found.values():
        folders[path.parent] = folders.get(path.parent, 0) + (path.name != "__init__.py")
    said += [
        f"{one.name} has {count} modules" for one, count in folders.items() if count > _MOST_MODULES
    ]
    packages = {path.relative_to(folder).parts[0] for path in found.values()}
    unknown = {one for one in packages if not one.endswith(".py")} - set(order)
    return said + [f"{one} is not drawn" for one in sorted(unknown)]


def test_packages_import_only_from_those_below_them() -> None:
    assert faults(_PACKAGE, layers()) == []


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"low/a.py": "from irqcost.high import b"}, "low.a imports high.b"),
        ({"low/a.py": "def f():\n    from irqcost.high.b import c"}, "low.a imports high.b"),
        ({"low/a.py": "import irqcost.high.b"}, "low.a imports high.b"),
        ({"low/a.py": "import_module('irqcost.high.b')"}, "low.a imports high.b"),
        (
            {
                "high/a.py": "from irqcost.high import b",
                "high/b.py": "from irqcost.high import a",
            },
            "a circle: ",
        ),
        ({"other/a.py": ""}, "other is not drawn"),
        ({f"low/m{i}.py": "" for i in range(16)}, "low has 16 modules"),
        ({"low/a.py": "\n" * 501}, "low.a is longer than 500 lines"),
        (
            {"low/a.py": "def add_parser():\n    pass\n" + "\n" * 119},
            "low.a is longer than 120 lines",
        ),
        ({"low/a.py": "def f():\n" + "    pass\n" * 60}, "low.a: f() is longer than 60 lines"),
    ],
)
def test_what_is_against_the_order_is_found(
    tmp_path: Path, files: Mapping[str, str], fault: str
) -> None:
    for name, text in {"__init__.py": "", "high/b.py": "", **files}.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    (said,) = faults(tmp_path, ["low", "high"])
    assert re.match(re.escape(fault), said), said
