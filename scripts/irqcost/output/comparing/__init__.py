# SPDX-License-Identifier: GPL-2.0-only
"""A comparison for people: in words, as a table, and for a mail."""
