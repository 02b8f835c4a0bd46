# SPDX-License-Identifier: GPL-2.0-only
"""Recordings of samples: what record.py writes and rule.py reads.

As text these are the lines of recorder/record.cc with the number of their process in front. In a
file of planes.py each column has its numbers by benchmark, process and sample: chain_base,
chain_body, base, body, sensor, flags.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import planes

# The last digit that record.cc prints of the sensor.
_SENSOR = 1e-5
# Columns in ticks: multiples of the clock's step.
_WINDOWS = 4


def write(path: Path, names: Sequence[str], lines: Sequence[str]) -> None:
    """Writes the lines of samples of these benchmarks: of each as many in each process, in slices
    that take turns. Raises ValueError where they are not."""
    samples = [line.split() for line in lines]
    own: dict[tuple[int, int], list[list[str]]] = {}
    for process, name, *rest in samples:
        own.setdefault((int(name), int(process)), []).append(rest)
    processes = 1 + max(process for _, process in own)
    slice_ = next(at for at, one in enumerate(samples) if one[1] != samples[0][1])
    places = [(name, process) for name in range(len(names)) for process in range(processes)]
    constant = {place: {tuple(one[6:]) for one in own[place]} for place in places}
    if len({len(one) for one in own.values()}) > 1 or any(len(c) > 1 for c in constant.values()):
        raise ValueError("not as many samples of each benchmark in each process")
    head: dict[str, Any] = {
        "benchmarks": list(names),
        "processes": processes,
        "slice": slice_,
        # By benchmark and process: operations and chain cycles that body has more than base.
        "constant": [list(map(int, *constant[place])) for place in places],
    }
    ordered = [one for place in places for one in own[place]]
    head["step"] = math.gcd(*(int(tick) for one in ordered for tick in one[:_WINDOWS]))
    units = (*[head["step"]] * _WINDOWS, _SENSOR, 1)
    columns = [[round(float(one[at]) / unit) for one in ordered] for at, unit in enumerate(units)]
    planes.write(path, head, columns)


def step(path: Path) -> int:
    """The clock's step in ticks, as the samples of a file show it."""
    found: int = planes.read(path)[0]["step"]
    return found


def mode(benchmark: str) -> str:
    """The mode of a recorded benchmark, in words. Before version 0.4 one had another name."""
    name = benchmark.split("/")[1]
    return {"latency": "isolated", "in_situ": "in situ"}.get(name, name)


def read(path: Path) -> Iterator[str]:
    """The names of benchmarks ("# NUMBER NAME") and the lines of a file."""
    head, (*windows, sensor, flags) = planes.read(path)
    ticks = ([str(one * head["step"]) for one in column] for column in windows)
    samples = list(zip(*ticks, (f"{one * _SENSOR:.5f}" for one in sensor), map(str, flags)))
    names, processes, slice_ = head["benchmarks"], head["processes"], head["slice"]
    each = len(samples) // len(names) // processes
    yield from (f"# {number} {name}" for number, name in enumerate(names))
    for process in range(processes):
        for first in range(0, each, slice_):
            for number in range(len(names)):
                at = number * processes + process
                ops, chain = head["constant"][at]
                start = at * each + first
                for one in samples[start : start + min(slice_, each - first)]:
                    yield f"{process} {number} {' '.join(one)} {ops} {chain}"
