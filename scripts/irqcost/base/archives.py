# SPDX-License-Identifier: GPL-2.0-only
"""Unpacking archives, by the same rules on every Python."""

import tarfile
from pathlib import Path


def unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """Unpacks an archive; nothing of it may lie, or point, outside the folder.

    That is so where Python knows how: not in Debian 12, whose Python is older than such filters.
    """
    if hasattr(tarfile, "data_filter"):
        setattr(archive, "extraction_filter", tarfile.data_filter)
    archive.extractall(folder)
