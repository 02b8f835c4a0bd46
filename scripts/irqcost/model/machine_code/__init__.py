# SPDX-License-Identifier: GPL-2.0-only
"""Machine code in results: what of it masks, and whether two are the same."""
