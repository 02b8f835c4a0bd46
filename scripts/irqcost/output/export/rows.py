# SPDX-License-Identifier: GPL-2.0-only
"""The table of an export: a row for each figure, with the context of its result in columns."""

from collections.abc import Iterator, Mapping

from irqcost.model.members import FormatError
from irqcost.model.records import slim
from irqcost.model.records.slim import Slim
from irqcost.model.result import Context

Value = str | float | int | bool | None

# Columns with their types, in order. docs/FLEET.md says what each means.
COLUMNS: Mapping[str, type] = {
    "record": str,
    "machine": str,
    "date": str,
    "run_verdict": str,
    "version": str,
    "catalogue_hash": str,
    "execution": str,
    "instruction_clock": bool,
    "hypervisor": str,
    "vendor": str,
    "brand": str,
    "codename": str,
    "family": int,
    "model": int,
    "stepping": int,
    "core_type": str,
    "microcode": str,
    "kernel": str,
    "realtime": bool,
    "preemption": str,
    "masking": str,
    "governor": str,
    "boost": str,
    "smt": str,
    "mitigations": str,
    "backend": str,
    "probe": str,
    "mode": str,
    "unit": str,
    "value": float,
    "low": float,
    "high": float,
    "verdict": str,
    "estimator": int,
}


def context(record: Slim) -> dict[str, Value]:
    """What all figures of a record have in common."""
    ours = record.context
    return {
        "record": record.digest,
        "machine": record.machine or None,
        "date": _date(record.date),
        "run_verdict": record.verdict or None,
        **facts(ours),
    }


def facts(ours: Context) -> dict[str, Value]:
    """The columns of a context."""
    cpu, kernel = ours.cpu, ours.kernel
    return {
        "version": ours.version,
        "catalogue_hash": ours.catalogue_hash,
        "execution": ours.execution,
        "instruction_clock": ours.instruction_clock,
        "hypervisor": ours.kernel_hypervisor or ours.hypervisor,
        "vendor": cpu.vendor,
        "brand": cpu.brand,
        "codename": cpu.codename,
        "family": cpu.family,
        "model": cpu.model,
        "stepping": cpu.stepping,
        "core_type": cpu.core_type,
        "microcode": cpu.microcode,
        "kernel": kernel.release,
        "realtime": kernel.realtime,
        "preemption": kernel.preemption,
        "masking": ours.masking.kind or None,
        "governor": ours.governor,
        "boost": ours.boost,
        "smt": ours.smt,
        "mitigations": ours.mitigations.get("sha256"),
    }


def _date(date: str) -> str | None:
    """In UTC, so that texts sort as times do; None where a result has no such date."""
    try:
        return slim.when(date).strftime("%Y-%m-%dT%H:%M:%SZ")
    except FormatError:
        return None


def rows(record: Slim) -> Iterator[dict[str, Value]]:
    """The rows of a record."""
    common = context(record)
    for name, figure in record.figures.items():
        backend, probe, mode = name.split("/", 2)
        yield {
            **common,
            "backend": backend,
            "probe": probe,
            "mode": mode,
            "unit": figure.unit,
            "value": figure.value,
            "low": figure.low,
            "high": figure.high,
            "verdict": figure.verdict or None,
            "estimator": figure.estimator,
        }
