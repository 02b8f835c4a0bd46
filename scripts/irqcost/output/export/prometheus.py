# SPDX-License-Identifier: GPL-2.0-only
"""The textfile format of Prometheus, as its node exporter collects it: the latest figures of each
machine, by the time that their result gives.

A series may be in such a file once, and all of a metric stand together, so the latest record of
each machine is held, and no more.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from irqcost.base.safety.texts import plain
from irqcost.model.members import FormatError
from irqcost.model.records import slim
from irqcost.model.records.slim import Slim
from irqcost.output.export.rows import Value, facts

_TELLS: tuple[str, ...] = (
    "execution",
    "hypervisor",
    "vendor",
    "brand",
    "codename",
    "family",
    "model",
    "stepping",
)
_TELLS += ("core_type", "microcode", "kernel", "realtime", "preemption", "masking", "version")


def lines(records: Iterable[Slim]) -> Iterator[str]:
    latest: dict[tuple[str, str], tuple[datetime, Slim]] = {}
    for record in records:
        try:
            date = slim.when(record.date)
        except FormatError:
            continue  # Without a time nothing is the latest.
        key = (record.machine, record.context.execution)
        if key not in latest or latest[key][0] < date:
            latest[key] = (date, record)
    ordered = [(key, *latest[key]) for key in sorted(latest)]
    yield _head("irqcost_info", "1, with what was measured in its labels.")
    for (machine, _), _, record in ordered:
        told = facts(record.context)
        yield _line("irqcost_info", machine, {key: told[key] for key in _TELLS}, 1)
    yield _head("irqcost_run_timestamp_seconds", "When the latest result was measured.")
    for (machine, execution), date, _ in ordered:
        own = {"execution": execution}
        yield _line("irqcost_run_timestamp_seconds", machine, own, date.timestamp())
    for unit, about in _UNITS.items():
        yield _head(f"irqcost_{unit}", about)
        for (machine, execution), _, record in ordered:
            for name, figure in record.figures.items():
                if figure.unit == unit:
                    parts = dict(zip(("backend", "probe", "mode"), name.split("/", 2)))
                    labels = {"execution": execution, **parts, "verdict": figure.verdict}
                    yield _line(f"irqcost_{unit}", machine, labels, figure.value)


_UNITS = {
    slim.CYCLES: "Core cycles of one operation.",
    slim.TICKS: "TSC ticks of one operation, where no core cycles were counted.",
}


def _head(metric: str, about: str) -> str:
    return f"# HELP {metric} {about}\n# TYPE {metric} gauge\n"


def _line(metric: str, machine: str, labels: Mapping[str, Value], value: float) -> str:
    named: dict[str, Value] = {"machine": machine, **labels}
    said = ",".join(f'{key}="{_label(one)}"' for key, one in named.items() if one not in (None, ""))
    return f"{metric}{{{said}}} {value:.12g}\n"


def _label(value: Value) -> str:
    text = plain(str(value).lower() if isinstance(value, bool) else str(value))
    return text.replace("\\", "\\\\").replace('"', '\\"')
