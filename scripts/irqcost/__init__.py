# SPDX-License-Identifier: GPL-2.0-only
"""What masking interrupts costs: the package behind the command `irqcost`."""

from pathlib import Path

# The checkout: irqcost runs from its source tree, where it builds, caches and writes results.
ROOT = Path(__file__).resolve().parent.parent.parent
