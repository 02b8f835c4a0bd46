# SPDX-License-Identifier: GPL-2.0-only
"""Measuring: processes of the harness, and the result and verdict that they come to."""
