# SPDX-License-Identifier: GPL-2.0-only
"""Results of schema 1, which irqcost wrote before version 0.4, as schema 2 has them.

Only names and shapes differ; no number changes. What is not as schema 1 had it is left as it is:
parsing finds it, and names its place.
"""

import base64
import re
import sys
from collections.abc import Mapping
from typing import Any

_OLD_MODE = "latency"
_MODE = "isolated"

_CONTEXT_KEYS = {"floors": "baselines", "epochs": "processes"}
_BASELINE_KEYS = {"sensor_cycles_per_nop": "sensor_cycles", "remembered": "cached"}
_ENTRY_KEYS = {
    "free": "clean",
    "epochs": "processes",
    "epochs_disturbed": "processes_contaminated",
}
_SAMPLE_KEYS = {"free": "clean", "disturbed": "contaminated"}
# Names of figures are in these lists of objects.
_NAMED = ("derived", "agreement", "absent")


def current(document: Any) -> Any:
    """A document as it is, or as it would be in schema 2 where it is of schema 1."""
    context = document.get("context") if isinstance(document, dict) else None
    ours = context.get("irqcost") if isinstance(context, dict) else None
    if not isinstance(ours, dict) or ours.get("schema") != 1:
        return document
    return _upgraded(document)


def _upgraded(document: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(document)
    context = dict(result["context"])
    context.pop("host_name", None)
    context["irqcost"] = _context(context["irqcost"])
    result["context"] = context
    if isinstance(result.get("benchmarks"), list):
        result["benchmarks"] = [_entry(one) for one in result["benchmarks"]]
    return result


def current_name(name: str) -> str:
    """A figure's name with the mode called as it is now."""
    return name.replace(_OLD_MODE, _MODE)


def pattern(text: str) -> str:
    """The type of an option that is a pattern of figures' names; an old name is told, and works."""
    current = current_name(text)
    if current != text:
        print(
            f"irqcost: the mode {_OLD_MODE} is called {_MODE} now: reading {text} as {current}",
            file=sys.stderr,
        )
    return current


def _renamed(item: Any, keys: Mapping[str, str]) -> Any:
    if not isinstance(item, dict):
        return item
    return {keys.get(key, key): value for key, value in item.items()}


def _context(old: Mapping[str, Any]) -> dict[str, Any]:
    new = {_CONTEXT_KEYS.get(key, key): value for key, value in old.items()}
    new["schema"] = 2
    if "hypervisor" in new:  # Before 0.3 the key's only name.
        new.setdefault("cpuid_hypervisor", new["hypervisor"])
        del new["hypervisor"]
    if isinstance(new.get("baselines"), dict):
        new["baselines"] = {
            backend: _renamed(one, _BASELINE_KEYS) for backend, one in new["baselines"].items()
        }
    if isinstance(new.get("cycles"), dict):
        new["cycles"] = {
            backend: _renamed(one, _CONTEXT_KEYS) for backend, one in new["cycles"].items()
        }
    for key in _NAMED:
        if isinstance(new.get(key), list):
            new[key] = [_with_current_name(one) for one in new[key]]
    if isinstance(new.get("text"), dict):
        new["machine_code"] = machine_code(new.pop("text"))
    return new


def _with_current_name(item: Any) -> Any:
    if isinstance(item, dict) and isinstance(item.get("name"), str):
        return {**item, "name": current_name(item["name"])}
    return item


def machine_code(text: Mapping[str, Any]) -> dict[str, Any]:
    """`backend/probe` → symbol → function, as functions stored once."""
    functions: list[Any] = []
    places: dict[str, int] = {}
    probes: dict[str, list[int]] = {}
    for probe, of_it in text.items():
        for symbol, old in of_it.items() if isinstance(of_it, dict) else ():
            new = _function(symbol, old)
            place = places.setdefault(repr(new), len(functions))
            if place == len(functions):
                functions.append(new)
            probes.setdefault(probe, []).append(place)
    return {"functions": functions, "probes": probes}


def _function(symbol: str, old: Any) -> Any:
    if not isinstance(old, dict):
        return old
    try:
        code = base64.b64encode(bytes.fromhex(old["bytes"])).decode()
        targets: dict[str, list[int]] = {}
        for offset, name in old.get("targets", {}).items():
            targets.setdefault(name, []).append(int(offset))
    except (AttributeError, KeyError, TypeError, ValueError):
        return old
    new = {"symbol": symbol, "code": code, "targets": targets}
    if "code_sha256" in old:
        new["code_sha256"] = old["code_sha256"]
    return new


def _entry(old: Any) -> Any:
    if not isinstance(old, dict):
        return old
    new = _renamed(old, _ENTRY_KEYS)
    new.pop("windows", None)
    for key in ("name", "run_name"):
        if isinstance(new.get(key), str):
            new[key] = current_name(new[key])
    if isinstance(new.get("label"), str):
        new["label"] = re.sub(r"\bfree$", "clean", new["label"])
    if isinstance(new.get("histogram"), dict):
        new["histogram"] = {
            key: _grid(one) for key, one in _renamed(new["histogram"], _SAMPLE_KEYS).items()
        }
    if isinstance(new.get("distribution"), dict):
        new["distribution"] = _renamed(new["distribution"], _SAMPLE_KEYS)
    return new


def _grid(old: Any) -> Any:
    """[[bin, count], …] as [bin, count, …]."""
    if not isinstance(old, dict) or not isinstance(old.get("counts"), list):
        return old
    pairs = old["counts"]
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        return {**old, "counts": None}
    return {**old, "counts": [number for pair in pairs for number in pair]}
