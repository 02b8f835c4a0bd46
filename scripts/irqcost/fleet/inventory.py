# SPDX-License-Identifier: GPL-2.0-only
"""The inventory: which hosts there are, and that no name stands for two of them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irqcost.base.errors import IrqcostError
from irqcost.base.safety.texts import plain

# Nobody has written a longer one by hand.
_MOST_BYTES = 16 << 20

_SECTION = re.compile(r"\[([^]:]+)(?::(\w+))?\]")


@dataclass(frozen=True)
class _Address:
    """Where an inventory says that a host is, and in which line."""

    name: str
    address: str
    port: str
    line: int


def check(path: Path) -> None:
    """Refuses an inventory in which two machines have one name: Ansible would go to the last one,
    and never name the other. Raises IrqcostError."""
    if not path.exists():
        raise IrqcostError(f"{plain(path)}: no such inventory")
    if not path.is_file() or path.stat().st_mode & 0o111 or path.stat().st_size > _MOST_BYTES:
        path.stat()
        return  # A folder, or a program that writes one: only Ansible can read that.
    text = path.read_text(encoding="utf-8", errors="replace")
    read = _of_yaml if path.suffix in (".yml", ".yaml", ".json") else _of_ini
    known: dict[str, _Address] = {}
    for one in read(text):
        other = known.setdefault(one.name, one)
        if (other.address, other.port) != (one.address, one.port):
            raise IrqcostError(
                f"{plain(path)}: two hosts are called {plain(one.name)}: "
                f"{_place(other)} and {_place(one)}; give each a name of its own"
            )


def _place(one: _Address) -> str:
    port = f" port {plain(one.port)}" if one.port else ""
    return f"{plain(one.address)}{port} (line {one.line})"


def _of_ini(text: str) -> Iterator[_Address]:
    """Lines of hosts that say where the host is."""
    kind = None
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if section := _SECTION.match(line):
            kind = section[2]
            continue
        if not line or line[0] in "#;" or kind in ("vars", "children"):
            continue
        try:
            name, *words = shlex.split(line, comments=True)
        except ValueError:
            continue  # Ansible says what is wrong with it.
        given = dict(word.split("=", 1) for word in words if "=" in word)
        if address := given.get("ansible_host", given.get("ansible_ssh_host")):
            yield _Address(name, address, given.get("ansible_port", ""), number)


def _of_yaml(text: str) -> Iterator[_Address]:
    """The same of an inventory in YAML, whose parser keeps the last of two members of one name."""
    import yaml  # Ansible needs it, too.

    try:
        tree: Any = yaml.compose(text, Loader=yaml.SafeLoader)  # type: ignore[no-untyped-call]
    except (yaml.YAMLError, RecursionError):
        return
    if tree is not None:
        yield from _groups(tree, yaml.MappingNode, 0)


def _groups(node: Any, mapping: Any, depth: int) -> Iterator[_Address]:
    if not isinstance(node, mapping) or depth > 50:
        return
    for key, value in node.value:
        if key.value != "hosts" or not isinstance(value, mapping):
            yield from _groups(value, mapping, depth + 1)
            continue
        for name, its in value.value:
            pairs = its.value if isinstance(its, mapping) else []
            given = {one.value: two.value for one, two in pairs if isinstance(one.value, str)}
            if address := given.get("ansible_host"):
                port = str(given.get("ansible_port", ""))
                line = name.start_mark.line + 1
                yield _Address(str(name.value), str(address), port, line)
