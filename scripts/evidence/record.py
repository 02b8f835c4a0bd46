# SPDX-License-Identifier: GPL-2.0-only
"""Records samples for rule.py under four load conditions.

Fresh processes of irqcost-record (recorder/record.cc, built here) take turns over the conditions of
coverage.py. Each condition becomes a file of recording.py. Usage, in the checkout:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/record.py --out FOLDER
"""

import argparse
import subprocess
import sys
from pathlib import Path

import recording
from coverage import busy, conditions

from irqcost.measure import build


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--processes", type=int, default=12, help="in each condition (default: 12)")
    parser.add_argument("--rounds", type=int, default=100, help="samples of a row (default: 100)")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the recordings")
    args = parser.parse_args()
    folder = build.harness().parent
    subprocess.run(
        ["cmake", "--build", folder.parent, "--target", "irqcost_record"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    found = conditions()
    # All on one CPU, the one that a process prefers, so that the conditions differ by their loops.
    (cpu,) = found["busy same core"]
    names: list[str] = []
    lines: dict[str, list[str]] = {condition: [] for condition in found}
    for process in range(args.processes):
        for condition, loops in found.items():
            with busy(loops):
                done = subprocess.run(
                    [folder / "irqcost-record", str(cpu), str(args.rounds)],
                    capture_output=True,
                    text=True,
                )
            # Beside a neighbour a process may not be able to tell its clock.
            if done.returncode:
                print(f"{condition}, no samples: {done.stderr.strip()}", file=sys.stderr)
                continue
            for line in done.stdout.splitlines():
                if not line.startswith("#"):
                    lines[condition].append(f"{process} {line}")
                elif not any(lines.values()):
                    names.append(line.split()[2])
        print(f"process {process + 1} of {args.processes}", file=sys.stderr, flush=True)
    if not all(lines.values()):
        sys.exit("record.py: a condition has no samples; nothing was written")
    args.out.mkdir(parents=True, exist_ok=True)
    for condition, samples in lines.items():
        recording.write(args.out / f"{condition.replace(' ', '-')}.xz", names, samples)


if __name__ == "__main__":
    main()
