# SPDX-License-Identifier: GPL-2.0-only
"""Write down which instructions each row of ring 0 executes on Debian's kernels.

usage: PYTHONPATH=scripts:scripts/tests python3 scripts/evidence/executed.py [KERNEL...]

Boots each kernel under QEMU, runs every row while QEMU traces each instruction, and writes
results/emulated/executed/RELEASE.json. Of a kernel that the tests do not boot it keeps only the
rows that none of those has. docs/PROBES.md is made from these files; a test compares them with a
trace of its own.
"""

import sys

from irqcost.base import jsontext
from irqcost.model import catalogue
from irqcost.model.machine_code import executed
from irqcost.model.machine_code.executed import Recording
from irqcost.vm.kernels import TESTED
from vm_guests import kernel, traced
from vm_trace import code_of


def main(names: list[str]) -> None:
    tested = {kernel(name).release for name in TESTED}
    for name in names or TESTED:
        release = kernel(name).release
        path = executed.FOLDER / f"{release}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = code_of(traced(name))
        if name not in TESTED:
            known = {key for one in executed.read() if one.release in tested for key in one.rows}
            rows = {key: row for key, row in rows.items() if key not in known}
        recording = Recording(release, rows)
        document = executed.dump(recording, catalogue.by_key())
        path.write_text(jsontext.dumps(document), encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main(sys.argv[1:])
