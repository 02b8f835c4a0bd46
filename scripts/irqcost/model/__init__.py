# SPDX-License-Identifier: GPL-2.0-only
"""What a result is: reading it, naming its parts, and the catalogue of what can be measured."""
