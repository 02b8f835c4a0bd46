# SPDX-License-Identifier: GPL-2.0-only
"""The charts that lie beside the result of a run."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from irqcost.compare.labels import series
from irqcost.model import catalogue, contention
from irqcost.model.result import Result, without_emulated
from irqcost.output import charts
from irqcost.output.charts import output_files


@contextmanager
def beside(target: Path, names: Sequence[str]) -> Iterator[Callable[[Result], None]]:
    """Yields what draws the charts of these benchmarks beside a result file, and says where they
    are. That they can be drawn, and written, is seen on entry: rather than after minutes of
    measuring."""
    charts.load()
    prefix = target.with_suffix("") if target.suffix == ".json" else target
    with ExitStack() as stack:
        sheets = {
            chart: stack.enter_context(output_files.paged(prefix.with_name(name), replace=False))
            for chart, name in _charts(names, prefix.name).items()
        }

        def draw(result: Result) -> None:
            real = without_emulated(result)
            shown = real if real.entries else result
            for chart, found in sheets.items():
                charts.draw(chart, charts.Inputs(series([shown]), catalogue.read()), found)

        yield draw
    for found in sheets.values():
        print("\n".join(found.said()))


def _charts(names: Sequence[str], prefix: str) -> dict[str, str]:
    """The charts of these benchmarks: by name, what their files are called."""
    waiting = {mode: f"{prefix}-{mode}" for mode in contention.modes(names)}
    if all(contention.mode_of(name) in waiting for name in names):
        return waiting
    return {"bars": prefix, **waiting}
