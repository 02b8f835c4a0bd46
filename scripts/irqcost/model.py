# SPDX-License-Identifier: GPL-2.0-only
"""A result as Python sees it. The keys, units and their meaning are those of docs/RESULTS.md.

Parsing happens here and once: whoever holds a Result need not check it again. Unknown keys are
ignored, for the file is Google Benchmark's and other tools add theirs; a key that is documented and
missing, or of another type, is an error that names its place in the file.
"""

import math
import statistics
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

from irqcost import masking as masking_
from irqcost import ticks
from irqcost.masking import Masking, Row
from irqcost.waits import CONTENTION, PENDING, PERCENTILES, Contention, Pending

# History: 1, the first.
SCHEMA = 1

EXECUTIONS = ("bare-metal", "virtualised", "emulated", "simulated")


def _plain(text: str) -> str:
    """A text as it may be shown: a file must not move a terminal's cursor, and half a character is
    none that could be written."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


class FormatError(Exception):
    """The content is not that of a result. The message says where and why."""

    def __init__(self, message: str) -> None:
        super().__init__(_plain(message))


# Beyond any cost, and far from where sums and quotients of figures overflow.
_GREATEST = 1e30

# More than a histogram is written with (histogram.py), and few enough to be drawn.
_MOST_BINS = 10_000


class _Object:
    """A JSON object whose members are read by type; errors name the path to the member."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise FormatError(f"{where} is not an object")
        self._members: dict[str, Any] = value
        self.where = where

    def has(self, key: str) -> bool:
        return key in self._members

    def _get(self, key: str, kinds: tuple[type, ...], what: str, nullable: bool) -> Any:
        if key not in self._members:
            raise FormatError(f"{self.where}.{key} is missing")
        value = self._members[key]
        if value is None and nullable:
            return None
        # bool is an int in Python, and no number in JSON.
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise FormatError(f"{self.where}.{key} is not {what}")
        return value

    def object(self, key: str) -> "_Object":
        return _Object(self._get(key, (dict,), "an object", False), f"{self.where}.{key}")

    def objects(self, key: str) -> list["_Object"]:
        items = self._get(key, (list,), "a list", False)
        return [_Object(item, f"{self.where}.{key}[{i}]") for i, item in enumerate(items)]

    def members(self) -> list[str]:
        return list(self._members)

    # Thousands of files have millions of texts and numbers: what is plainly right is seen first.

    def text(self, key: str) -> str:
        value = self._members.get(key)
        if type(value) is str and value.isprintable():
            return value
        return _plain(self._get(key, (str,), "a text", False))

    def maybe_text(self, key: str) -> str | None:
        value = self._get(key, (str,), "a text or null", True)
        return None if value is None else _plain(value)

    def flag(self, key: str) -> bool:
        return bool(self._get(key, (bool,), "true or false", False))

    def number(self, key: str) -> float:
        value = self._members.get(key)
        if type(value) is float and -_GREATEST <= value <= _GREATEST:
            return value
        try:
            value = float(self._get(key, (int, float), "a number", False))
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise FormatError(f"{self.where}.{key} is not a finite number")
        if abs(value) > _GREATEST:
            raise FormatError(f"{self.where}.{key} is {value:g}: no figure is so great")
        return value

    def maybe_number(self, key: str) -> float | None:
        return self.number(key) if self._members.get(key) is not None else None

    def raw(self, key: str) -> Any:
        """A member that is looked at later, or None."""
        return self._members.get(key)

    def run(self) -> tuple[Any, ...]:
        """What tells the entry of a run from all others: name, and repetition or aggregate."""
        get = self._members.get
        keys = (self.text("name"), get("run_name"), get("repetition_index"), get("aggregate_name"))
        return tuple(map(str, keys))

    def maybe(self, key: str) -> bool:
        """Whether there is a member, and it is not null."""
        return self._members.get(key) is not None

    def numbers(self, key: str) -> tuple[float, ...]:
        values = self._get(key, (list,), "a list", False)
        items = _Object({str(i): value for i, value in enumerate(values)}, f"{self.where}.{key}")
        return tuple(items.number(i) for i in items.members())

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._get(key, (list,), "a list", False)
        if not all(isinstance(value, str) for value in values):
            raise FormatError(f"{self.where}.{key} is not a list of texts")
        return tuple(map(_plain, values))

    def maybe_texts(self, key: str) -> tuple[str, ...] | None:
        return None if self.has(key) and self._members[key] is None else self.texts(key)


@dataclass(frozen=True)
class Cpu:
    """The CPU that was measured; `measured` is the number of the logical CPU."""

    vendor: str | None
    brand: str | None
    codename: str | None
    family: int | None
    model: int | None
    stepping: int | None
    microcode: str | None
    measured: int | None
    # Of a hybrid CPU; None where all cores are alike, and in files that are older than the key.
    core_type: str | None = None
    # What keeps a guest's memory from its host; None in files that are older than the key.
    confidential: tuple[str, ...] | None = None
    # Whether lfence waits for what is before it; None where nothing tells.
    lfence_waits: bool | None = None


@dataclass(frozen=True)
class Kernel:
    """The kernel; `config` is None where no module said how it was built."""

    release: str
    version: str | None
    command_line: str | None
    realtime: bool
    config: tuple[str, ...] | None
    # Mode of preemption at the time of the run; None where it was not known, or in older files.
    preemption: str | None = None


@dataclass(frozen=True)
class Backend:
    """Whether a backend could run; if not, why, and what would help."""

    name: str
    usable: bool
    reason: str = ""
    remedy: str = ""
    clock: str = ""  # what it measured with where that is not the TSC, in words
    execution: str = ""  # one of EXECUTIONS, where its code may be executed in a way of its own
    execution_reason: str = ""


@dataclass(frozen=True)
class Text:
    """A function as the CPU executed it; see `text` in docs/RESULTS.md."""

    code: bytes
    hash: str
    code_hash: str = ""  # "" where the instructions were not decoded
    targets: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Derived:
    """A figure that follows from measured ones, in core cycles."""

    name: str
    cycles: float
    low: float
    high: float
    formula: str


@dataclass(frozen=True)
class Absent:
    """Something asked for that could not be measured."""

    name: str
    reason: str


@dataclass(frozen=True)
class Context:
    """Who measured what, where and under which conditions."""

    date: str
    version: str
    catalogue_hash: str
    command: tuple[str, ...]
    execution: str  # one of EXECUTIONS
    execution_reason: str
    instruction_clock: bool
    cpu: Cpu
    kernel: Kernel
    hypervisor: str | None  # by CPUID
    governor: str | None
    boost: str | None
    smt: str | None
    mitigations: Mapping[str, str]
    tsc_khz: float | None
    tsc_step: float | None
    backends: tuple[Backend, ...]
    absent: tuple[Absent, ...]
    # Processes that the figures come from; 0 in a file of the harness alone.
    epochs: int = 0
    # A word, and in a sentence with numbers (`sentence`: "" in files that are older than the key).
    verdict: str = ""
    sentence: str = ""
    reasons: tuple[str, ...] = ()
    # Live text by `backend/probe` and symbol, and the catalogue's code by probe.
    text: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    derived: tuple[Derived, ...] = ()
    niceness: int | None = None  # of the harness; None in files that are older than the key
    tsc_invariant: bool | None = None
    clock_source: str | None = None  # of the kernel; None where it is not known
    cpu_quota: float | None = None  # CPUs' worth of time; None: no quota, or not known
    masking: Masking = Masking()
    # The hypervisor that the kernel says it runs on; None where it does not say, or did not yet.
    kernel_hypervisor: str | None = None

    @property
    def clock_doubt(self) -> str:
        """Why ns and ticks are in doubt; empty where they are not."""
        return "" if self.emulated else ticks.doubt(self.tsc_invariant, self.clock_source)

    @property
    def emulated(self) -> bool:
        return self.execution == "emulated"

    @property
    def simulated(self) -> bool:
        return self.execution == "simulated"

    @property
    def kind(self) -> str:
        """real, emulated or simulated: figures of two kinds have nothing in common."""
        return self.execution if self.emulated or self.simulated else "real"

    @property
    def outcome(self) -> str:
        """The run's verdict as it is shown; "" of the harness alone."""
        return self.sentence or self.verdict

    @property
    def kernel_execution(self) -> str:
        """How the kernel was executed: as all code was, or one of a hypervisor's making."""
        return masking_.PARAVIRTUALISED if self.masking.paravirtual else self.execution

    @property
    def emulated_backends(self) -> tuple[Backend, ...]:
        """Those whose code was emulated on a machine that runs other code itself."""
        return tuple(one for one in self.backends if one.execution == "emulated")


@dataclass(frozen=True)
class Grid:
    """Samples counted: `counts` by the beginning of their bin, bins `width` wide."""

    width: float
    counts: tuple[tuple[float, int], ...]


@dataclass(frozen=True)
class Histogram:
    """The samples of an entry, free and disturbed, in `unit` (core_cycles or ticks)."""

    unit: str
    free: Grid
    disturbed: Grid


@dataclass(frozen=True)
class Entry:
    """One benchmark entry. Costs and spread are per operation."""

    backend: str
    probe: str
    mode: str
    variant: str  # in situ: core cycles of the section; "" where the mode has none
    aggregate: str  # "" for a single repetition, else mean, median …
    ns: float
    ticks: float
    core_cycles: float | None
    ticks_min: float
    ticks_p50: float
    ticks_p99: float
    spread: float  # ticks, p75 - p25 of the samples used
    samples: float
    free: float
    label: str
    # The 95 % interval; None where too few epochs were free, or there was one only.
    ticks_interval: tuple[float, float] | None = None
    cycles_interval: tuple[float, float] | None = None
    # One of verdict.WORDS with its reasons; "" in a file of the harness alone.
    verdict: str = ""
    reasons: tuple[str, ...] = ()
    # 1: the p10 of all windows; 2: in latency and in situ the mean of those from p10 to p75; 3: the
    # windows of a sample by its own clock, then one location of all samples.
    estimator: int = 1
    # As it stands in the file: most of what is in one, and seldom looked at.
    raw_histogram: object = field(default=None, repr=False, compare=False)
    # Only where the mode is one of waits.MODES.
    waits: Contention | Pending | None = None

    @property
    def histogram(self) -> Histogram | None:
        """How the samples lie; None where the file does not tell. Raises FormatError."""
        if self.raw_histogram is None:
            return None
        item = _Object(self.raw_histogram, f"{self.name}.histogram")
        return Histogram(
            item.text("unit"), _grid(item.object("free")), _grid(item.object("disturbed"))
        )

    @property
    def name(self) -> str:
        return "/".join(filter(None, (self.backend, self.probe, self.mode, self.variant)))

    @property
    def doubtful(self) -> bool:
        if self.verdict:
            return self.verdict not in ("good", "emulated")
        return self.label not in ("", "free")

    @property
    def remark(self) -> str:
        """Why it is in doubt, in a sentence; "" where it is not."""
        if not self.doubtful:
            return ""
        return f"{self.verdict}: {self.reasons[0]}" if self.reasons else self.label


def other_estimator(base: Entry, new: Entry) -> str:
    """That two figures were not made in one way; "" where they were."""
    if base.estimator == new.estimator:
        return ""
    return (
        "made by another estimator of irqcost, which moves figures by up to 0.4 cycle: measure the "
        "baseline anew"
    )


@dataclass(frozen=True)
class Result:
    """A result file."""

    context: Context
    entries: tuple[Entry, ...] = field(repr=False)

    @cached_property
    def figures(self) -> dict[str, Entry]:
        """The one figure by `backend/probe/mode[/variant]`, in the order of the file.

        With repetitions that is Google Benchmark's median aggregate, or, where a filter kept the
        aggregates out of the file, the repetition in the middle.
        """
        by_name: dict[str, list[Entry]] = {}
        for entry in self.entries:
            if entry.aggregate in ("", "median"):
                by_name.setdefault(entry.name, []).append(entry)
        return {name: _middle(entries) for name, entries in by_name.items()}

    def cycles_per_tick(self, backend: str) -> float | None:
        """Core cycles in a tick while `backend` measured: the median over its figures.

        Only for what has no cycle figure of its own, such as the spread.
        """
        ratios = [
            entry.core_cycles / entry.ticks
            for entry in self.figures.values()
            if entry.backend == backend and entry.core_cycles and entry.ticks > 0
        ]
        return statistics.median(ratios) if ratios else None


def without_emulated(result: Result) -> Result:
    """A result less the figures of backends that were emulated on a real machine."""
    emulated = {backend.name for backend in result.context.emulated_backends}
    kept = tuple(entry for entry in result.entries if entry.backend not in emulated)
    return Result(result.context, kept) if emulated else result


def _middle(entries: list[Entry]) -> Entry:
    medians = [entry for entry in entries if entry.aggregate == "median"]
    if medians:
        return medians[0]
    return sorted(entries, key=lambda entry: entry.ticks)[(len(entries) - 1) // 2]


# What else stands among results, by the key with its format's number; and what its files are called
# where a result is asked for.
_RECORDS = ("selftest", "ab", "executed")
OTHER_RECORD = "not a result, but a record of irqcost: "


def parse(document: object, texts: bool = True) -> Result:
    """The result that a JSON document holds, without its live `texts` if so asked. Raises
    FormatError."""
    if not isinstance(document, dict) or "context" not in document:
        for kind in _RECORDS:
            if isinstance(document, dict) and isinstance(document.get(kind), int):
                raise FormatError(OTHER_RECORD + kind)
        raise FormatError("not a result: no `context` (Google Benchmark's JSON has one)")
    root = _Object(document, "result")
    context = root.object("context")
    if not context.has("irqcost"):
        raise FormatError("a Google Benchmark file of another program: no `context.irqcost`")
    ours = context.object("irqcost")
    schema = ours.number("schema")
    if schema != SCHEMA:
        raise FormatError(f"schema {schema:g}, but this irqcost reads schema {SCHEMA}")
    entries = []
    failed = []
    seen = set()
    for item in root.objects("benchmarks"):
        key = item.run()
        if key in seen:
            raise FormatError(f"benchmark {key[0]!r} stands twice: which is meant is not told")
        seen.add(key)
        # Google Benchmark keeps an entry for what ended with an error; it has no figures.
        if item.has("error_occurred") and item.flag("error_occurred"):
            failed.append(Absent(item.text("name"), item.text("error_message")))
        else:
            entries.append(_entry(item))
    measured = {entry.backend for entry in entries}
    return Result(_context(context.text("date"), ours, failed, texts, measured), tuple(entries))


def epochs(document: Any) -> dict[str, tuple[float, ...]]:
    """The epochs that count, by figure, of a document that parse() takes: in core cycles where the
    figure has them, else in ticks. Figures of the harness alone have none. Raises FormatError."""
    found = {}
    for item in _Object(document, "result").objects("benchmarks"):
        if item.has("epochs"):
            found[item.text("run_name")] = item.numbers("epochs")
    return found


def with_run(context: Context, ours: object) -> Context:
    """A context with what `tsc`, `backends` and `absent` of a context.irqcost say, of which no two
    runs have the same. Raises FormatError."""
    item = _Object(ours, "result.context.irqcost")
    return replace(context, **_of_run(item))


def _of_run(ours: _Object) -> dict[str, Any]:
    tsc = ours.object("tsc")
    backends = ours.object("backends")
    return {
        "tsc_khz": tsc.maybe_number("khz"),
        "tsc_step": tsc.maybe_number("step"),
        "tsc_invariant": tsc.flag("invariant") if tsc.has("invariant") else None,
        "clock_source": tsc.maybe_text("clock_source") if tsc.has("clock_source") else None,
        "backends": tuple(_backend(name, backends.object(name)) for name in backends.members()),
        "absent": tuple(_absent(item) for item in ours.objects("absent")),
    }


def _absent(item: _Object) -> Absent:
    return Absent(item.text("name"), item.text("reason"))


def text_hashes(document: Any) -> dict[str, dict[str, str]]:
    """Of a document that parse() takes, by `backend/probe` and symbol, what identifies each live
    text: the hash of its instructions without addresses where the run could tell them, else of its
    bytes. Raises FormatError."""
    ours = _Object(document, "result").object("context").object("irqcost")
    texts = ours.object("text") if ours.has("text") else _Object({}, "")
    return {
        name: {symbol: _text_hash(functions.object(symbol)) for symbol in functions.members()}
        for name in texts.members()
        for functions in [texts.object(name)]
    }


def _text_hash(item: _Object) -> str:
    return item.text("code_sha256" if item.has("code_sha256") else "sha256")


def _integer(item: _Object, key: str) -> int | None:
    value = item.maybe_number(key)
    return None if value is None else int(value)


def _context(
    date: str, ours: _Object, failed: list[Absent], texts: bool, measured: Collection[str]
) -> Context:
    execution = ours.object("execution")
    kind = execution.text("kind")
    if kind not in EXECUTIONS:
        raise FormatError(f"context.irqcost.execution.kind is none of {', '.join(EXECUTIONS)}")
    cpu = ours.object("cpu")
    kernel = ours.object("kernel")
    settings = ours.object("settings")
    mitigations = settings.object("mitigations")
    of_run = _of_run(ours)
    of_run["absent"] += tuple(failed)
    verdict = ours.object("verdict") if ours.has("verdict") else None
    text = _texts(ours.object("text")) if ours.has("text") and (texts or _untold(ours)) else {}
    says = ours.object("kernel_hypervisor") if ours.maybe("kernel_hypervisor") else None
    kernel_hypervisor = says.maybe_text("name") if says else None
    masking = _masking(ours, text, measured, kernel_hypervisor)
    derived, lost = _without_calls(
        map(_derived, ours.objects("derived")) if ours.has("derived") else (), masking
    )
    of_run["absent"] += lost
    preemption = kernel.object("preemption") if kernel.has("preemption") else None
    return Context(
        date=date,
        version=ours.text("version"),
        catalogue_hash=ours.text("catalogue_hash"),
        command=ours.texts("command"),
        execution=kind,
        execution_reason=execution.text("reason"),
        instruction_clock=ours.flag("instruction_clock"),
        cpu=Cpu(
            vendor=cpu.maybe_text("vendor"),
            brand=_trimmed(cpu.maybe_text("brand")),
            codename=cpu.maybe_text("codename"),
            family=_integer(cpu, "family"),
            model=_integer(cpu, "model"),
            stepping=_integer(cpu, "stepping"),
            microcode=cpu.maybe_text("microcode"),
            measured=_integer(cpu, "measured"),
            core_type=cpu.maybe_text("core_type") if cpu.has("core_type") else None,
            confidential=cpu.texts("confidential") if cpu.has("confidential") else None,
            lfence_waits=cpu.flag("lfence_waits") if cpu.maybe("lfence_waits") else None,
        ),
        kernel=Kernel(
            release=kernel.text("release"),
            version=kernel.maybe_text("version"),
            command_line=kernel.maybe_text("command_line"),
            realtime=kernel.flag("realtime"),
            config=kernel.maybe_texts("config"),
            preemption=preemption.maybe_text("mode") if preemption else None,
        ),
        # Before 0.3 the key had this name.
        hypervisor=ours.maybe_text(
            "cpuid_hypervisor" if ours.has("cpuid_hypervisor") else "hypervisor"
        ),
        governor=settings.maybe_text("governor"),
        boost=settings.maybe_text("boost"),
        smt=settings.maybe_text("smt"),
        mitigations={name: mitigations.text(name) for name in mitigations.members()},
        **of_run,
        epochs=int(ours.object("epochs").number("count")) if ours.has("epochs") else 0,
        verdict=verdict.text("verdict") if verdict else "",
        sentence=verdict.text("sentence") if verdict and verdict.has("sentence") else "",
        reasons=tuple(dict.fromkeys(verdict.texts("reasons"))) if verdict else (),
        text=text if texts else {},
        code=_strings(ours.object("code")) if ours.has("code") else {},
        derived=derived,
        niceness=_integer(settings, "nice") if settings.has("nice") else None,
        cpu_quota=settings.maybe_number("cpu_quota"),
        masking=masking,
        kernel_hypervisor=kernel_hypervisor,
    )


def _trimmed(brand: str | None) -> str | None:
    """A brand string as it is read; CPUID fills it up with blanks, and older files kept them."""
    return brand and (" ".join(brand.split()) or None)


def _untold(ours: _Object) -> bool:
    """Whether the run did not say what masks, or had no Capstone to find out."""
    return not ours.maybe("masking")


def _masking(
    ours: _Object,
    text: Mapping[str, Mapping[str, Text]],
    measured: Collection[str],
    says: str | None,
) -> Masking:
    """What masks: as the run found, else by its live text."""
    if _untold(ours):
        return masking_.find(text, measured, says, ours.flag("instruction_clock"))
    found = ours.object("masking")
    rows = found.object("rows")
    return Masking(
        _kind(found.maybe_text("kind") or "", found.where),
        found.text("reason"),
        {
            name: Row(
                _kind(row.text("kind"), row.where),
                _kind(row.text("unlock"), row.where) if row.has("unlock") else "",
            )
            for name in rows.members()
            for row in [rows.object(name)]
        },
    )


def _kind(kind: str, where: str) -> str:
    if kind in ("", masking_.NATIVE, masking_.UNKNOWN) or kind.startswith(masking_.PARAVIRTUAL):
        return kind
    raise FormatError(f"{where} has the unknown kind of masking {kind!r}")


def texts_of(ours: object) -> dict[str, dict[str, Text]]:
    """The texts of a context.irqcost. Raises FormatError."""
    item = _Object(ours, "result.context.irqcost")
    return _texts(item.object("text")) if item.has("text") else {}


def _without_calls(
    derived: Iterable[Derived], masking: Masking
) -> tuple[tuple[Derived, ...], tuple[Absent, ...]]:
    """Derived figures that hold; and, as absent, those of rows that mask by calls, which versions
    before 0.3 derived as if there were none."""
    kept, lost = [], []
    for one in derived:
        if masking.calls_to_mask(one.name):
            lost.append(Absent(one.name, masking_.CALLS_WITHIN))
        else:
            kept.append(one)
    return tuple(kept), tuple(lost)


def _strings(item: _Object) -> dict[str, str]:
    return {key: item.text(key) for key in item.members()}


def _texts(item: _Object) -> dict[str, dict[str, Text]]:
    return {
        name: {symbol: _text(functions.object(symbol)) for symbol in functions.members()}
        for name in item.members()
        for functions in [item.object(name)]
    }


def _text(item: _Object) -> Text:
    try:
        code = bytes.fromhex(item.text("bytes"))
        named = _strings(item.object("targets")) if item.has("targets") else {}
        targets = {int(offset): symbol for offset, symbol in named.items()}
    except ValueError as error:
        raise FormatError(f"{item.where}: bytes or offsets are not numbers") from error
    code_hash = item.text("code_sha256") if item.has("code_sha256") else ""
    return Text(code, item.text("sha256"), code_hash, targets)


def _derived(item: _Object) -> Derived:
    low, high = item.number("low"), item.number("high")
    cycles = item.number("core_cycles")
    if not low <= cycles <= high:
        raise FormatError(f"{item.where}.core_cycles is not from low to high")
    return Derived(item.text("name"), cycles, low, high, item.text("formula"))


def _interval(item: _Object, key: str) -> tuple[float, float] | None:
    low, high = item.maybe_number(f"{key}_low"), item.maybe_number(f"{key}_high")
    if low is None or high is None:
        return None
    if not low <= item.number(key) <= high:
        raise FormatError(f"{item.where}.{key} is not from {key}_low to {key}_high")
    return low, high


def _spread(item: _Object) -> float:
    spread = item.number("spread")
    if spread < 0:
        raise FormatError(f"{item.where}.spread is below 0")
    return spread


def _backend(name: str, item: _Object) -> Backend:
    usable = item.flag("usable")
    execution = item.object("execution") if item.has("execution") else None
    if execution and execution.text("kind") not in EXECUTIONS:
        raise FormatError(f"{execution.where}.kind is none of {', '.join(EXECUTIONS)}")
    return Backend(
        name,
        usable,
        "" if usable else item.text("reason"),
        "" if usable else item.text("remedy"),
        _clock(item.object("clock")) if item.has("clock") else "",
        execution.text("kind") if execution else "",
        execution.text("reason") if execution else "",
    )


def _clock(item: _Object) -> str:
    source = item.maybe_text("source")
    made = f" (clock source {source})" if source else ""
    return f"{item.text('name')}{made}, in steps of {item.number('step_ns'):g} ns"


def _entry(item: _Object) -> Entry:
    run_name = item.text("run_name")
    backend, probe, mode, variant = _name_parts(run_name)
    if item.text("time_unit") != "ns":
        raise FormatError(f"benchmark {run_name!r} has another time_unit than ns")
    kind = item.text("run_type")
    if kind not in ("iteration", "aggregate"):
        raise FormatError(f"benchmark {run_name!r} has the unknown run_type {kind!r}")
    return Entry(
        backend=backend,
        probe=probe,
        mode=mode,
        variant=variant,
        aggregate=item.text("aggregate_name") if kind == "aggregate" else "",
        ns=item.number("real_time"),
        ticks=item.number("ticks"),
        core_cycles=item.maybe_number("core_cycles"),
        ticks_min=item.number("ticks_min"),
        ticks_p50=item.number("ticks_p50"),
        ticks_p99=item.number("ticks_p99"),
        spread=_spread(item),
        samples=item.number("samples"),
        free=item.number("free"),
        label=item.text("label") if item.has("label") else "",
        ticks_interval=_interval(item, "ticks"),
        cycles_interval=_interval(item, "core_cycles"),
        verdict=item.text("verdict") if item.has("verdict") else "",
        reasons=item.texts("reasons") if item.has("reasons") else (),
        estimator=round(item.maybe_number("estimator") or 1),
        raw_histogram=item.raw("histogram"),
        waits=_waits(mode, item) if kind == "iteration" else None,
    )


@lru_cache(maxsize=4096)  # Thousands of files have the same few hundred names.
def _name_parts(run_name: str) -> tuple[str, str, str, str]:
    """Backend, probe, mode and variant ("" for none)."""
    parts = run_name.split("/")
    most = 5 if CONTENTION in parts[2:3] else 4
    if not 3 <= len(parts) <= most or not all(parts):
        raise FormatError(f"benchmark {run_name!r} is not named backend/probe/mode[/variant]")
    return parts[0], parts[1], parts[2], "/".join(parts[3:])


def _grid(item: _Object) -> Grid:
    origin, width = item.number("origin"), item.number("width")
    counts = item.raw("counts")
    # Bins beyond this come from no sample that is a cost.
    sound = width > 0 and isinstance(counts, list) and len(counts) <= _MOST_BINS
    for pair in counts if sound else ():
        sound = sound and isinstance(pair, list) and len(pair) == 2
        sound = sound and all(type(n) is int and 0 <= n <= _GREATEST for n in pair)
    if not sound:
        raise FormatError(f"{item.where} is no histogram: see docs/RESULTS.md")
    return Grid(width, tuple((origin + place * width, count) for place, count in counts))


def _waits(mode: str, item: _Object) -> Contention | Pending | None:
    if mode == CONTENTION:
        return _contention(item.object(CONTENTION))
    return _pending(item.object(PENDING)) if mode == PENDING else None


def _contention(item: _Object) -> Contention:
    fairness = item.object("fairness")
    cpus, operations = item.numbers("cpus"), item.numbers("operations")
    if not cpus or len(cpus) != len(operations):
        raise FormatError(f"{item.where}.operations is not a number for each of cpus")
    return Contention(
        cpus=tuple(map(int, cpus)),
        section=int(item.number("section")),
        operations=operations,
        not_run=tuple(map(int, item.numbers("not_run"))),
        per_second=item.number("per_second"),
        jain=fairness.number("jain"),
        min_over_max=fairness.number("min_over_max"),
        sleeps=item.flag("sleeps"),
        wait=_percentiles(item.object("wait_ticks")),
        irqs_off=_percentiles(item.object("irqs_off_ticks"), ("p50", "p99", "max"))
        if item.maybe("irqs_off_ticks")
        else None,
    )


def _pending(item: _Object) -> Pending:
    work = item.object("work_ticks") if item.has("work_ticks") else None
    measured = [name for name in work.members() if work.maybe(name)] if work else []
    return Pending(
        requested_ns=item.number("requested_ns"),
        ticks=_percentiles(item.object("ticks")),
        late=item.number("late"),
        work={
            name: (work.object(name).number("quiet"), work.object(name).number("pending"))
            for name in measured
            if work
        },
    )


def _percentiles(item: _Object, names: tuple[str, ...] = PERCENTILES) -> dict[str, float]:
    values = [item.number(name) for name in names]
    if values != sorted(values):
        raise FormatError(f"{item.where} does not grow from {names[0]} to {names[-1]}")
    return dict(zip(names, values))
