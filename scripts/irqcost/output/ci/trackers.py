# SPDX-License-Identifier: GPL-2.0-only
"""New results for services that keep their history.

Only results with a verdict: an inconclusive or incomparable one would be a meaningless point. If
several files have the same result, the last file counts.
"""

from collections.abc import Sequence
from typing import Any

from irqcost.base import jsontext
from irqcost.base.verdicts import Change
from irqcost.compare.checked import Checked
from irqcost.compare.regression import Judged

_SOUND = (Change.OK, Change.IMPROVEMENT, Change.REGRESSION)


def _figures(checked: Sequence[Checked]) -> dict[str, tuple[Checked, Judged]]:
    return {
        figure.name: (one, figure)
        for one in checked
        for figure in one.judged
        if figure.status in _SOUND and figure.new is not None
    }


def _interval(one: Checked, name: str) -> tuple[float, float] | None:
    return one.new.result.figures[name].cycles_interval


def benchmark_action(checked: Sequence[Checked]) -> str:
    """A list of name, unit, value, range and extra, as benchmark-action/github-action-benchmark
    reads it with `tool: customSmallerIsBetter`."""
    items = []
    for name, (one, figure) in _figures(checked).items():
        item: dict[str, Any] = {"name": name, "unit": _unit(figure), "value": figure.new}
        interval = _interval(one, name)
        if interval and figure.new is not None and not figure.exact:
            half = max(figure.new - interval[0], interval[1] - figure.new)
            item["range"] = f"± {half:.2g}"
        item[
            "extra"
        ] = f"{figure.status}, {figure.processes} processes, {figure.runs} baseline runs"
        items.append(item)
    return jsontext.dumps(items)


def _unit(figure: Judged) -> str:
    return "instructions/op" if figure.exact else "cycles/op"


def bencher(checked: Sequence[Checked]) -> str:
    """Bencher Metric Format: benchmark → measure → value and its bounds. The measure is one of our
    own, `core-cycles` or `instructions`: Bencher's built-in ones are in other units."""
    found: dict[str, Any] = {}
    for name, (one, figure) in _figures(checked).items():
        metric = {"value": figure.new}
        interval = _interval(one, name)
        if interval and not figure.exact:
            metric |= {"lower_value": interval[0], "upper_value": interval[1]}
        found[name] = {"instructions" if figure.exact else "core-cycles": metric}
    return jsontext.dumps(found)
