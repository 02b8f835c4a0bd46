# SPDX-License-Identifier: GPL-2.0-only
"""What a run is asked for: the options of the command line, and what follows from them."""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

from irqcost.base.arguments import add_old_name, positive
from irqcost.measure.processes import Target
from irqcost.model import catalogue, contention, description
from irqcost.model.schema1 import pattern

# More seconds than a process may take.
_MOST_SECONDS = float(description.read()["most_seconds"])

# Clean samples that a figure needs.
_FEWEST_SAMPLES = int(description.read()["fewest_clean"])

# Seconds of measuring: for each backend, and at most. Six processes that wait for clean samples in
# each of thirty benchmarks take about five; what is left is for the figures that need more.
_SECONDS = (16.0, 45.0)
_QUICK_SECONDS = (4.2, 4.2)
_PRECISE_SECONDS = (60.0, 240.0)

_TARGET = Target()
_PRECISE_TARGET = Target(percent=0.05, cycles=0.02)
# What four of five figures come to in that time. They are nearer to the truth than their intervals
# are wide: 99 % within 0.3 % or 0.05 cycle (docs/method/interval.md).
_QUICK_TARGET = Target(percent=0.3, cycles=0.1)

# The known slowdowns are there for `selftest`; a filter of the user's may ask for them.
_USUAL = "-/slow_"


# A parser, or a group of one's options.
Parser = argparse._ActionsContainer


@dataclass(frozen=True)
class Options:
    """What is asked for, by the names that the options of `irqcost run` have; None: not said."""

    filter: str | None = None
    backends: str | None = None
    contexts: str | None = None
    quick: bool = False
    precise: bool = False
    time: float | None = None
    target_percent: float | None = None
    target_cycles: float | None = None
    contention: bool = False
    samples: int | None = None
    cpu: str | None = None
    core_type: str | None = None
    forget_baseline: bool = False
    keep_samples: bool = False
    simulate: Path | None = None

    @property
    def target(self) -> Target:
        usual = _QUICK_TARGET if self.quick else _PRECISE_TARGET if self.precise else _TARGET
        return Target(self.target_percent or usual.percent, self.target_cycles or usual.cycles)

    def seconds(self, backends: int) -> float:
        """For how long so many backends are measured."""
        if self.time is not None:
            return self.time
        each, most = (
            _QUICK_SECONDS if self.quick else _PRECISE_SECONDS if self.precise else _SECONDS
        )
        return min(backends * each, most)

    def selects(self, name: str) -> bool:
        """Whether a run that is asked for this measures a benchmark, where it can."""
        chosen = _USUAL if self.filter is None else self.filter
        excluded = chosen.startswith("-")
        backend, _, mode, *variant = name.split("/", 3)
        if mode in contention.MODES:
            asked = self.contention or bool(re.search("contention|pending", self.filter or ""))
        else:
            asked = bool(self.contexts) or "".join(variant) not in catalogue.CONTEXTS
        return (
            asked
            and (re.search(chosen.removeprefix("-"), name) is None) == excluded
            and (self.backends is None or backend in self.backends.split(","))
        )

    def arguments(self) -> list[str]:
        """Of the harness."""
        flags = {
            "--benchmark_filter": _USUAL if self.filter is None else self.filter,
            "--irqcost_backends": self.backends,
            "--irqcost_contexts": self.contexts,
            "--irqcost_samples": self.samples,
            "--irqcost_cpu": self.cpu,
            # The harness does not run in this folder.
            "--irqcost_simulate": self.simulate and self.simulate.absolute(),
        }
        more = ["--irqcost_contention"] if self.contention else []
        return [f"{flag}={value}" for flag, value in flags.items() if value is not None] + more


def add_speed(parser: Parser) -> None:
    """How long to measure."""
    speed = parser.add_mutually_exclusive_group()
    speed.add_argument(
        "--quick", action="store_true", help="within 5 s: wider intervals, and no chart"
    )
    speed.add_argument(
        "--precise", action="store_true", help="narrower intervals, in up to four minutes"
    )
    speed.add_argument(
        "--time",
        metavar="SECONDS",
        type=_time,
        help="measure for at most so long (default: 16 for each backend, at most 45)",
    )


def add_targets(parser: Parser) -> None:
    """When a figure needs no more measuring."""
    parser.add_argument(
        "--target-percent",
        metavar="P",
        type=positive,
        help="measure until a figure's interval is within ±P %% of it, or …",
    )
    parser.add_argument(
        "--target-cycles",
        metavar="C",
        type=positive,
        help="… within ±C core cycles, whichever is wider (default: 0.2 and 0.05)",
    )


def add_filter(parser: Parser) -> None:
    """The option --filter of what measures."""
    parser.add_argument(
        "--filter", type=pattern, metavar="REGEX", help="only benchmarks whose name matches"
    )


def add_choice(parser: Parser) -> None:
    """What to measure."""
    add_filter(parser)
    parser.add_argument("--backends", metavar="LIST", help="such as ring3,kmod (default: all)")


def add_more(parser: Parser) -> None:
    """What else to measure, and how often."""
    add_contexts(parser)
    added = parser.add_argument(
        "--contention",
        action="store_true",
        help="also measure lock contention by 1 to all CPUs and deferred interrupts, raised while "
        "masked; a filter that names contention or pending selects them as well",
    )
    add_old_name(parser, "--waits", added)
    parser.add_argument(
        "--samples",
        metavar="N",
        type=_samples,
        help=f"samples of each benchmark in each process, at least {_FEWEST_SAMPLES}",
    )


def add_contexts(parser: Parser) -> None:
    """Where the module measures."""
    parser.add_argument(
        "--contexts",
        metavar="LIST",
        help=f"from where the module calls what it measures: {','.join(catalogue.CONTEXTS)} "
        "(default: process)",
    )


def add_place(parser: Parser) -> None:
    """Where to measure."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--cpu", metavar="N", help="the CPU to measure on")
    where.add_argument(
        "--core-type",
        metavar="TYPE",
        help="of a hybrid CPU only cores of this type, performance or efficiency (default: both, "
        "one after the other, each into a file of its own)",
    )


def add_forget(parser: Parser) -> None:
    """What is known of earlier runs."""
    added = parser.add_argument(
        "--forget-baseline",
        action="store_true",
        help="forget how fast the contention sensor was in earlier runs on this CPU",
    )
    add_old_name(parser, "--forget-floors", added)


def _samples(text: str) -> int:
    value = int(text)
    if value < _FEWEST_SAMPLES:
        raise argparse.ArgumentTypeError(
            f"{text}: at least {_FEWEST_SAMPLES} are needed, since a figure is made of so many "
            "clean ones"
        )
    return value


def _time(text: str) -> float:
    value = positive(text)
    if value > _MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"{text} is above {_MOST_SECONDS:.0f}, which is a day")
    return value
