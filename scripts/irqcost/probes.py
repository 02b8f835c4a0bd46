# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost probes`: what can be measured."""

import argparse
import json
from dataclasses import asdict

from irqcost import catalogue
from irqcost.catalogue import Probe
from irqcost.errors import Exit
from irqcost.table import Table

_MARKDOWN_HEAD = """\
<!-- SPDX-License-Identifier: GPL-2.0-only -->
<!-- Generated: ./irqcost probes --markdown > docs/PROBES.md -->
# Probes

What irqcost measures. *Rings*: where the probe may run. *Interrupts*: the interrupt flag in ring 0,
at entry and, where it changes, at exit (in ring 3 it is always on). A probe that changes the flag
cannot be repeated, so it has a latency and no throughput. *Code* is one operation: assembler, or a
C statement that the kernel's own headers compile; “…” is where the critical section goes in situ,
and nothing in the other modes.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("probes", help="list what can be measured")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON, one object a probe")
    form.add_argument("--markdown", action="store_true", help="as docs/PROBES.md")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    probes = catalogue.read()
    if args.json:
        print(json.dumps([asdict(probe) for probe in probes], indent=1))
    elif args.markdown:
        print(markdown(probes), end="")
    else:
        print(_text(probes))
    return Exit.OK


def _groups(probes: tuple[Probe, ...]) -> list[tuple[str, list[Probe]]]:
    return [
        (heading, [probe for probe in probes if probe.group == group])
        for group, heading in catalogue.GROUPS.items()
    ]


def _text(probes: tuple[Probe, ...]) -> str:
    table = Table(("probe", "rings", "interrupts", "code"), "<<<<")
    for heading, members in _groups(probes):
        table.heading(f"\n{heading}")
        for probe in members:
            table.row(f"  {probe.key}", probe.rings, probe.interrupts, probe.shown_code)
            table.heading(f"      {probe.summary}")
    return str(table)


def markdown(probes: tuple[Probe, ...]) -> str:
    """The whole of docs/PROBES.md."""
    parts = [_MARKDOWN_HEAD]
    for heading, members in _groups(probes):
        parts.append(f"\n## {heading}\n\n")
        parts.append("| probe | rings | interrupts | code | stands for | |\n")
        parts.append("|---|---|---|---|---|---|\n")
        for probe in members:
            code = f"`{probe.shown_code}`" if probe.code else ""
            api = f"`{probe.api}`" if probe.api else ""
            cells = (f"`{probe.key}`", probe.rings, probe.interrupts, code, api, probe.summary)
            parts.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n")
    return "".join(parts)
