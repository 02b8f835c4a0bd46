# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost probes`: what can be measured."""

import argparse
import json
from dataclasses import asdict

from irqcost.base import files, layout, screen
from irqcost.base.errors import Exit
from irqcost.measure import build
from irqcost.model import catalogue, description
from irqcost.output.probes_page import markdown, text


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "probes",
        help="list what can be measured",
        description="Lists the probes: what each one is, its code, and when to use it.",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON, one object a probe")
    form.add_argument("--markdown", action="store_true", help="as docs/PROBES.md")
    form.add_argument(
        "--update",
        action="store_true",
        help="after a change of the harness: update the catalogue's description and "
        "docs/PROBES.md",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.update:
        return _update()
    probes = catalogue.read()
    if args.json:
        print(json.dumps([asdict(probe) for probe in probes], indent=1))
    elif args.markdown:
        print(markdown(probes), end="")
    else:
        screen.show(text(probes))
    return Exit.OK


def _update() -> int:
    """Writes what is generated from the harness."""
    page = layout.checkout("irqcost probes --update") / "docs" / "PROBES.md"
    text = description.of(build.harness())
    with files.written_whole(description.PATH, replace=True) as partial:
        partial.write_text(text, encoding="utf-8")
    description.read.cache_clear()
    with files.written_whole(page, replace=True) as partial:
        partial.write_text(markdown(catalogue.read()), encoding="utf-8")
    print(f"Wrote {description.PATH.name} and {page.name}")
    return Exit.OK
