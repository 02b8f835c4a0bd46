# SPDX-License-Identifier: GPL-2.0-only
"""Results beside each other: side by side, against a baseline, over time."""
