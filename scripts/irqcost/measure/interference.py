# SPDX-License-Identifier: GPL-2.0-only
"""The level of the interference sensor, remembered from run to run.

A neighbour who stays for all of a run leaves nothing in it to tell him by: each process sees the
same slow sensor. What tells is how fast the sensor was in earlier runs on the same machine.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from irqcost.base import jsontext
from irqcost.base.cache import cache_directory, locked
from irqcost.base.errors import IrqcostError
from irqcost.base.files import written_whole
from irqcost.base.verdicts import Trust
from irqcost.measure.processes import Benchmark, Process, Processes, run_level
from irqcost.model import description

# History: 1, the first.
_SCHEMA = 1

# Runs whose baseline level is kept. The median of nine stands while any four are off.
_KEPT = 9

# From where to where a baseline level can be, in core cycles per nop: what the harness takes.
_LIMITS = (0.01, 100.0)

# Digits after the point: what the harness is told.
_DIGITS = 6

_CPU = ("vendor", "family", "model", "stepping", "core_type", "microcode")


def machine(context: Mapping[str, Any]) -> dict[str, Any]:
    """What a sensor's baseline level belongs to. `context` is context.irqcost.

    The catalogue is part of it, since the sensor is made of one of its rows.
    """
    found = {key: context["cpu"].get(key) for key in _CPU}
    sensor = context.get("sensor", {}).get("row")
    return {**found, "sensor": sensor} | {
        key: context[key] for key in ("cpuid_hypervisor", "catalogue_hash")
    }


_TOLERANCE = float(description.read()["sensor_tolerance"])


def typical(levels: Sequence[float]) -> float | None:
    """The median of the lowest levels that agree, of one alone that; None where none agree."""
    level = run_level(levels, len(levels), _TOLERANCE)
    return None if level is None else round(level, _DIGITS)


def with_known(process: Process, known: Mapping[str, float]) -> Process:
    """A process whose `baselines` say what is known from earlier runs, by backend."""
    baselines = {
        backend: {**baseline, "cached": known[backend]} if backend in known else baseline
        for backend, baseline in process.context.get("baselines", {}).items()
    }
    context = {
        **process.document["context"],
        "irqcost": {**process.context, "baselines": baselines},
    }
    return Process({**process.document, "context": context}, process.seconds)


def neighbours(
    benchmarks: Mapping[str, Benchmark], known: Mapping[str, float], tolerances: Mapping[str, float]
) -> dict[str, str]:
    """Backends whose sensor never came down to its level of earlier runs: by backend a sentence."""
    found = {}
    for backend, baseline in known.items():
        sensors = [
            entry["sensor"]
            for name, one in benchmarks.items()
            if name.split("/")[0] == backend
            for entry in one.all
            if "sensor" in entry
        ]
        if sensors and min(sensors) > baseline * (1 + tolerances.get(backend, _TOLERANCE)):
            found[backend] = (
                f"sensor {min(sensors):.3f} cycles per nop, {baseline:.3f} in earlier runs on this "
                "CPU: a neighbour shares the core; run again when it is gone, or, if the machine "
                "was changed, with --forget-baseline"
            )
    return found


def worth_keeping(processes: Sequence[Process], verdicts: Mapping[str, str]) -> dict[str, float]:
    """What of a run is worth caching, by backend; nothing unless half of its figures are good.

    Several processes agree on the level of a run, so that of one that was wrongly low is not kept.
    `verdicts` are words by name.
    """
    statuses: dict[str, list[str]] = {}
    for name, status in verdicts.items():
        statuses.setdefault(name.split("/")[0], []).append(status)
    return {
        backend: round(level, _DIGITS)
        for backend, level in Processes(processes).levels.items()
        if backend in statuses and 2 * statuses[backend].count(Trust.GOOD) >= len(statuses[backend])
    }


@dataclass(frozen=True)
class _Row:
    """A machine, and by backend the baseline levels of its last good runs, the latest one last."""

    machine: Mapping[str, Any]
    baselines: Mapping[str, Sequence[float]]


def _parsed(text: str) -> list[_Row]:
    """The rows of a file. Raises ValueError with what is wrong."""
    content = json.loads(text)
    if not isinstance(content, dict) or content.get("schema") != _SCHEMA:
        raise ValueError(f"no sensor baseline levels of schema {_SCHEMA}")
    rows = content.get("machines")
    if not isinstance(rows, list):
        raise ValueError("`machines` is no list")
    return [_row(row) for row in rows]


def _row(row: object) -> _Row:
    if not isinstance(row, dict) or not isinstance(row.get("machine"), dict):
        raise ValueError("a row without `machine`")
    baselines = row.get("floors")
    if not isinstance(baselines, dict):
        raise ValueError("a row without `floors`")
    for backend, values in baselines.items():
        if not (isinstance(values, list) and values and all(map(_is_level, values))):
            raise ValueError(
                f"the baseline levels of {backend} are not numbers from "
                f"{_LIMITS[0]:g} to {_LIMITS[1]:g}"
            )
    return _Row(row["machine"], baselines)


def _is_level(value: object) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and _LIMITS[0] <= value <= _LIMITS[1]  # type: ignore[operator]


def _text(rows: Sequence[_Row]) -> str:
    machines = [{"machine": row.machine, "floors": row.baselines} for row in rows]
    return jsontext.dumps({"schema": _SCHEMA, "machines": machines})


class BaselineCache:
    """The file of baseline levels in the user's cache, for one run. Runs work without
    it: what cannot be read
    or written is named on standard error, and the run goes on without."""

    def __init__(self, forget: bool = False) -> None:
        self._path = cache_directory() / "sensor-floors.json"
        self._forget = forget
        self._known: dict[str, float] | None = None
        self._complained = False

    def add_known(self, process: Process) -> Process:
        """The process with what is known of its machine; an emulated one has no sensor."""
        if process.emulated:
            return process
        if self._known is None:
            own = self._own(process)
            if self._forget and own:
                self._change(process, {})
                own = {}
            typicals = {backend: typical(values) for backend, values in own.items()}
            self._known = {name: one for name, one in typicals.items() if one is not None}
        return with_known(process, self._known)

    def keep(self, processes: Sequence[Process], verdicts: Mapping[str, str]) -> None:
        """Remembers what a run cached. `verdicts` are words by name."""
        real = [process for process in processes if not process.emulated]
        kept = worth_keeping(real, verdicts)
        if kept:
            self._change(real[0], kept)

    def _own(self, process: Process) -> Mapping[str, Sequence[float]]:
        here = machine(process.context)
        return next((row.baselines for row in self._rows() if row.machine == here), {})

    def _rows(self) -> list[_Row]:
        try:
            return _parsed(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except (OSError, ValueError, RecursionError) as error:
            if not self._complained:
                # Each Python words this in its own way.
                deep = isinstance(error, RecursionError)
                reason = "nested too deeply" if deep else error
                print(f"irqcost: {self._path}: {reason}: ignored", file=sys.stderr)
            self._complained = True
            return []

    def _change(self, process: Process, kept: Mapping[str, float]) -> None:
        """Adds baseline levels to those of the process's machine; without any, forgets them."""
        here = machine(process.context)
        try:
            with locked(self._path.with_suffix(".lock")):
                rows = self._rows()
                baselines: dict[str, Sequence[float]] = next(
                    (dict(row.baselines) for row in rows if row.machine == here), {}
                )
                for backend, baseline in kept.items():
                    baselines[backend] = [*baselines.get(backend, []), baseline][-_KEPT:]
                others = [row for row in rows if row.machine != here]
                own = [_Row(here, baselines)] if kept else []
                with written_whole(self._path, replace=True) as partial:
                    partial.write_text(_text([*others, *own]), encoding="utf-8")
        except (OSError, IrqcostError) as error:
            print(
                f"irqcost: the sensor's baseline level is not remembered: {error}", file=sys.stderr
            )
