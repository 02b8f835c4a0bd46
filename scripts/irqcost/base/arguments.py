# SPDX-License-Identifier: GPL-2.0-only
"""Types of options on the command line."""

import argparse
from pathlib import Path


def named(text: str) -> Path:
    """The type of an option that names a file to be written, or the beginning of such names."""
    path = Path(text)
    if path.name in ("", ".."):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a file")
    return path
