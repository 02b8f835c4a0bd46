# SPDX-License-Identifier: GPL-2.0-only
"""What charts are made of: the sheet with its texts, rows of marks, and the results to be shown."""
