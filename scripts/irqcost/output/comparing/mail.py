# SPDX-License-Identifier: GPL-2.0-only
"""A comparison as a block to paste into a mail: the results, and all that is needed to judge them.

Plain text of at most 76 columns, as mailing lists quote it.
"""

import hashlib
import textwrap
from collections.abc import Iterable
from pathlib import Path

from irqcost.base import layout, screen
from irqcost.base.footnotes import Footnotes
from irqcost.base.safety.texts import plain
from irqcost.compare.columns import Column
from irqcost.compare.comparison import Comparison, Section
from irqcost.model import naming
from irqcost.model.machine_code import masking
from irqcost.model.result import Context
from irqcost.output.comparing.table import below, table
from irqcost.output.comparing.words import answer

_WIDTH = 76
_MOST_HASHES = 5


def text(what: Comparison, verbose: bool) -> str:
    """The block. `verbose`: with identifiers and controls."""
    parts = [f"irqcost {layout.version()}: the cost of masking interrupts"]
    for section in (what if verbose else what.essential()).sections:
        parts += _section(section, verbose)
    return "\n\n".join(parts)


def _section(section: Section, verbose: bool) -> Iterable[str]:
    notes = Footnotes()
    yield screen.wrapped("\n".join(answer(section)), "  ", _WIDTH)
    drawn = table(section, notes, verbose).fitted(_WIDTH)
    yield drawn
    yield screen.wrapped("\n".join(below(section, notes)), "   ", _WIDTH)
    for name, column in zip(section.letters, section.columns):
        yield "\n".join([f"{name}:", *_origin(column)])


def _origin(column: Column) -> Iterable[str]:
    """Whatever moves the results, a line or more each."""
    context = column.result.context
    facts = {
        "CPU": ", ".join(filter(None, (naming.cpu_name(context), naming.brand(context)))),
        "stepping": context.cpu.stepping,
        "microcode": context.cpu.microcode or "not told",
        "kernel": f"{context.kernel.release} {context.kernel.version or ''}",
        "config": " ".join(context.kernel.config or ("not told",)),
        "run on": naming.execution(context),
        "masking": _masking(context),
        "clock": _clock(context),
        "settings": _settings(context),
        "date": context.date,
        "command": " ".join(context.command),
        "verdict": context.outcome or "none",
    }
    for name, fact in facts.items():
        yield from _line(name, str(fact))
    if len(column.paths) > _MOST_HASHES:
        yield from _line("files", f"median of {len(column.paths)} results")
        return
    for path in column.paths:
        yield from _line("file", plain(path.name))
        yield f"  sha256:  {_digest(path)}"


def _line(name: str, fact: str) -> list[str]:
    return textwrap.wrap(
        f"  {name + ':':11}{plain(' '.join(fact.split()))}",
        _WIDTH,
        subsequent_indent=" " * 13,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _masking(context: Context) -> str:
    kind = context.masking.kind
    return masking.way(kind) if kind else "no code of the kernel was measured"


def _clock(context: Context) -> str:
    if context.instruction_clock:
        return "instructions, counted by the emulator"
    said = ["core cycles, by chains of dependent instructions"]
    if context.tsc_khz is not None:
        said.append(f"TSC {context.tsc_khz / 1e6:.3f} GHz")
    if context.clock_source:
        said.append(f"the kernel's clock is {context.clock_source}")
    return "; ".join(said)


def _settings(context: Context) -> str:
    parts = [
        f"{name} {value}"
        for name, value in (
            ("governor", context.governor),
            ("boost", context.boost),
            ("SMT", context.smt),
            ("niceness", context.niceness),
            ("preemption", context.kernel.preemption),
            ("tracepoints", context.kernel.tracepoints),
        )
        if value is not None
    ]
    parts += [
        f"{name}: {value}" for name, value in context.mitigations.items() if value != "Not affected"
    ]
    return "; ".join(parts) or "not told"
