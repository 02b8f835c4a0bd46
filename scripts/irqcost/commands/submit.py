# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost submit`: checks that a result can be published, and says how to send it."""

import argparse
import json
import shlex
from datetime import datetime
from pathlib import Path

from irqcost import ROOT
from irqcost.base import layout
from irqcost.base.errors import Exit
from irqcost.machine import private
from irqcost.model import filenames, naming, reader
from irqcost.model.result import Result
from irqcost.output import finding

_SCHEMA = ROOT / "docs" / "result.schema.json"
# Faults of one kind that are shown.
_MOST = 8


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "submit",
        help="check a result and say how to send it",
        description="Checks that a result is complete (docs/result.schema.json), that a CPU made "
        "it, that not all of it is unreliable, and that it holds nothing private: names of users "
        "and machines, addresses, paths, serial numbers. Then says how to send it. Sends nothing "
        "itself.",
    )
    parser.add_argument(
        "file", metavar="FILE", type=Path, help=f"what {layout.command()} run wrote"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    document, result = reader.read_document(args.file)
    faults = [*_incomplete(document), *_no_result(result), *_private(document)]
    if faults:
        print(f"Do not send {args.file} yet:")
        for fault in faults:
            print(f"  {fault}")
        return Exit.FAILED
    good, count = finding.reliable(result)
    print(f"Ready to send: complete, nothing private found, {good} of {count} results reliable.")
    if good < count:
        print("Send it as it is; the unreliable results are marked.")
    print(f"The file names the CPU, the kernel and its parameters; read it: {args.file}")
    print()
    print("\n".join(_how_to_send(args.file, result)))
    return Exit.OK


def _incomplete(document: object) -> list[str]:
    """What the schema says against it."""
    import jsonschema

    schema = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    errors = list(jsonschema.Draft202012Validator(schema).iter_errors(document))
    said = [f"incomplete: {one.json_path}: {one.message[:200]}" for one in errors[:_MOST]]
    return said + _more(len(errors))


def _no_result(result: Result) -> list[str]:
    context = result.context
    if context.kind != "real":
        return [f"{context.kind}: results/ takes those of CPUs only"]
    try:
        datetime.fromisoformat(context.date)
    except ValueError:
        return [f"date {context.date!r}: not one of ISO 8601"]
    if not context.verdict:
        return [
            "no verdict: this is one process of the harness; send what "
            f"{layout.command()} run writes"
        ]
    if not finding.reliable(result)[0]:
        return ["no result is reliable: stop what else runs on the machine, then run again"]
    return []


def _private(document: object) -> list[str]:
    found = private.found(document, private.names())
    return [f"private: {one.what} in {one.where}: {one.text}" for one in found[:_MOST]] + _more(
        len(found)
    )


def _more(count: int) -> list[str]:
    return [f"and {count - _MOST} more like this"] if count > _MOST else []


def _how_to_send(file: Path, result: Result) -> list[str]:
    """CONTRIBUTING.md's way, and one without git."""
    context = result.context
    target = filenames.default_path(
        context.cpu, context.kernel.release, datetime.fromisoformat(context.date)
    )
    if file.resolve().is_relative_to(layout.results()):
        target = file.resolve()
    place = shlex.quote(str(Path("results", target.relative_to(layout.results()))))
    commands = []
    if layout.installed() or file.resolve() != target:
        commands.append(f"install -D -m 644 {shlex.quote(str(file.resolve()))} {place}")
    message = shlex.quote(f"results: add {naming.short_name(context)}"[:60])
    commands += [f"git add {place}", f"git commit -m {message}"]
    return [
        f"To send it as a pull request, in {'a' if layout.installed() else 'this'} checkout:",
        *(f"  {command}" for command in commands),
        "  (push your branch, and open a pull request)",
        "Without git: open an issue of the kind “A result of another CPU or kernel”, and attach",
        "the file there, packed as .zip.",
    ]
