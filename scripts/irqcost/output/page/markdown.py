# SPDX-License-Identifier: GPL-2.0-only
"""The report as Markdown for a blog: what it says and its pictures, with the table of figures."""

from collections.abc import Iterable, Sequence

from irqcost.output.formats import escaped
from irqcost.output.page.document import Document, Section
from irqcost.output.page.method import METHOD
from irqcost.output.page.summary import Code, Statement


def text(document: Document) -> str:
    """The whole file; pictures are named as they stand beside it."""
    lines = [f"# {escaped(document.title)}"]
    for note in document.notes:
        lines += ["", escaped(note)]
    for section in document.sections:
        lines += _section(section)
    lines += ["", "## Method", ""]
    lines += [f"- **{name}.** {escaped(words)}" for name, words in METHOD]
    if document.sources:
        lines += ["", "## Published figures of the same core", ""]
        for one in document.sources:
            lines.append(f"- {escaped(one.told)}")
    lines += ["", "## Reproduce it", "", *(f"    {command}" for command in document.commands)]
    return "\n".join(lines) + "\n"


def _section(section: Section) -> Iterable[str]:
    yield from ("", f"## {section.heading}", "", escaped(section.lead), "")
    several = len(section.columns) > 1
    for one in section.conditions:
        yield f"- {f'**{one.letter}**: ' if several else ''}{escaped(one.title)}"
    for group in section.groups:
        yield from ("", f"### {group.heading}", "")
        for statement in group.statements:
            yield f"- {_said(statement)}"
            yield from (f"  - {_said(item)}" for item in statement.items)
    yield from _pictures(section, behind=False)
    yield from ("", "### All figures", "")
    yield from (f"- {_code(name)}: {escaped(what)}" for name, what in section.view.backends.items())
    yield ""
    yield from _table(section)
    yield from _pictures(section, behind=True)
    yield from ("", "### Conditions and warnings")
    for one in section.conditions:
        yield from ("", f"{f'**{one.letter}**: ' if several else ''}{escaped(one.title)}", "")
        yield from (f"- **Warning**: {escaped(warning)}" for warning in one.warnings)
        yield from (f"- {name}: {escaped(value)}" for name, value in one.facts)
    if any(listings for _, listings in section.listings):
        yield from ("", "### The code that was measured")
    for title, listings in section.listings:
        if several and listings and len(section.listings) > 1:
            yield from ("", f"**{escaped(title)}**")
        for listing in listings:
            yield from ("", f"{_code(listing.name)}: {escaped(listing.figure)}", "")
            yield from _block(listing.code.splitlines())
            for function in listing.functions:
                body = [f"{text}{f'  # {mark}' if mark else ''}" for text, mark in function.lines]
                yield ""
                yield from _block([f"{function.symbol}:", *body, *filter(None, [function.missing])])


def _pictures(section: Section, behind: bool) -> Iterable[str]:
    for picture in section.pictures:
        if picture.behind == behind:
            yield from ("", f"![{picture.shows}]({picture.png.name})")


def _table(section: Section) -> Iterable[str]:
    headings = ["figure", *(escaped(one.text) for one in section.view.headings)]
    aligned = ["---", *("---:" if one.number else "---" for one in section.view.headings)]
    yield f"| {' | '.join(headings)} |"
    yield f"|{'|'.join(aligned)}|"
    for line in section.view.lines:
        fields = [_code(line.name), *(escaped(field.text) for field in line.fields)]
        yield f"| {' | '.join(fields)} |"


def _said(statement: Statement) -> str:
    return "".join(
        _code(piece) if isinstance(piece, Code) else escaped(piece) for piece in statement.pieces
    )


def _code(words: str) -> str:
    """As code where it cannot end it, else as text."""
    return escaped(words) if set("`|<>") & set(words) else f"`{words}`"


def _block(lines: Sequence[str]) -> Iterable[str]:
    """Lines as they are: indented, so that none of them can end the block."""
    yield from (f"    {line}" for line in lines)
