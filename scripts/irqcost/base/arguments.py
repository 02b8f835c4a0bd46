# SPDX-License-Identifier: GPL-2.0-only
"""What options of several commands have in common."""

import argparse
from pathlib import Path


def named(text: str) -> Path:
    """The type of an option that names a file to be written, or the beginning of such names."""
    path = Path(text)
    if path.name in ("", ".."):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a file")
    return path


def add_scheduler(parser: argparse.ArgumentParser) -> None:
    """The option --scheduler, for executors.found()."""
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="have many files read by the Dask cluster of this scheduler (tcp://HOST:PORT), which "
        "sees files and checkout under the same paths (default: by the CPUs of this machine)",
    )
