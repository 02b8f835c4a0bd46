# SPDX-License-Identifier: GPL-2.0-only
"""What tells this machine from others without naming it."""

import hashlib
import hmac
import re
from pathlib import Path

from irqcost.base.errors import IrqcostError

# machine-id(5): it is not to be given away, but what a keyed hash makes of it may be.
_FILE = Path("/etc/machine-id")
_APPLICATION = b"irqcost: the machine of a record"


def machine(file: Path = _FILE) -> str:
    """A name that is this installation's own and stays the same; nobody can make the machine's id
    of it. Raises IrqcostError."""
    try:
        text = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        text = ""
    if not re.fullmatch("[0-9a-f]{32}", text):
        raise IrqcostError(f"{file} has no machine id to make a name of: give one with --name")
    return hmac.new(bytes.fromhex(text), _APPLICATION, hashlib.sha256).hexdigest()[:16]
