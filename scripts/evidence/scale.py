# SPDX-License-Identifier: GPL-2.0-only
"""How long commands take over thousands of result files, and how much memory: the table in
docs/method/comparing.md.

Each command runs with an empty index, then again with the one that this made; memory is the most
that it and its processes had at a time (proportional set sizes, so that what they share counts
once, looked at ten times a second). CPU seconds are of all its processes: on a busy machine these
say more than how long it took. The files are read once before, so that the disk does not count, and
the command's modules are compiled, as they are after any use. Usage, in the checkout, with the
folder of many.py:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/scale.py --counts 2500,5000,10000 FOLDER
"""

import argparse
import ctypes
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from irqcost import ROOT
from irqcost.base.table import Table
from irqcost.model import reader

_PR_SET_CHILD_SUBREAPER = 36
_COMMANDS = ("compare", "history", "check", "report")


def main() -> None:
    parser = argparse.ArgumentParser(description="Times commands over thousands of results.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--counts", default="2500,5000,10000", help="of files, the last all")
    parser.add_argument("--commands", default=",".join(_COMMANDS))
    args = parser.parse_args()
    # Processes whose parent has ended become this one's, so that their seconds are known.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    found, _ = reader.find_results([args.folder])
    columns = ("command", "files", "first, s", "CPU s", "MiB", "again, s", "CPU s", "MiB")
    table = Table(columns, "<>>>>>>>")
    for count in map(int, args.counts.split(",")):
        with tempfile.TemporaryDirectory(prefix="irqcost-", dir=args.folder.parent) as work:
            chosen = Path(work, "results")
            chosen.mkdir()
            for place, path in enumerate(found[:count]):
                os.link(path, chosen / f"{place:06}.json")
                path.read_bytes()
            one = Path(work, "one")
            one.mkdir()
            os.link(found[0], one / "one.json")
            time.sleep(3)  # A link is a change, and what changed just now is not remembered.
            for name in args.commands.split(","):
                cache = Path(work, name)
                _timed(_command(name, one, work), cache)
                row = []
                for _ in range(2):
                    seconds, processor, memory = _timed(_command(name, chosen, work), cache)
                    row += [f"{seconds:.1f}", f"{processor:.1f}", f"{memory:.0f}"]
                table.row(name, str(count), *row)
                print(name, count, *row, file=sys.stderr, flush=True)
    print(table)


def _command(name: str, folder: Path, work: str) -> list[str]:
    rest = {
        "compare": ["--out", f"{work}/compare", folder],
        "history": ["--out", f"{work}/history", folder],
        "check": ["--baseline", folder, max(folder.iterdir())],
        "report": ["--force", "--out", f"{work}/page", folder],
    }[name]
    return [str(ROOT / "irqcost"), name, *map(str, rest)]


def _timed(command: Sequence[str], cache: Path) -> tuple[float, float, float]:
    """Seconds, CPU seconds of all its processes, and the most MiB that they had together."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPYCACHEPREFIX": str(cache)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before = os.times()
    begin = time.monotonic()
    child = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    most = 0.0
    while child.poll() is None:
        most = max(most, sum(map(_megabytes, _family(child.pid))))
        time.sleep(0.1)
    seconds = time.monotonic() - begin
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    after = os.times()
    used = after.children_user + after.children_system
    return seconds, used - before.children_user - before.children_system, most


def _family(session: int) -> list[int]:
    """The processes of a session."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            # After the name, which may hold anything: state, parent, group, session.
            fields = (place / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            found.append(int(place.name))
    return found


def _megabytes(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    main()
