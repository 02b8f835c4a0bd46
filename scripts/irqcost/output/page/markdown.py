# SPDX-License-Identifier: GPL-2.0-only
"""The page as Markdown for a blog: headline, sections with their pictures, and a short table."""

from collections.abc import Iterable

from irqcost.base.safety.texts import code, markdown as escaped
from irqcost.output import finding
from irqcost.output.page.article import Article, Figures
from irqcost.output.page.words import Code, Statement

# A post is no longer; what does not fit is in the page.
MOST_LINES = 150
_MOST_WARNINGS = 5
_MODES = {"throughput", f"in_situ/{finding.WORK}"}


def text(article: Article, page: str) -> str:
    """The whole file; pictures and `page`, which has all results, lie beside it."""
    lines = [f"# {escaped(article.headline)}"]
    for paragraph in (article.notice, article.lead, " ".join(article.facts)):
        lines += ["", escaped(paragraph)] if paragraph else []
    for section in article.sections:
        lines += ["", f"## {section.heading}", ""]
        lines += [f"- {_said(statement)}" for statement in section.statements]
        if section.picture:
            lines += ["", f"![{section.picture.shows}]({section.picture.png.name})"]
    end = list(_end(article, page))
    for figures in article.tables[:1]:
        lines += _table(figures, MOST_LINES - len(lines) - len(end), page)
    return "\n".join([*lines, *end]) + "\n"


def _table(figures: Figures, room: int, page: str) -> Iterable[str]:
    """As many rows as there is room for, those that say most about masking: back to back and
    around work. Controls are left out."""
    headings = figures.view.headings
    costs = [line for line in figures.view.lines if not line.control and _MODES & {line.texts[-1]}]
    room -= 7  # what stands around the rows
    if room < 1 or not costs:
        return
    yield from ("", f"## {figures.heading}", "")
    yield f"| {' | '.join(escaped(one.text) for one in headings)} |"
    yield f"|{'|'.join('---:' if one.number else '---' for one in headings)}|"
    for line in costs[:room]:
        texts = [code(line.name), *map(code, line.texts)]
        yield f"| {' | '.join([*texts, *(escaped(one.text) for one in line.fields)])} |"
    if len(costs) > room:
        yield from ("", f"{len(costs) - room} more: [{page}]({page}).")


def _end(article: Article, page: str) -> Iterable[str]:
    yield from ("", "## Conditions and method", "")
    for one in article.conditions:
        yield f"- {escaped(one.title)}"
        yield from (f"  - {escaped(warning)}" for warning in one.warnings[:_MOST_WARNINGS])
    data = ", ".join(f"[{escaped(one.name)}]({one.link})" for one in article.sources if one.link)
    yield from ("", f"Data: {data}." if data else "", "")
    yield f"[{page}]({page}) has all results, conditions, code and method."


def _said(statement: Statement) -> str:
    return "".join(
        code(piece) if isinstance(piece, Code) else escaped(piece) for piece in statement.pieces
    )
