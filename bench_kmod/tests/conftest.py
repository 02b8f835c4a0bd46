# SPDX-License-Identifier: GPL-2.0-only
"""Lets these tests share the guests of scripts/tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "tests"))
