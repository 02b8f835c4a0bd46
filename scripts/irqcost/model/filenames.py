# SPDX-License-Identifier: GPL-2.0-only
"""What the file of a result is called, and the folder of a CPU."""

import re
from datetime import datetime, timezone
from pathlib import Path

from irqcost import ROOT
from irqcost.model.result import Cpu


def cpu_signature(cpu: Cpu) -> str:
    """Family-model-stepping in hex, as Intel and Linux name microcode files (06-cf-02)."""
    return "-".join(f"{n:02x}" for n in (cpu.family, cpu.model, cpu.stepping) if n is not None)


def cpu_slug(cpu: Cpu) -> str:
    """The folder name of a CPU: its brand without marketing, and its signature.

    The brand alone does not tell CPUs apart (cloud machines report `Intel(R) Xeon(R) Processor`).
    """
    brand = re.sub(r"\((R|TM|C)\)|\b(CPU|Processor)\b|@.*", " ", cpu.brand or "", flags=re.I)
    words = re.findall(r"[a-z0-9]+", (brand if brand.strip() else cpu.vendor or "unknown").lower())
    return "-".join([*words, *filter(None, [cpu_signature(cpu)])])


def default_path(cpu: Cpu, kernel_release: str, now: datetime) -> Path:
    """Where a result of this CPU and kernel goes when nothing else is asked for."""
    time = now.astimezone(timezone.utc).strftime("%Y-%m-%dT%H%M%SZ")
    return ROOT / "results" / cpu_slug(cpu) / f"{time}-{kernel_release}.json"
