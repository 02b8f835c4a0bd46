# SPDX-License-Identifier: GPL-2.0-only
"""Commands for the records of many machines."""
