# SPDX-License-Identifier: GPL-2.0-only
"""What the Debian package needs of other packages, from scripts/packages.txt: a line each for
Depends, Recommends and Suggests."""

import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent

# What only a checkout does, and what a package has done.
_DEVELOPS = {"test", "lint", "build"}
# What most users do not do.
_SELDOM = {"vm", "bisect", "fleet", "--scheduler"}
# The command cannot begin without these.
_ALWAYS = {"all", "run"}

_RELATIONS = ("Depends", "Recommends", "Suggests")
_ESSENTIAL = {"dpkg"}


def relation(commands: Iterable[str]) -> str | None:
    """How much the package needs what these commands of a line need; None: not at all."""
    wanted = set(commands) - _DEVELOPS - {f"{one}?" for one in _DEVELOPS}
    if wanted & _ALWAYS:
        return "Depends"
    if {one.removesuffix("?") for one in wanted} - _SELDOM:
        return "Recommends"
    return "Suggests" if wanted else None


def relations(text: str, python: str) -> Mapping[str, list[str]]:
    """Each relation's packages, each package once; @python: the least version of Python."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        commands, _, debian, *_ = line.split()
        kind = relation(commands.split(","))
        if kind is None or debian in _ESSENTIAL:
            continue
        name = debian.replace("|", " | ")
        name += f" (>= {python})" if name == "python3" else ""
        found[name] = min(found.get(name, kind), kind, key=_RELATIONS.index)
    return {kind: [one for one, its in found.items() if its == kind] for kind in _RELATIONS}


def main() -> int:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    python = project["requires-python"].removeprefix(">=")
    text = (_ROOT / "scripts" / "packages.txt").read_text(encoding="utf-8")
    for names in relations(text, python).values():
        print(", ".join(names))
    return 0


if __name__ == "__main__":
    sys.exit(main())
