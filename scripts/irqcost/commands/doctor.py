# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost doctor`: what can run on this machine, why the rest cannot, and what would help."""

import argparse
import platform
from collections.abc import Sequence

from irqcost.base import layout, screen
from irqcost.base.errors import Exit, IrqcostError
from irqcost.machine import assess, host, hostfacts
from irqcost.machine.host import Fact
from irqcost.measure import build, harness
from irqcost.model import description
from irqcost.model.result import Backend


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "doctor",
        help="show which backends can run here, and what the others need",
        description="Shows for each backend whether it can run here, why not, and what would make "
        "it run. Changes nothing. Exits with 0 if at least ring 3 can be measured.",
    )
    parser.add_argument(
        "--host",
        action="store_true",
        help="show instead what on this host hurts precision, what matters most first",
    )
    parser.add_argument(
        "--cpu", metavar="N", type=int, help="with --host: the measuring CPU (default: that of run)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.host:
        screen.show(screen.wrapped(_host(args.cpu, hostfacts.Tree())))
        return Exit.OK
    if args.cpu is not None:
        raise IrqcostError("--cpu needs --host: backends do not depend on the CPU")
    backends, unknown = _backends()
    screen.show(screen.wrapped("\n".join(_lines(backends, unknown))))
    usable = any(backend.name == "ring3" and backend.usable for backend in backends)
    return Exit.OK if usable else Exit.FAILED


def _backends() -> tuple[tuple[Backend, ...], str]:
    """The backends by the harness's word; else what is known without it, and why."""
    try:
        bench = build.bench()
        if bench.exists():
            return harness.backends(bench), ""
        unknown = "The harness is not built yet (./irqcost run builds it)"
        if layout.installed():
            unknown = f"{bench} is missing: install the package again"
    except (IrqcostError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        # Of another version, of another machine, or damaged: doctor is asked where things fail.
        unknown = f"The harness does not answer ({error})"
    return (ring3(platform.machine()),), unknown


def _lines(backends: Sequence[Backend], unknown: str) -> list[str]:
    """What each backend needs, and whether it is there; `unknown`: why the harness cannot say."""
    lines = [f"{host.cpu().brand or 'unknown CPU'}, kernel {host.kernel_release()}"]
    if unknown:
        lines.append(f"{unknown}: this is what the host says.")
    kinds = description.backends()
    for backend in backends:
        lines += ["", f"{backend.name}: {'available' if backend.usable else 'unavailable'}"]
        lines.append(f"  needs: {kinds[backend.name]['needs']}")
        if not backend.usable:
            lines += _fact(Fact(False, backend.reason, backend.remedy))
        if backend.name == "kmod" and not backend.usable:
            lines += _facts("its module", host.module_facts(host.kernel_release()))
    if unknown:
        lines += _facts("kmod", host.module_facts(host.kernel_release()))
        for name in (one for one in kinds if one not in ("ring3", "kmod")):
            lines += ["", f"{name}: known when the harness is built"]
            lines.append(f"  needs: {kinds[name]['needs']}")
    return lines + _facts("vm (ring 0 in an emulated guest)", host.vm_facts())


def _host(asked: int | None, tree: hostfacts.Tree) -> str:
    cpu = hostfacts.choose_cpu(asked, tree)
    findings = assess.assess(hostfacts.read(cpu, tree))
    lines = [f"{host.cpu(tree.root).brand or 'unknown CPU'}: what hurts precision on CPU {cpu}", ""]
    for number, finding in enumerate((one for one in findings if one.hurts), 1):
        lines.append(f"{number:2}. {finding.subject}: {finding.value}")
        lines.append(f"      why:    {finding.why}")
        lines.append(f"      remedy: {finding.remedy} ({finding.by.value})")
    for finding in findings:
        if not finding.hurts:
            lines.append(f" ok  {finding.subject}: {finding.value}")
    return "\n".join(lines)


def ring3(machine: str) -> Backend:
    """Whether ring 3 can be measured on this architecture."""
    if machine == "x86_64":
        return Backend("ring3", True)
    return Backend("ring3", False, f"this machine is {machine}", "use an x86-64 machine")


def _facts(title: str, facts: Sequence[Fact]) -> list[str]:
    can = "available" if all(fact.holds for fact in facts) else "unavailable"
    return ["", f"{title}: {can}", *(line for fact in facts for line in _fact(fact))]


def _fact(fact: Fact) -> list[str]:
    if fact.holds:
        return [f"  ok  {fact.found}"]
    return [f"  no  {fact.found}"] + ([f"      remedy: {fact.remedy}"] if fact.remedy else [])
