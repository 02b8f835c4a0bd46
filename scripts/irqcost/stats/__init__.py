# SPDX-License-Identifier: GPL-2.0-only
"""Statistics of plain numbers, without any notion of a result."""
