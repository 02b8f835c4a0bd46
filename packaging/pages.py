# SPDX-License-Identifier: GPL-2.0-only
"""Writes the man pages: of the command from its parsers, of the harness from its help (help2man),
of the device and of the result file from their pages in docs/ (pandoc)."""

import argparse
import gzip
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE.parent / "scripts"))

from irqcost.base import layout  # noqa: E402

# What a page says is of an installed irqcost.
layout.installed = lambda: layout.Installed(Path("/usr/bin/irqcost-bench"), Path("/usr/src"))

from irqcost import ROOT, cli  # noqa: E402

# Name, section, what it is, and the page of docs/ that it is made of.
_OF_DOCS = (
    ("irqcost", 4, "device that measures what masking interrupts costs", "DEVICE.md"),
    ("irqcost-results", 5, "result file of irqcost", "RESULTS.md"),
)
_ABOUT = "measure what masking interrupts costs"
_SEE = {
    "irqcost(1)",
    "irqcost-bench(1)",
    "irqcost(4)",
    "irqcost-results(5)",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, required=True, help="irqcost-bench")
    parser.add_argument("--out", type=Path, required=True, help="folder of the pages")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    pages = {"irqcost.1": _pandoc("irqcost", 1, command())}
    pages["irqcost-bench.1"] = harness(args.bench)
    for name, section, about, source in _OF_DOCS:
        text = (ROOT / "docs" / source).read_text(encoding="utf-8")
        pages[f"{name}.{section}"] = _pandoc(name, section, from_docs(name, section, about, text))
    for file, page in pages.items():
        (args.out / f"{file}.gz").write_bytes(gzip.compress(page, 9, mtime=0))
    return 0


def command() -> str:
    """The Markdown of irqcost(1)."""
    top = cli.parser()
    (commands,) = (one for one in top._actions if isinstance(one, argparse._SubParsersAction))
    helps = {one.dest: one.help or "" for one in commands._choices_actions}
    lines = [_head("irqcost", _ABOUT), "## Synopsis", ""]
    lines += ["**irqcost** *COMMAND* \\[*options*\\]", "", "**irqcost** **--version**", ""]
    lines += ["## Commands", ""]
    for group, members in cli._GROUPS.items():
        lines += [f"### {group}", ""]
        for name in (one for one in members if one in commands.choices):
            lines += _defined(f"**{name}**", _escaped(helps[name]))
    for name, one in commands.choices.items():
        lines += [f"## irqcost {name}", "", *_paragraphs(one.description or "")]
        lines += _options(one)
        lines += _paragraphs(one.epilog or "")
    lines += ["## Exit status", "", *_paragraphs(top.epilog or ""), _files()]
    return "\n".join(lines) + _see("irqcost(1)")


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The options of a command, in its groups, each with what it does."""
    formatter = parser._get_formatter()
    for group in parser._action_groups:
        actions = [one for one in group._group_actions if one.help != argparse.SUPPRESS]
        actions = [one for one in actions if "--help" not in one.option_strings]
        if not actions:
            continue
        if group.title and group.title not in ("options", "positional arguments"):
            yield from (f"### {group.title}", "")
        yield from _paragraphs(group.description or "")
        for one in actions:
            called = _escaped(formatter._format_action_invocation(one))
            told = _escaped(formatter._expand_help(one)) if one.help else "\\ "
            yield from _defined(f"**{called}**", told)


def _files() -> str:
    return f"""\
## Environment

**IRQCOST_CACHE**
:   folder of what is kept from run to run (default: *irqcost* in **XDG_CACHE_HOME**, else in
    *~/.cache*)

**XDG_DATA_HOME**
:   results are in *irqcost/results* in it (default: *~/.local/share*)

**IRQCOST_MAX_RESULT_MIB**
:   largest result file that is read, in MiB

**NO_COLOR**, **COLUMNS**
:   no colours; the width of tables

## Files

*{_escaped(layout.results_named())}*
:   results: **irqcost-results**(5)

*/dev/irqcost*
:   the device of the kernel module, package irqcost-dkms: **irqcost**(4)

*/usr/share/doc/irqcost*
:   how it is measured, what it found, how to use it in CI
"""


def from_docs(name: str, section: int, about: str, text: str) -> str:
    """The Markdown of a man page that a page of docs/ is the body of."""
    body = re.sub(r"\A(?:<!--[^>]*-->\s*)?# [^\n]*\n", "", text.replace("./irqcost", "irqcost"))
    return f"{_head(name, about)}\n## Description\n{body}{_see(f'{name}({section})')}"


def harness(bench: Path) -> bytes:
    """irqcost-bench(1)."""
    version = f"--version-string={layout.version()}"
    argv = ["help2man", "--no-info", version, f"--name={_ABOUT}, in one process", str(bench)]
    page = subprocess.run(argv, check=True, capture_output=True).stdout
    see = ", ".join(f".BR {one.replace('(', ' (')}" for one in sorted(_SEE - {"irqcost-bench(1)"}))
    return page + b'.SH "SEE ALSO"\n' + see.replace(", ", " ,\n").encode() + b"\n"


def _pandoc(name: str, section: int, text: str) -> bytes:
    """Markdown as a man page."""
    facts = {"title": name, "section": section, "footer": f"irqcost {layout.version()}"}
    argv = ["pandoc", "--standalone", "--from=markdown-smart", "--to=man"]
    argv += [f"--lua-filter={_HERE / 'man.lua'}"]
    argv += [f"--metadata={key}={value}" for key, value in facts.items()]
    return subprocess.run(argv, input=text.encode(), check=True, capture_output=True).stdout


def _head(name: str, about: str) -> str:
    return f"## Name\n\n{name} - {about}\n"


def _see(page: str) -> str:
    others = (re.sub(r"(.*)\((\d)\)", r"**\1**(\2)", one) for one in sorted(_SEE - {page}))
    return "\n## See also\n\n" + ", ".join(others) + "\n"


def _defined(term: str, meaning: str) -> list[str]:
    return [term, f":   {meaning}", ""]


def _paragraphs(text: str) -> Iterator[str]:
    for one in re.split(r"\n\s*\n", text.strip()):
        if one:
            yield from (_escaped(" ".join(one.split())), "")


def _escaped(text: str) -> str:
    """Text in which nothing but code between backticks means anything to Markdown."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts = [text]
    for number in range(0, len(parts), 2):
        parts[number] = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", parts[number])
    return "`".join(parts)


if __name__ == "__main__":
    sys.exit(main())
