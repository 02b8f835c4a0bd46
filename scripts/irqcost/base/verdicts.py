# SPDX-License-Identifier: GPL-2.0-only
"""The words of verdicts, from the best to the worst: files and exit codes know them by these."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum


class Trust(StrEnum):
    """Whether a result can be trusted (measure/verdict.py)."""

    GOOD = "good"
    EMULATED = "emulated"
    IMPRECISE = "imprecise"
    DISTURBED = "disturbed"
    UNCALIBRATED = "uncalibrated"
    INCONSISTENT = "inconsistent"

    @classmethod
    def needs_care(cls, status: str) -> bool:
        """Whether a result with this verdict is unreliable; without a verdict it is not."""
        return status not in (cls.GOOD, cls.EMULATED)


# Nothing in core cycles holds: the clock, or the controls, are off.
CLOCKLESS = (Trust.UNCALIBRATED, Trust.INCONSISTENT)


class Change(StrEnum):
    """A new result compared with its baseline (compare/regression.py)."""

    OK = "ok"
    IMPROVEMENT = "improvement"
    INCONCLUSIVE = "inconclusive"
    REGRESSION = "regression"
    INCOMPARABLE = "incomparable"


_CHANGES: list[Change] = list(Change)


class Order(StrEnum):
    """B compared with A, of two that were measured in turn (stats/difference.py)."""

    SAME = "same"
    FASTER = "faster"
    UNDECIDED = "undecided"
    SLOWER = "slower"


def worst(changes: Iterable[Change]) -> Change:
    """The worst of several; without any, ok."""
    return max(changes, key=_CHANGES.index, default=Change.OK)


def counts(changes: Iterable[Change]) -> dict[Change, int]:
    """How many there are of each that occurs, worst first."""
    found = Counter(changes)
    return {one: found[one] for one in reversed(_CHANGES) if one in found}
