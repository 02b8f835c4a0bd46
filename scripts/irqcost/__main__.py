# SPDX-License-Identifier: GPL-2.0-only
"""Entry of `python3 -m irqcost`."""

import os
import sys

# It was for this interpreter: a script that is started from here may need its own folder.
os.environ.pop("PYTHONSAFEPATH", None)

from irqcost.cli import main  # noqa: E402

if __name__ == "__main__":  # Processes that work for this one load it as well.
    sys.exit(main())
