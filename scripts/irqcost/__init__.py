# SPDX-License-Identifier: GPL-2.0-only
"""What masking interrupts costs: the package of the command `irqcost`."""

import os
from pathlib import Path

# The checkout, where irqcost builds and writes results; installed, a tree of what it reads, under
# the same paths (base/layout.py).
ROOT = Path(__file__).resolve().parent.parent.parent

# OpenBLAS begins threads as numpy is loaded, and the server of processes that loads it forks
# (base/executors.py): a process with threads must not.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
