# SPDX-License-Identifier: GPL-2.0-only
"""The machine at hand: facts about it, what of them hurts, and how to change that."""
