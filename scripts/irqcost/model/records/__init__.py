# SPDX-License-Identifier: GPL-2.0-only
"""Slim records: what many machines push, and what is read of them all."""
