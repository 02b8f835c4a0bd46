# SPDX-License-Identifier: GPL-2.0-only
"""From the JSON of a result file to a Result.

Parsing happens here and once: whoever holds a Result need not check it again. Unknown keys are
ignored, for the file is Google Benchmark's and other tools add theirs; a key that is documented and
missing, or of another type, is an error that names its place in the file.
"""

from collections.abc import Collection, Iterable
from dataclasses import fields, replace
from functools import lru_cache
from operator import itemgetter
from typing import Any

from irqcost.base.verdicts import Trust
from irqcost.model import contention
from irqcost.model.machine_code import masking as masking_, recorded
from irqcost.model.machine_code.masking import Masking
from irqcost.model.members import (
    MOST_LETTERS_OF_A_NAME,
    FormatError,
    Object,
    ours_of,
    plain_numbers,
)
from irqcost.model.result import (
    EXECUTIONS,
    Absent,
    Backend,
    Context,
    Cpu,
    Derived,
    Entry,
    Kernel,
    Result,
)

# History: 1, until version 0.3 (schema1.py); 2, names by the field's words, machine code once.
SCHEMA = 2


# What else stands among results, by the key with its format's number; and what its files are called
# where a result is asked for.
_RECORDS = ("selftest", "ab", "executed", "counts")
OTHER_RECORD = "not a result, but a record of irqcost: "


def parse(document: object, with_code: bool = True) -> Result:
    """The result that a JSON document of this schema holds, with the machine code or without.
    Raises FormatError."""
    if not isinstance(document, dict) or "context" not in document:
        for kind in _RECORDS:
            if isinstance(document, dict) and isinstance(document.get(kind), int):
                raise FormatError(OTHER_RECORD + kind)
        raise FormatError("not a result: no `context` (Google Benchmark's JSON has one)")
    root = Object(document, "result")
    context = root.object("context")
    if not context.has("irqcost"):
        raise FormatError("a Google Benchmark file of another program: no `context.irqcost`")
    ours = context.object("irqcost")
    schema = ours.number("schema")
    if schema != SCHEMA:
        raise FormatError(f"schema {schema:g}, but this irqcost reads schema {SCHEMA}")
    items = root.objects("benchmarks")
    if len({item.text("name") for item in items}) < len(items):
        _refuse_twins(items)
    entries = []
    failed = []
    for item in items:
        # Google Benchmark keeps an entry for what ended with an error; it has no figures.
        if item.has("error_occurred") and item.flag("error_occurred"):
            failed.append(Absent(item.text("name"), item.text("error_message")))
        else:
            entries.append(_usual_entry(item) or _any_entry(item))
    measured = {entry.backend for entry in entries}
    return Result(_context(context.text("date"), ours, failed, with_code, measured), tuple(entries))


def _refuse_twins(items: Iterable[Object]) -> None:
    """Raises FormatError where two entries are of one run."""
    seen = set()
    for item in items:
        key = item.run()
        if key in seen:
            raise FormatError(f"benchmark {key[0]!r} stands twice: which is meant is not told")
        seen.add(key)


def processes(document: Any) -> dict[str, tuple[float, ...]]:
    """What the processes that count found, by figure, of a document that parse() takes: in core
    cycles where the figure has them, else in ticks. Figures of the harness alone have none. Raises
    FormatError."""
    found = {}
    for item in Object(document, "result").objects("benchmarks"):
        if item.has("processes"):
            found[item.text("run_name")] = item.numbers("processes")
    return found


def with_run(context: Context, ours: object) -> Context:
    """A context with what `tsc`, `backends` and `absent` of a context.irqcost say, of which no two
    runs have the same. Raises FormatError."""
    return replace(context, **_of_run(ours_of(ours)))


def _of_run(ours: Object) -> dict[str, Any]:
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


def _absent(item: Object) -> Absent:
    return Absent(item.text("name"), item.text("reason"))


def _integer(item: Object, key: str) -> int | None:
    value = item.maybe_number(key)
    return None if value is None else int(value)


def _context(
    date: str, ours: Object, failed: list[Absent], with_code: bool, measured: Collection[str]
) -> Context:
    execution = ours.object("execution")
    kind = execution.text("kind")
    if kind not in EXECUTIONS:
        raise FormatError(f"context.irqcost.execution.kind is none of {', '.join(EXECUTIONS)}")
    settings = ours.object("settings")
    mitigations = settings.object("mitigations")
    of_run = _of_run(ours)
    of_run["absent"] += tuple(failed)
    verdict = ours.object("verdict") if ours.has("verdict") else None
    code = recorded.functions(ours) if with_code or recorded.untold(ours) else {}
    says = ours.object("kernel_hypervisor") if ours.maybe("kernel_hypervisor") else None
    kernel_hypervisor = says.maybe_text("name") if says else None
    masking = recorded.what_masks(ours, code, measured, kernel_hypervisor)
    derived, lost = _without_calls(
        map(_derived, ours.objects("derived")) if ours.has("derived") else (), masking
    )
    of_run["absent"] += lost
    module = recorded.module(ours)
    return Context(
        date=date,
        version=ours.text("version"),
        catalogue_hash=ours.text("catalogue_hash"),
        command=ours.texts("command"),
        execution=kind,
        execution_reason=execution.text("reason"),
        instruction_clock=ours.flag("instruction_clock"),
        cpu=_cpu(ours.object("cpu")),
        kernel=_kernel(ours.object("kernel")),
        hypervisor=ours.maybe_text("cpuid_hypervisor"),
        governor=settings.maybe_text("governor"),
        boost=settings.maybe_text("boost"),
        smt=settings.maybe_text("smt"),
        mitigations={name: mitigations.text(name) for name in mitigations.members()},
        **of_run,
        processes=int(ours.object("processes").number("count")) if ours.has("processes") else 0,
        verdict=verdict.text("verdict") if verdict else "",
        sentence=verdict.text("sentence") if verdict and verdict.has("sentence") else "",
        reasons=tuple(dict.fromkeys(verdict.texts("reasons"))) if verdict else (),
        machine_code=code if with_code else {},
        code=_strings(ours.object("code")) if ours.has("code") else {},
        derived=derived,
        niceness=_integer(settings, "nice") if settings.has("nice") else None,
        cpu_quota=settings.maybe_number("cpu_quota"),
        masking=masking,
        kernel_hypervisor=kernel_hypervisor,
        architecture=recorded.architecture(ours),
        module_compiler=module.text("compiler") if module and module.has("compiler") else None,
    )


def _cpu(cpu: Object) -> Cpu:
    return Cpu(
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
    )


def _kernel(kernel: Object) -> Kernel:
    preemption = kernel.object("preemption") if kernel.has("preemption") else None
    return Kernel(
        release=kernel.text("release"),
        version=kernel.maybe_text("version"),
        command_line=kernel.maybe_text("command_line"),
        realtime=kernel.flag("realtime"),
        config=kernel.maybe_texts("config"),
        preemption=preemption.maybe_text("mode") if preemption else None,
        tracepoints=kernel.maybe_text("tracepoints") if kernel.has("tracepoints") else None,
    )


def _trimmed(brand: str | None) -> str | None:
    """A brand string as it is read; CPUID fills it up with blanks, and older files kept them."""
    return brand and (" ".join(brand.split()) or None)


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


def _strings(item: Object) -> dict[str, str]:
    return {key: item.text(key) for key in item.members()}


def _derived(item: Object) -> Derived:
    low, high = item.number("low"), item.number("high")
    cycles = item.number("core_cycles")
    if not low <= cycles <= high:
        raise FormatError(f"{item.where}.core_cycles is not from low to high")
    return Derived(item.text("name"), cycles, low, high, item.text("formula"))


_TICKS = ("ticks_low", "ticks", "ticks_high")
_CYCLES = ("core_cycles_low", "core_cycles", "core_cycles_high")


def _interval(item: Object, keys: tuple[str, str, str]) -> tuple[float, float] | None:
    if not item.maybe(keys[0]) or not item.maybe(keys[2]):
        return None
    low, value, high = item.each_number(keys)
    if not low <= value <= high:
        raise FormatError(f"{item.where}.{keys[1]} is not from {keys[0]} to {keys[2]}")
    return low, high


def _backend(name: str, item: Object) -> Backend:
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


def _clock(item: Object) -> str:
    source = item.maybe_text("source")
    made = f" (clock source {source})" if source else ""
    return f"{item.text('name')}{made}, in steps of {item.number('step_ns'):g} ns"


_NUMBERS = (
    "real_time",
    "ticks",
    "ticks_min",
    "ticks_p50",
    "ticks_p99",
    "spread",
    "samples",
    "clean",
)

# What most entries have, and have there.
_USUAL_KEYS = ("run_name", "run_type", "time_unit", "label", "verdict", "reasons")
_usual_of = itemgetter(*_USUAL_KEYS, *_NUMBERS, *_TICKS, *_CYCLES)
_USUAL = ("iteration", "ns")
_GOOD = Trust.GOOD.value
_FIELDS = tuple(field.name for field in fields(Entry))


def _usual_entry(item: Object) -> Entry | None:
    """An entry as _any_entry() reads it, in a third of the time; None of less usual ones."""
    found = item.taken(_usual_of)
    if found is None or found[1:3] != _USUAL or type(found[0]) is not str:
        return None
    if len(found[0]) > MOST_LETTERS_OF_A_NAME:  # Before it is remembered.
        return None
    parts = _parts_if_sound(found[0])
    numbers = plain_numbers(found[6:])
    if parts is None or numbers is None or parts[2] in contention.MODES:
        return None
    ns, ticks, least, p50, p99, spread, samples, clean, *intervals = numbers
    low, _, high, cycles_low, cycles, cycles_high = intervals
    if spread < 0 or not low <= ticks <= high or not cycles_low <= cycles <= cycles_high:
        return None
    good = found[3:6] == (_GOOD, _GOOD, [])
    values = (
        *(*parts, "", ns, ticks, cycles, least, p50, p99, spread, samples, clean),
        _GOOD if good else item.text("label"),
        *((low, high), (cycles_low, cycles_high)),
        _GOOD if good else item.text("verdict"),
        () if good else item.texts("reasons"),
        round(item.maybe_number("estimator") or 1),
        item.raw("histogram"),
    )
    # Entry() sets each field by a call, for it is frozen.
    entry = object.__new__(Entry)
    vars(entry).update(zip(_FIELDS, values))
    return entry


def _any_entry(item: Object) -> Entry:
    run_name = item.name("run_name")
    backend, probe, mode, variant = _name_parts(run_name)
    if item.text("time_unit") != "ns":
        raise FormatError(f"benchmark {run_name!r} has another time_unit than ns")
    kind = item.text("run_type")
    if kind not in ("iteration", "aggregate"):
        raise FormatError(f"benchmark {run_name!r} has the unknown run_type {kind!r}")
    ns, ticks, least, p50, p99, spread, samples, clean = item.each_number(_NUMBERS)
    if spread < 0:
        raise FormatError(f"{item.where}.spread is below 0")
    return Entry(
        backend=backend,
        probe=probe,
        mode=mode,
        variant=variant,
        aggregate=item.text("aggregate_name") if kind == "aggregate" else "",
        ns=ns,
        ticks=ticks,
        core_cycles=item.maybe_number("core_cycles"),
        ticks_min=least,
        ticks_p50=p50,
        ticks_p99=p99,
        spread=spread,
        samples=samples,
        clean=clean,
        label=item.text("label") if item.has("label") else "",
        ticks_interval=_interval(item, _TICKS),
        cycles_interval=_interval(item, _CYCLES),
        verdict=item.text("verdict") if item.has("verdict") else "",
        reasons=item.texts("reasons") if item.has("reasons") else (),
        estimator=round(item.maybe_number("estimator") or 1),
        raw_histogram=item.raw("histogram"),
        contention=contention.parsed(mode, item) if kind == "iteration" else None,
    )


@lru_cache(maxsize=4096)  # Thousands of files have the same few hundred names.
def _name_parts(run_name: str) -> tuple[str, str, str, str]:
    """Backend, probe, mode and variant ("" for none)."""
    parts = run_name.split("/")
    most = 5 if contention.CONTENTION in parts[2:3] else 4
    if not 3 <= len(parts) <= most or not all(parts):
        raise FormatError(f"benchmark {run_name!r} is not named backend/probe/mode[/variant]")
    return parts[0], parts[1], parts[2], "/".join(parts[3:])


@lru_cache(maxsize=4096)
def _parts_if_sound(run_name: str) -> tuple[str, str, str, str] | None:
    """_name_parts() of a name; None where Object.name() or _name_parts() refuses it."""
    try:
        return _name_parts(Object({"name": run_name}, "").name("name"))
    except FormatError:
        return None
