# SPDX-License-Identifier: GPL-2.0-only
"""What a target wants to know who pushes: in a file of the owner's, never in options, records or
messages.

Of HTTP the file has headers, a line each (`Authorization: Bearer …`); of rsync's daemon its
password.
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from irqcost.base.errors import IrqcostError
from irqcost.base.safety.texts import plain

# As systemd hands a service what LoadCredential= names (systemd.exec(5)).
_DIRECTORY, NAME = "CREDENTIALS_DIRECTORY", "irqcost-push"
_MOST_BYTES = 16 << 10
_HEADER = re.compile(r"([A-Za-z0-9-]{1,100}): ?([\x20-\x7e]+)")


@dataclass(frozen=True)
class Credentials:
    """A file with credentials, or none."""

    path: Path | None = None

    def headers(self) -> dict[str, str]:
        """The headers in the file. Raises IrqcostError, which does not show them."""
        if self.path is None:
            return {}
        found = {}
        text = self.path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            match = _HEADER.fullmatch(line.strip())
            if not match:
                raise IrqcostError(
                    f"{plain(self.path)}: line {number} is not a header, such as "
                    "`Authorization: Bearer …`"
                )
            found[match[1]] = match[2]
        return found


def of(path: Path | None) -> Credentials:
    """The file that was named, else the one that systemd gave this service, else none. Raises
    IrqcostError where others may read it."""
    if path is None:
        given = os.environ.get(_DIRECTORY)
        own = Path(given, NAME) if given else None
        # A service without any is given a blank one.
        if own is None or not own.is_file() or not own.read_bytes().strip():
            return Credentials()
        return Credentials(own)
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
        raise IrqcostError(f"{plain(path)}: not a file of credentials")
    if status.st_mode & 0o077:
        raise IrqcostError(f"{plain(path)}: others may read it: chmod 600 it")
    return Credentials(path)
