# SPDX-License-Identifier: GPL-2.0-only
"""Commands that compare builds."""
