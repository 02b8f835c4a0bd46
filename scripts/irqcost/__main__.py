# SPDX-License-Identifier: GPL-2.0-only
"""Entry of `python3 -m irqcost`."""

import sys

from irqcost.cli import main

sys.exit(main())
