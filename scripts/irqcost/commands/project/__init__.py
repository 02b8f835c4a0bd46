# SPDX-License-Identifier: GPL-2.0-only
"""Commands for work on irqcost itself."""
