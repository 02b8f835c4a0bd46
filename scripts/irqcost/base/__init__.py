# SPDX-License-Identifier: GPL-2.0-only
"""What everything else builds on: errors, files, processes of the system, tables of text."""
