# SPDX-License-Identifier: GPL-2.0-only
"""What the file of a result is called, and the folder of a CPU."""

import re
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from irqcost.base import layout
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
    (name,) = distinct([f"{time}-{kernel_release}.json"])
    return layout.results() / cpu_slug(cpu) / name


def distinct(names: Sequence[str]) -> list[str]:
    """Names for files of one folder, made of texts that others wrote: all different, and none that
    a shell, a browser or a file system takes for more than a name."""
    taken: set[str] = set()
    found = []
    for name in names:
        parts = [re.sub(r"[^A-Za-z0-9._+-]+", "-", one).strip(".-") for one in name.rsplit(".", 1)]
        stem, suffix = parts[0][:80] or "unnamed", "".join(f".{one[:8]}" for one in parts[1:])
        plain, count = f"{stem}{suffix}", 1
        # Where file systems do not tell case, names that differ by it are one.
        while plain.lower() in taken:
            count += 1
            plain = f"{stem}-{count}{suffix}"
        taken.add(plain.lower())
        found.append(plain)
    return found
