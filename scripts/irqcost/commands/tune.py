# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost tune`: settings of the host for measuring, and back again."""

import argparse
import os
import sys

from irqcost.base import layout, screen
from irqcost.base.errors import Exit, IrqcostError
from irqcost.base.table import Table
from irqcost.machine import hostfacts, settings
from irqcost.machine.hostfacts import Tree
from irqcost.machine.settings import Plan
from irqcost.machine.tuning import RESTORE, STATE, Restored, apply, restore


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "tune",
        help="set this host up for measuring; --restore undoes it",
        description="Shows what it will change for measuring on one CPU (governor, boost, "
        "watchdogs, idle states, work of the kernel, interrupts, sibling thread), records the "
        "current settings, and changes them. Needs root. Exits with 2 if a setting could not be "
        f"changed, with 1 if one could not be restored. `{layout.command()} doctor --host` shows "
        "what else would help.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="only show the plan")
    what.add_argument(
        "--restore", action="store_true", help="restore the previous settings, even after a crash"
    )
    parser.add_argument(
        "--cpu", metavar="N", type=int, help="the CPU to measure on (default: that of run)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, tree: Tree | None = None) -> int:
    tree = tree or Tree()
    if args.restore:
        if args.cpu is not None:
            raise IrqcostError("--restore restores every setting; it takes no --cpu")
        _require_root()
        return _report_restored(restore(tree), tree)
    cpu = hostfacts.choose_cpu(args.cpu, tree)
    plan = settings.plan(hostfacts.read(cpu, tree), tree)
    _print_plan(plan)
    if args.dry_run or not plan.changes:
        return Exit.OK
    _require_root()
    failures = apply(plan, tree)
    for failure in failures:
        print(f"not changed: {failure.setting}: {failure.reason}")
    changed = len(plan.changes) - len(failures)
    failures = [one for one in failures if one.fixed is None]
    print(f"{changed} of {len(plan.changes)} settings changed. To undo: {RESTORE}")
    return Exit.UNUSABLE if failures else Exit.OK


def _require_root() -> None:
    if os.geteuid() != 0:
        raise IrqcostError("tune changes settings of the kernel: run it as root (sudo)")


def _print_plan(plan: Plan) -> None:
    if plan.changes:
        print(f"For measuring on CPU {plan.cpu}:\n")
        table = Table(("setting", "from", "to", "why"), "<<<<")
        for change in plan.changes:
            table.row(change.setting, change.before, change.after, change.why)
        screen.show(table.fitted(screen.width()))
    else:
        print(f"Nothing to change for measuring on CPU {plan.cpu}.")
    for setting, reason in plan.impossible:
        screen.show(screen.wrapped(f"cannot be changed: {setting}: {reason}", "  "))
    # What follows may take a while or be interrupted: show this first.
    sys.stdout.flush()


def _report_restored(restored: Restored, tree: Tree) -> int:
    if restored.settings is None:
        print("Nothing to restore: this host is not tuned.")
        return Exit.OK
    if not restored.settings:
        print("Nothing to restore: the machine was rebooted, which did it.")
    for setting in restored.gone:
        print(f"no longer there: {setting}")
    for failure in restored.failures:
        print(f"not restored: {failure.setting}: {failure.reason}")
    if restored.failures:
        print(f"The record is kept in {tree.root / STATE}. Try again: {RESTORE}")
        return Exit.FAILED
    if restored.settings:
        print(f"{restored.settings - len(restored.gone)} settings restored.")
    return Exit.OK
