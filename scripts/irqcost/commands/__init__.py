# SPDX-License-Identifier: GPL-2.0-only
"""The command line: a module for each command, its parser and what it calls."""
