# SPDX-License-Identifier: GPL-2.0-only
"""Records on their way to where their owner collects them."""
