# SPDX-License-Identifier: GPL-2.0-only
"""Entry of `python3 -m irqcost`."""

import os
import sys

if sys.version_info < (3, 11):  # Older ones can read this file, and no other one of the package.
    sys.stderr.write(
        "irqcost: needs Python 3.11 or newer; %s is %d.%d\n"
        % (sys.executable, sys.version_info[0], sys.version_info[1])
    )
    sys.exit(2)

# It was for this interpreter: a script that is started from here may need its own folder.
os.environ.pop("PYTHONSAFEPATH", None)

if __name__ == "__main__":  # Processes that work for this one load this file as well.
    from irqcost.base.safety import interrupts

    interrupts.end_at_once()
    from irqcost.cli import main

    sys.exit(interrupts.guarded(main))
