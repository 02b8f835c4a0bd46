# SPDX-License-Identifier: GPL-2.0-only
"""Many machines: which groups of them became slower."""
