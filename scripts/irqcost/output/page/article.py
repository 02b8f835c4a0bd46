# SPDX-License-Identifier: GPL-2.0-only
"""All that a page says, in the order in which it says it; html.py and markdown.py write it."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from irqcost.base.safety.texts import plain
from irqcost.compare.columns import Column
from irqcost.compare.labels import short_names
from irqcost.model import naming, published
from irqcost.model.catalogue import Probe
from irqcost.model.published import Published
from irqcost.output import finding, published_table
from irqcost.output.finding import Contrast
from irqcost.output.page import code, data, pictures, sections, table
from irqcost.output.page.code import Listing
from irqcost.output.page.data import COUNTED, EMULATED, PARAVIRTUAL, REAL, SIMULATED
from irqcost.output.page.data import Conditions, Part
from irqcost.output.page.pictures import Picture, Wanted
from irqcost.output.page.sections import Kind, Topic
from irqcost.output.page.table import View
from irqcost.output.page.words import Statement, day, some

# A description of this length is shown whole by most that show one.
_DESCRIPTION = 200


_BY = {
    "ring3": "in user mode",
    "kmod": "in a kernel module",
    "kvm": "in a guest's ring 0",
    "bpf": "through BPF",
}


@dataclass(frozen=True)
class Section:
    """A heading, sentences, and the chart of these ("": none)."""

    key: str
    heading: str
    statements: Sequence[Statement]
    picture: Picture | None


@dataclass(frozen=True)
class Figures:
    """All results of one kind."""

    key: str
    heading: str
    lead: str
    view: View


@dataclass(frozen=True)
class Source:
    """A result that the page is made of; `link` is where a reader finds it, relative to the page,
    "" where the page has no copy."""

    name: str
    link: str


@dataclass(frozen=True)
class Article:
    """A page."""

    headline: str
    lead: str
    facts: Sequence[str]  # how it was measured, and how far to trust it
    notice: str  # what a reader must know first; "" for nothing
    sections: Sequence[Section]
    tables: Sequence[Figures]
    conditions: Sequence[Conditions]
    listings: Sequence[tuple[str, Sequence[Listing]]]
    published: Sequence[Published]
    sources: Sequence[Source]
    commands: Sequence[str]

    @property
    def description(self) -> str:
        """For those who show a link to the page."""
        text = " ".join(filter(None, (self.notice, self.lead)))
        return text if len(text) <= _DESCRIPTION else f"{text[: _DESCRIPTION - 2].rstrip()} …"


def made(
    columns: Sequence[Column],
    baseline: Path | None,
    notes: Sequence[str],
    links: Mapping[Path, str],
    probes: Sequence[Probe],
    folder: Path,
    workers: Executor,
    primitives: Mapping[str, str] | None = None,
) -> Article:
    """The page of columns; pictures are made in a folder for temporary files.

    The first column is of `baseline`, if there is one. `notes` are sentences about what was read;
    `links` says by file where the page's readers find it, `primitives` by probe.
    """
    figures = published.read()
    parts = data.parts(columns)
    main = parts[0]
    sound = not all(finding.untrusted(column.result) for column in main.columns)
    topics = [Topic(part, _baseline(part, columns[0], baseline), figures) for part in parts]
    facts = [*_measured(columns), *_user_mode(main), *_trust(columns), *notes]
    return Article(
        headline=_headline(main, sound),
        lead=_lead(main) if sound else "",
        facts=facts,
        notice=_notice(main, sound),
        sections=_sections(topics, probes, folder, workers) if sound else [],
        tables=[
            Figures(one.kind, one.heading, one.lead, table.view(one, probes, primitives))
            for one in parts
        ],
        conditions=data.conditions(columns),
        listings=_listings(parts, probes),
        published=[one for part in parts if part.kind == REAL for one in _same_core(part, figures)],
        sources=[
            Source(plain(path.name), links.get(path, "")) for one in columns for path in one.paths
        ],
        commands=_commands(parts),
    )


def _user_mode(main: Part) -> list[str]:
    """That the costs of the headline are of the flags alone, where they are."""
    first = [finding.save_restore(column.result) for column in main.columns]
    if not any(one and one.name.startswith("ring3/") for one in first):
        return []
    return [
        "User mode cannot mask: it shows what saving and restoring the flags costs, a part of it."
    ]


def _baseline(part: Part, first: Column, baseline: Path | None) -> Path | None:
    return baseline if part.columns[0].paths == first.paths else None


def _headline(main: Part, sound: bool) -> str:
    names = [column.series.name for column in main.columns]
    where = f" on {some(names, 2)}" if main.kind != COUNTED else ""
    if not sound:
        return f"Unreliable results{where}"
    if main.kind == EMULATED:
        return f"Emulated results{where}"
    found = _contrasts(main)
    text = f"what masking interrupts costs{where}"
    if found:
        text = found[0].text if len(names) > 1 else f"{found[0].text}{where}"
    return data.labelled(main.kind, text)


def _lead(main: Part) -> str:
    """What the headline leaves out: of one CPU what else is in the answer, of several the next
    contrast, of the same primitive if there is one."""
    if len(main.columns) == 1:
        answer = finding.sentences(main.columns[0].result)[:-1]
        return " ".join(answer[1:] or answer)
    found = _contrasts(main)
    rest = sorted(found[1:], key=lambda one: one.low.probe != found[0].low.probe)
    return " ".join(f"{finding.capital(one.text)}." for one in rest[:1])


def _contrasts(main: Part) -> list[Contrast]:
    """The most striking first; of counts, where a debugging kernel makes all of them striking,
    those of saving and restoring."""
    found = finding.contrasts([column.series for column in main.columns])
    if main.kind == COUNTED:
        found.sort(key=lambda one: one.low.probe != "local_irq_save_restore")
    return found


def _measured(columns: Sequence[Column]) -> list[str]:
    """When, with what and on what it was measured."""
    contexts = [column.result.context for column in columns]
    dates = sorted(one.date for one in contexts)
    days = list(dict.fromkeys(map(day, dates)))
    when = f"on {' and '.join(days)}" if len(days) < 3 else f"from {days[0]} to {days[-1]}"
    backends = dict.fromkeys(e.backend for one in columns for e in one.result.entries)
    *ways, last = (_BY.get(one, f"by {one}") for one in backends)
    how = " and ".join(filter(None, (", ".join(ways), last)))
    found = f"Measured {when} {how}"
    if len(columns) == 1:
        (one,) = contexts
        found += f" with irqcost {one.version} on Linux {one.kernel.release}"
        found += f", {naming.execution(one)}"
        if one.processes > 1:
            found += f"; each result is the median of up to {one.processes} fresh processes"
    count = sum(len(column.paths) for column in columns)
    if count > len(columns):
        found += f"; {count} runs, each result the median of a machine's reliable ones"
    return [f"{found}."]


def _trust(columns: Sequence[Column]) -> list[str]:
    """How many results are reliable; of each column, where there are several."""
    timed = [one for one in columns if not one.result.context.emulated]
    found, all_good = [], True
    for name, column in zip(short_names([one.series for one in timed]), timed):
        good, count = finding.reliable(column.result)
        where = f" on {name}" if len(timed) > 1 else ""
        found.append(f"{good} of {count} results{where}")
        all_good &= good == count
    others = "" if all_good else "; the others are marked “?”"
    return [f"Reliable: {some(found, 6)}{others}."] if found else []


def _notice(main: Part, sound: bool) -> str:
    if main.kind != REAL and (sound or main.kind != PARAVIRTUAL):
        return main.lead
    if sound:
        return ""
    reasons = dict.fromkeys(one for c in main.columns for one in c.result.context.reasons)
    why = f" Why: {some(list(reasons), 2)}" if reasons else ""
    return f"None of these results is reliable, so this page draws no conclusion.{why}"


def _sections(
    topics: Sequence[Topic], probes: Sequence[Probe], folder: Path, workers: Executor
) -> list[Section]:
    """Those that say something, the first ones of each kind of section; charts appear once."""
    told: dict[Kind, tuple[Topic, list[Statement]]] = {}
    for kind in sections.SECTIONS:
        for topic in topics:
            if topic.part.kind in kind.kinds and kind not in told:
                if found := list(kind.says(topic)):
                    told[kind] = topic, found
    chosen = list(told.items())[: sections.MOST]
    wanted: dict[str, Wanted] = {}
    for kind, (topic, _) in chosen:
        if kind.chart:
            series = [column.series for column in topic.part.columns]
            wanted.setdefault(kind.chart, Wanted(kind.key, kind.chart, series))
    drawn = pictures.drawn(list(wanted.values()), probes, topics[0].published, folder, workers)
    return [
        Section(kind.key, kind.heading, found, drawn.get(kind.key)) for kind, (_, found) in chosen
    ]


def _listings(parts: Sequence[Part], probes: Sequence[Probe]) -> list[tuple[str, list[Listing]]]:
    """The code of each column; of counts it is the same assembler on all kernels."""
    found = []
    for part in parts:
        for column in part.columns[:1] if part.kind == COUNTED else part.columns:
            if listings := code.listings(column, probes):
                found.append((column.series.title, listings))
    return found


def _same_core(part: Part, figures: Sequence[Published]) -> list[Published]:
    chosen = published_table.chosen(figures, part.columns, part.rows, None)
    return published_table.of_same_core(chosen, part.columns)


def _commands(parts: Sequence[Part]) -> list[str]:
    kinds = [part.kind for part in parts]
    found = ["./irqcost run"] if REAL in kinds else []
    found += ["./irqcost vm --exact"] if COUNTED in kinds else []
    found += ["./irqcost run --simulate FILE"] if SIMULATED in kinds else []
    return [*found, "./irqcost report FILE… -o FOLDER"]
