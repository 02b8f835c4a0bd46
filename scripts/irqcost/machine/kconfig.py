# SPDX-License-Identifier: GPL-2.0-only
"""How the running kernel was built, as far as masking depends on it: the facts that the module
tells (enum irqcost_config), from the kernel's configuration where no module is loaded."""

import gzip
import re
import zlib
from pathlib import Path

from irqcost import ROOT

_ABI = ROOT / "bench_kmod" / "include" / "irqcost" / "abi.h"

# Facts whose option has another name, or had one before 6.9 (bench_kmod/info.c).
_OPTIONS = {
    "PREEMPT": ("PREEMPTION",),
    "RETPOLINE": ("MITIGATION_RETPOLINE", "RETPOLINE"),
    "RETHUNK": ("MITIGATION_RETHUNK", "RETHUNK"),
}


def facts() -> list[str]:
    """Their names, in the module's order."""
    return re.findall(r"^\s*IRQCOST_CONFIG_(\w+) = 1 <<", _ABI.read_text(encoding="utf-8"), re.M)


def read(release: str, root: Path = Path("/")) -> list[str] | None:
    """Those that hold; None where the configuration cannot be read."""
    text = _configuration(release, root)
    if text is None:
        return None
    options = set(re.findall(r"^CONFIG_(\w+)=[ym]$", text, re.M))
    return [fact for fact in facts() if options & set(_OPTIONS.get(fact, (fact,)))]


def _configuration(release: str, root: Path) -> str | None:
    """The text of the running kernel's configuration, from where kernels and distributions keep
    it."""
    try:
        return gzip.decompress((root / "proc/config.gz").read_bytes()).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError):
        pass
    for name in (f"boot/config-{release}", f"lib/modules/{release}/config"):
        try:
            return (root / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
    return None
