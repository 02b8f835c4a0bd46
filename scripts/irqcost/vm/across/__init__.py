# SPDX-License-Identifier: GPL-2.0-only
"""Architectures beside each other: counting on those that have no harness, and the page."""
