# SPDX-License-Identifier: GPL-2.0-only
"""A slim record: the figures and the context of one result, and no more than 10 kB.

It is made of a store.Record, and its context is a part of a result's `context.irqcost`, with the
same keys, read by the same parser. docs/FLEET.md describes the format. The same result of the same
machine always makes the same bytes, so that records have a name of their content.
"""

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any, NamedTuple

from irqcost.base.errors import IrqcostError
from irqcost.base.verdicts import Trust
from irqcost.model import members, parsing
from irqcost.model.machine_code.masking import Masking
from irqcost.model.members import FormatError, Object
from irqcost.model.result import Context
from irqcost.model.store import COLUMNS, Record

# The key of a record's JSON, with the number of its format.
KEY, FORMAT = "irqcost_record", 1
# Its bytes, with the end of the line.
MOST_BYTES = 10_000
# Seven digits, as in a result, would leave out figures sooner; no figure is good to six.
_DIGITS = 6

_MACHINE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
CYCLES, TICKS = "core_cycles", "ticks"
_MODES = ("throughput", "isolated")


class Figure(NamedTuple):
    """One figure, in core cycles where these were counted, else in ticks."""

    value: float
    low: float | None
    high: float | None
    unit: str
    verdict: str
    estimator: int


@dataclass(frozen=True)
class Slim:
    """A record. `machine` is "" where a result does not say whose it is. `left_out` counts the
    figures that had no room, by `backend/mode[/variant]`. `context` has what `document` holds of a
    result's context.irqcost."""

    machine: str
    date: str
    verdict: str
    context: Context = field(repr=False)
    figures: Mapping[str, Figure] = field(repr=False)
    left_out: Mapping[str, int] = field(default_factory=dict)
    document: str = field(default="{}", repr=False)

    @property
    def name(self) -> str:
        """`DAY/MACHINE-DIGEST.json`: a record has one name, and a name one content."""
        return f"{when(self.date):%Y-%m-%d}/{self.machine}-{self.digest}.json"

    def selected(self, expression: re.Pattern[str] | None) -> "Slim":
        """The same with only the figures whose names match."""
        if expression is None:
            return self
        kept = {name: one for name, one in self.figures.items() if expression.search(name)}
        return replace(self, figures=kept)

    @property
    def digest(self) -> str:
        """What tells its content from any other."""
        return hashlib.sha256(dumps(self)).hexdigest()[:32]


def when(date: str) -> datetime:
    """The time that a record gives. Raises FormatError."""
    try:
        found = datetime.fromisoformat(date)
        found = found.replace(tzinfo=timezone.utc) if found.tzinfo is None else found
        return found.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise FormatError(f"date {date!r} is not one of ISO 8601") from None


def checked_machine(name: str) -> str:
    """A machine's name, if it is one. Raises FormatError."""
    if not _MACHINE.fullmatch(name):
        raise FormatError(
            f"machine {name!r}: a name has 1 to 100 letters, digits and `_ . -`, and begins with "
            "a letter or a digit"
        )
    return name


# What of context.irqcost a record keeps, by its keys; the rest of what the parser wants is empty.
_KEPT = ("version", "catalogue_hash", "instruction_clock", "cpuid_hypervisor")
_OF_CPU: tuple[str, ...] = (
    "vendor",
    "brand",
    "codename",
    "family",
    "model",
    "stepping",
    "microcode",
)
_OF_CPU += ("core_type", "confidential", "lfence_waits")
_OF_SETTINGS = ("governor", "boost", "smt", "nice", "cpu_quota")
_EMPTY: dict[str, Any] = {
    "schema": parsing.SCHEMA,
    "command": [],
    "tsc": {"khz": None, "step": None},
    "backends": {},
    "absent": [],
}


def of(record: Record, machine: str) -> Slim:
    """The whole of a result, however many figures it has; bounded() makes it a record."""
    context = record.context
    figures = {
        name: _of_row(dict(zip(COLUMNS, row.tolist())), verdict)
        for name, row, verdict in zip(record.names, record.values, record.verdicts)
    }
    document = _text(_document(context))
    return Slim(machine, record.date, record.verdict, _parsed(document), figures, document=document)


def _text(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _of_row(row: Mapping[str, float], verdict: str) -> Figure:
    unit = TICKS if math.isnan(row[CYCLES]) else CYCLES
    value, low, high = (_rounded(row[f"{unit}{end}"]) for end in ("", "_low", "_high"))
    assert value is not None
    return Figure(value, low, high, unit, verdict, int(row["estimator"]))


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.{_DIGITS}g}")


def _document(context: Context) -> dict[str, Any]:
    cpu, kernel = context.cpu, context.kernel
    document: dict[str, Any] = {
        "version": context.version,
        "catalogue_hash": context.catalogue_hash,
        "execution": {"kind": context.execution},
        "instruction_clock": context.instruction_clock,
        "cpu": {key: getattr(cpu, key) for key in _OF_CPU if getattr(cpu, key) is not None},
        "kernel": {"release": kernel.release, "realtime": kernel.realtime},
        "cpuid_hypervisor": context.hypervisor,
        "masking": context.masking.kind,
        "settings": {
            "governor": context.governor,
            "boost": context.boost,
            "smt": context.smt,
            "nice": context.niceness,
            "cpu_quota": context.cpu_quota,
        },
    }
    if context.kernel_hypervisor:
        document["kernel_hypervisor"] = context.kernel_hypervisor
    if kernel.preemption:
        document["kernel"]["preemption"] = kernel.preemption
    if context.mitigations:
        # They are sentences: whether they are others is what a fleet is asked.
        said = json.dumps(sorted(context.mitigations.items())).encode()
        document["settings"]["mitigations_sha256"] = hashlib.sha256(said).hexdigest()[:16]
    return document


@lru_cache(maxsize=4096)  # Records of one kind of machine have the same.
def _parsed(document: str) -> Context:
    """The context of a record, by the parser of results. Raises FormatError."""
    item = Object(json.loads(document), "record.context")
    cpu, kernel, settings = (item.object(key) for key in ("cpu", "kernel", "settings"))
    says = item.maybe_text("kernel_hypervisor") if item.has("kernel_hypervisor") else None
    ours: dict[str, Any] = {
        **_EMPTY,
        **{key: item.raw(key) for key in _KEPT if item.has(key)},
        "execution": {"kind": item.object("execution").text("kind"), "reason": ""},
        "cpu": {"measured": None, **_none(_OF_CPU[:7]), **_raw(cpu, _OF_CPU)},
        "kernel": {
            **_raw(kernel, ("release", "realtime")),
            **_none(("version", "command_line", "config")),
            "preemption": {"mode": kernel.raw("preemption")},
        },
        "kernel_hypervisor": {"name": says},
        "masking": {"kind": item.text("masking"), "reason": "", "rows": {}},
        "settings": {
            **_none(_OF_SETTINGS),
            **_raw(settings, _OF_SETTINGS),
            "mitigations": _mitigations(settings),
        },
    }
    found = parsing.parse({"context": {"date": "", "irqcost": ours}, "benchmarks": []}).context
    return replace(found, masking=Masking(found.masking.kind))


def _none(keys: Sequence[str]) -> dict[str, Any]:
    return dict.fromkeys(keys)


def _raw(item: Object, keys: Sequence[str]) -> dict[str, Any]:
    return {key: item.raw(key) for key in keys if item.has(key)}


def _mitigations(settings: Object) -> dict[str, str]:
    """In place of the sentences, which a record does not have."""
    if not settings.has("mitigations_sha256"):
        return {}
    return {"sha256": settings.text("mitigations_sha256")}


def bounded(whole: Slim) -> Slim:
    """A record of at most MOST_BYTES. Where there are too many figures, all those of a backend and
    mode are left out, and counted: first of the modes in situ and of other contexts, the last ones
    first, then isolated. Raises IrqcostError where not even one such group has room."""
    groups: dict[str, list[str]] = {}
    for name in whole.figures:
        groups.setdefault(_group(name), []).append(name)
    order = sorted(groups, key=lambda group: (_rank(group), group))
    kept, left = dict(whole.figures), Counter[str]()
    found = whole
    while len(dumps(found)) > MOST_BYTES:
        if len(order) < 2:
            raise IrqcostError(
                f"a record of this result would be larger than {MOST_BYTES} bytes, even with no "
                "more than one kind of figures: select fewer (irqcost run --filter)"
            )
        group = order.pop()
        left[group] = len(groups[group])
        for name in groups[group]:
            del kept[name]
        found = replace(whole, figures=dict(kept), left_out=dict(sorted(left.items())))
    return found


def _group(name: str) -> str:
    backend, _, *mode = name.split("/")
    return "/".join((backend, *mode))


def _rank(group: str) -> int:
    mode = group.partition("/")[2]
    return _MODES.index(mode) if mode in _MODES else len(_MODES)


# The JSON of a record


def dumps(record: Slim) -> bytes:
    """The line of a record."""
    usual = Counter((f.unit, f.verdict, f.estimator) for f in record.figures.values())
    unit, verdict, estimator = min(usual, key=lambda one: (-usual[one], one), default=("", "", 0))
    common: dict[str, Any] = {"unit": unit, "verdict": verdict, "estimator": estimator}
    figures: dict[str, dict[str, dict[str, list[Any]]]] = {}
    for name, figure in record.figures.items():
        backend, probe, mode = name.split("/", 2)
        own = {key: getattr(figure, key) for key in common if getattr(figure, key) != common[key]}
        of_probe = figures.setdefault(backend, {}).setdefault(probe, {})
        of_probe[mode] = _items(figure, own)
    document = {
        KEY: FORMAT,
        "machine": record.machine,
        "date": record.date,
        "verdict": record.verdict,
        "context": json.loads(record.document),
        "usual": common,
        "figures": figures,
        **({"left_out": dict(record.left_out)} if record.left_out else {}),
    }
    return _text(document).encode() + b"\n"


def _items(figure: Figure, own: Mapping[str, Any]) -> list[Any]:
    values: list[Any] = [_short(figure.value)]
    if figure.low is not None and figure.high is not None:
        values += [_short(figure.low), _short(figure.high)]
    return [*values, own] if own else values


def _short(value: float) -> float | int:
    return int(value) if value.is_integer() and abs(value) < 10**_DIGITS else value


def loads(line: bytes) -> Slim:
    """The record in a line, which may be anybody's. Raises FormatError."""
    if len(line) > MOST_BYTES:
        raise FormatError(f"longer than the {MOST_BYTES} bytes of a record")
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "not UTF-8, or nested"
        raise FormatError(f"not JSON: {reason}") from None
    return parsed(document)


def parsed(document: object) -> Slim:
    """The record that a JSON document holds. Raises FormatError."""
    item = Object(document, "record")
    if not item.has(KEY):
        raise FormatError(f"not a record: no `{KEY}`")
    if item.number(KEY) != FORMAT:
        raise FormatError(f"format {item.number(KEY):g}; this irqcost reads format {FORMAT}")
    context = _text(item.raw("context"))
    usual = item.object("usual")
    common = (_unit(usual), _verdict(usual), int(usual.number("estimator")))
    left_out = item.object("left_out") if item.has("left_out") else None
    date = item.text("date")
    when(date)
    return Slim(
        checked_machine(item.text("machine")),
        date,
        item.text("verdict"),
        _parsed(context),
        dict(_figures(item.object("figures"), common)),
        {key: int(left_out.number(key)) for key in left_out.members()} if left_out else {},
        context,
    )


def _unit(item: Object) -> str:
    unit = item.text("unit")
    if unit not in (CYCLES, TICKS, ""):
        raise FormatError(f"{item.where}.unit is neither {CYCLES} nor {TICKS}")
    return unit


def _figures(backends: Object, common: tuple[str, str, int]) -> Iterator[tuple[str, Figure]]:
    # Of a million records most figures are plainly right, and are read without an Object each. A
    # line's length bounds how many there are.
    for backend in backends.keys():
        probes = backends.object(backend)
        for probe in probes.keys():
            modes = probes.object(probe)
            for mode in modes.keys():
                name = _named(f"{backend}/{probe}/{mode}")
                yield name, _figure(modes.raw(mode), name, common)


@lru_cache(maxsize=65536)
def _named(name: str) -> str:
    if len(name) > members.MOST_LETTERS_OF_A_NAME or not members.NAME.fullmatch(name):
        raise FormatError(f"{name[:300]!r} is no name of a figure")
    return name


_VERDICTS = frozenset(("", *Trust))


def _figure(values: Any, name: str, common: tuple[str, str, int]) -> Figure:
    unit, verdict, estimator = common
    if not isinstance(values, list) or not 1 <= len(values) <= 4:
        raise FormatError(f"{name} is no list of 1 to 4 items")
    if isinstance(values[-1], dict):
        own = Object(values[-1], name)
        unit = _unit(own) if own.has("unit") else unit
        verdict = _verdict(own) if own.has("verdict") else verdict
        estimator = int(own.number("estimator")) if own.has("estimator") else estimator
        values = values[:-1]
    if len(values) not in (1, 3) or not unit:
        raise FormatError(f"{name} is no value, alone or with its interval")
    for value in values:
        if type(value) not in _NUMBERS or not -members.GREATEST <= value <= members.GREATEST:
            raise FormatError(f"{name} has an item that is no finite number")
    if len(values) == 1:
        return Figure(float(values[0]), None, None, unit, verdict, estimator)
    value, low, high = values
    if not low <= value <= high:
        raise FormatError(f"{name}: the value is not in its interval")
    return Figure(float(value), float(low), float(high), unit, verdict, estimator)


_NUMBERS = frozenset((int, float))


def _verdict(item: Object) -> str:
    verdict = item.text("verdict")
    if verdict not in _VERDICTS:
        raise FormatError(f"{item.where} has the unknown verdict {verdict!r}")
    return verdict
