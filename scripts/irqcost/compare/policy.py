# SPDX-License-Identifier: GPL-2.0-only
"""What `irqcost check` demands, from its TOML files. check.toml says what each key means."""

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from irqcost.base.errors import ResultError
from irqcost.compare.regression import Threshold

DEFAULTS = Path(__file__).with_name("check.toml")

# What may be demanded to be the same.
SAME = ("cpu", "microcode", "kernel", "code")

# A file of thresholds is a few lines for each figure.
_MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class Rule:
    """What a pattern over the names of figures changes; None: nothing."""

    pattern: str
    cycles: float | None
    percent: float | None
    ignore: bool | None


@dataclass(frozen=True)
class Policy:
    """How a baseline is chosen, and what matters."""

    runs: int
    same: tuple[str, ...]
    threshold: Threshold
    risk: float
    rules: tuple[Rule, ...] = ()

    def at(self, name: str) -> Threshold:
        """The threshold of a figure."""
        cycles, percent = self.threshold.cycles, self.threshold.percent
        for rule in self._matching(name):
            cycles = cycles if rule.cycles is None else rule.cycles
            percent = percent if rule.percent is None else rule.percent
        return Threshold(cycles, percent, section(name))

    def ignores(self, name: str) -> bool:
        """Whether a figure is left out."""
        said = [rule.ignore for rule in self._matching(name) if rule.ignore is not None]
        return bool(said and said[-1])

    def _matching(self, name: str) -> list[Rule]:
        return [rule for rule in self.rules if fnmatchcase(name, rule.pattern)]


def section(name: str) -> float:
    """Core cycles of the critical section that a figure is measured around; 0 where there is none.

    A figure in situ is what a primitive adds to a window of section and primitive. It is the time
    of that window that whoever runs such code pays, so percent are of that.
    """
    found = re.fullmatch(r"[^/]+/[^/]+/in_situ/(\d+)", name)
    return float(found[1]) if found else 0.0


def read(path: Path | None) -> Policy:
    """The defaults, and over them what a file says. Raises ResultError, which names the key."""
    content = _content(DEFAULTS)
    if path is not None:
        for table, members in _content(path).items():
            # Patterns of the file come after those of the defaults, so that they count.
            before = {k: v for k, v in content.get(table, {}).items() if k not in members}
            content[table] = {**before, **members}
    try:
        return _policy(content)
    except _Wrong as error:
        raise ResultError(path or DEFAULTS, str(error)) from error


class _Wrong(Exception):
    """An unknown key, or an invalid value."""


_KEYS: Mapping[str, tuple[str, ...]] = {
    "baseline": ("runs", "same"),
    "threshold": ("cycles", "percent"),
    "statistics": ("risk",),
    "figure": (),
}
_OF_FIGURE = ("cycles", "percent", "ignore")


def _content(path: Path) -> dict[str, dict[str, Any]]:
    try:
        if not path.is_file():
            raise ResultError(path, "no such file" if not path.exists() else "not a regular file")
        if path.stat().st_size > _MOST_BYTES:
            raise ResultError(path, f"larger than {_MOST_BYTES} bytes: no file of thresholds")
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultError(path, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise ResultError(path, f"no UTF-8 text at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise ResultError(path, f"not TOML: {error}") from error
    except RecursionError as error:
        raise ResultError(path, "nested too deeply") from error
    for table, members in found.items():
        if table not in _KEYS or not isinstance(members, dict):
            raise ResultError(path, f"{table!r}: the tables are {', '.join(_KEYS)}")
        if table != "figure":
            _known(path, table, members, _KEYS[table])
            continue
        for pattern, rule in members.items():
            if not isinstance(rule, dict):
                raise ResultError(path, f'[figure."{pattern}"] is no table')
            _known(path, f'figure."{pattern}"', rule, _OF_FIGURE)
    return found


def _known(path: Path, table: str, members: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for key in members:
        if key not in keys:
            raise ResultError(path, f"[{table}] {key!r}: the keys are {', '.join(keys)}")


def _policy(content: Mapping[str, Mapping[str, Any]]) -> Policy:
    baseline, threshold = content["baseline"], content["threshold"]
    runs, same = baseline["runs"], baseline["same"]
    if isinstance(runs, bool) or not isinstance(runs, int) or not 1 <= runs <= 1000:
        raise _Wrong("[baseline] runs is no whole number from 1 to 1000")
    if not isinstance(same, list) or not all(one in SAME for one in same):
        raise _Wrong(f"[baseline] same is no list of {', '.join(SAME)}")
    risk = _number("[statistics] risk", content["statistics"]["risk"])
    if not 1e-6 <= risk <= 0.5:
        raise _Wrong("[statistics] risk is not from 0.000001 to 0.5")
    rules = []
    for pattern, rule in content.get("figure", {}).items():
        where = f'[figure."{pattern}"]'
        cycles, percent, ignore = (rule.get(key) for key in _OF_FIGURE)
        if ignore is not None and not isinstance(ignore, bool):
            raise _Wrong(f"{where} ignore is not true or false")
        rules.append(
            Rule(
                pattern,
                None if cycles is None else _number(f"{where} cycles", cycles),
                None if percent is None else _number(f"{where} percent", percent),
                ignore,
            )
        )
    limits = [_number(f"[threshold] {key}", threshold[key]) for key in ("cycles", "percent")]
    return Policy(runs, tuple(same), Threshold(*limits), risk, tuple(rules))


def _number(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _Wrong(f"{where} is no number")
    if not (math.isfinite(value) and value >= 0):
        raise _Wrong(f"{where} is {value}: no number from 0 on")
    return float(value)
