# SPDX-License-Identifier: GPL-2.0-only
"""How long `irqcost check --fleet` takes over records of fleet_records.py, and how much memory,
with a Dask cluster on this machine: the table of docs/FLEET.md.

Memory is the most that the command, and the cluster (scheduler and workers), had at a time, as
scale.py has it. CPU seconds say more than how long it took where the machine has other work. Usage,
in the checkout:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/fleet_scale.py --workers 2 FOLDER
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import scale
from irqcost import ROOT

_CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(
        n_workers=int(sys.argv[1]), threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        input()
"""


@contextmanager
def cluster(workers: int) -> Iterator[tuple[str, int]]:
    """The address of a scheduler with so many workers, and the session of its processes."""
    with tempfile.TemporaryDirectory(prefix="irqcost-") as folder:
        script = Path(folder, "cluster.py")
        script.write_text(_CLUSTER, "utf-8")
        process = subprocess.Popen(
            [sys.executable, script, str(workers)],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdin is not None and process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process.pid
        finally:
            process.communicate("\n")


def cpu_seconds(session: int) -> float:
    """Of the processes of a session that are there."""
    ticks = 0
    for pid in scale._family(session):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(session: int) -> float:
    """MiB of the processes of a session."""
    return sum(map(scale._megabytes, scale._family(session)))


def main() -> None:
    parser = argparse.ArgumentParser(description="Times check --fleet over millions of records.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--until", default="2026-11-30T06:00Z")
    args = parser.parse_args()
    size = sum(one.stat().st_size for one in args.folder.glob("*.ndjson"))
    with cluster(args.workers) as (address, session):
        command = [str(ROOT / "irqcost"), "check", "--fleet", str(args.folder)]
        command += [f"--until={args.until}", f"--scheduler={address}"]
        begin, most = time.monotonic(), [0.0, 0.0]
        child = subprocess.Popen(command, start_new_session=True)
        of_command = of_cluster = 0.0
        while child.poll() is None:
            for place, one in enumerate((child.pid, session)):
                most[place] = max(most[place], memory(one))
            of_command, of_cluster = cpu_seconds(child.pid) or of_command, cpu_seconds(session)
            time.sleep(0.5)
        seconds = time.monotonic() - begin
    print()
    of = ("size, GB", "workers", "s", "CPU s, workers", "CPU s, command")
    print(f"| {' | '.join(of)} | MiB, workers | MiB, command |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    cells = (size / 1e9, args.workers, seconds, of_cluster, of_command, most[1], most[0])
    print("| " + " | ".join(f"{one:.3g}" if one < 10 else f"{one:.0f}" for one in cells) + " |")
    print(f"The command ended with {child.returncode}.", file=sys.stderr)


if __name__ == "__main__":
    main()
