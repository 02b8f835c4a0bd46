# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost fleet`: measures on many machines over SSH, by Ansible."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from types import ModuleType

from irqcost.base import arguments, files, screen
from irqcost.base.errors import Exit, IrqcostError
from irqcost.commands import compare, run as run_command, site
from irqcost.fleet import fleet_table, folder, running
from irqcost.fleet.folder import MEASURED, Asked, Folder


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "fleet",
        usage="irqcost fleet -i INVENTORY [options] [-- OPTIONS-OF-RUN]",
        help="measure on many machines over SSH",
        description="Has Ansible install or build irqcost on every host of an inventory, load the "
        "module and tune where it can, run with the same options, restore the host and fetch the "
        "result. Ends with a table of all hosts, the comparison and the site (docs/FLEET.md). "
        "Exits with 2 if a host was not measured; the others are.",
    )
    add, flag = parser.add_argument, partial(parser.add_argument, action="store_true")
    add("-i", "--inventory", metavar="INVENTORY", type=Path, help="Ansible's list of hosts")
    add("--limit", metavar="PATTERN", help="only hosts or groups that match, as Ansible has it")
    add(
        "--forks", metavar="N", type=arguments.count, default=20, help="hosts at once (default: 20)"
    )
    flag("--check", help="only say what is on the hosts; changes nothing there")
    add("--resume", metavar="FOLDER", type=Path, help="measure what is missing in a fleet run")
    flag("--no-site", help="write no site")
    add("-o", "--out", metavar="FOLDER", type=Path, help="new folder of this fleet run")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--package",
        metavar="FILE",
        type=Path,
        action="append",
        help="install this Debian package (again for irqcost-dkms) in place of building from a "
        "copy of the checkout",
    )
    how.add_argument("--installed", action="store_true", help="hosts have irqcost already")
    flag("--no-tune", help="leave the settings of the hosts as they are")
    flag("--no-module", help="load no module")
    add("--minutes", type=arguments.count, default=60, help="that a host may take (default: 60)")
    add("options", metavar="OPTIONS-OF-RUN", nargs="*", help="such as -- --quick --backends kvm")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.resume is not None:
        given = (args.inventory, args.options, args.out, args.package, args.installed, args.check)
        if any(given) or args.no_tune or args.no_module:
            raise IrqcostError("--resume does what was asked for then: give no -i, and no options")
        with folder.resumed(args.resume) as into:
            return _measure(args, into, running.hosts(into.asked, args.limit))
    asked = _asked(args)
    hosts = running.hosts(asked, args.limit)
    if args.check:
        fates, table = running.dry(asked, hosts, args.forks)
        screen.show(table.fitted(screen.width()))
        return Exit.UNUSABLE if any(one.state for one in fates) else Exit.OK
    with folder.made(args.out or Path(f"irqcost-fleet-{asked.run_id}"), asked) as into:
        return _measure(args, into, hosts)


def _asked(args: argparse.Namespace) -> Asked:
    if args.inventory is None:
        raise IrqcostError("-i INVENTORY is needed: Ansible's list of hosts")
    if _parsed(run_command, ["run", *args.options]).out is not None:
        raise IrqcostError("--out of run: results go into the folder of the fleet run")
    return Asked(
        running.run_id(),
        str(args.inventory.absolute()),
        tuple(args.options),
        tuple(str(one.absolute()) for one in args.package or ()),
        args.installed,
        not args.no_tune,
        not args.no_module,
        args.minutes * 60,
    )


def _measure(args: argparse.Namespace, into: Folder, hosts: Sequence[str]) -> int:
    fates = running.measured(into, hosts, args.forks)
    table = fleet_table.table(into, fates)
    with files.written_whole(into.path / "table.txt", replace=True) as partial:
        partial.write_text(f"{table}\n", encoding="utf-8")
    screen.show(table.fitted(screen.width()))
    missing = sum(one.state != MEASURED for one in fates)
    print(f"\n{len(fates) - missing} of {len(fates)} hosts measured. Folder: {into.path}")
    found = [str(into.path / name) for one in fates for name in one.results]
    if len(found) > 1:
        with files.written_whole(into.path / "comparison.txt", replace=True) as partial:
            with partial.open("w", encoding="utf-8") as out, redirect_stdout(out):
                _run(compare, ["compare", *found])
        print(f"Comparison: {into.path / 'comparison.txt'}")
    if found and not args.no_site:
        _run(site, ["site", *found, "-o", str(into.path / "site"), "--force"])
    if missing:
        print(f"irqcost: {missing} not measured; {running.again(into)}", file=sys.stderr)
    return Exit.UNUSABLE if missing else Exit.OK


def _parsed(command: ModuleType, given: Sequence[str]) -> argparse.Namespace:
    """The options of another command."""
    top = argparse.ArgumentParser(prog="irqcost")
    command.add_parser(top.add_subparsers(prog="irqcost"))
    return top.parse_args(list(given))


def _run(command: ModuleType, given: Sequence[str]) -> None:
    asked = _parsed(command, given)
    asked.run(asked)
