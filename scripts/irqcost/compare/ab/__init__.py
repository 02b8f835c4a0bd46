# SPDX-License-Identifier: GPL-2.0-only
"""Two builds of irqcost beside each other."""
