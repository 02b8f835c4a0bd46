# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost doctor`: what can run on this machine, why the rest cannot, and what would help."""

import argparse
import platform
from collections.abc import Sequence

from irqcost.base.errors import Exit, IrqcostError
from irqcost.machine import assess, host, hostfacts
from irqcost.machine.host import Fact
from irqcost.measure import build, harness
from irqcost.model import description
from irqcost.model.result import Backend


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "doctor",
        help="say which backends can run here, and what the others need",
        description="Says for each backend whether it can run here, why not, and what would make "
        "it run. Changes nothing. Ends with 0 when at least ring 3 can be measured.",
    )
    parser.add_argument(
        "--host",
        action="store_true",
        help="say instead what on this host hurts precision, what matters most first",
    )
    parser.add_argument(
        "--cpu", metavar="N", type=int, help="with --host: the measuring CPU (default: that of run)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.host:
        return _host(args.cpu, hostfacts.Tree())
    if args.cpu is not None:
        raise IrqcostError("--cpu goes with --host: backends do not depend on the CPU")
    bench = build.bench()
    print(f"{host.cpu().brand or 'unknown CPU'}, kernel {host.kernel_release()}")
    if bench.exists():
        backends = harness.backends(bench)
    else:
        print("The harness is not built yet (./irqcost run builds it): this is what the host says.")
        backends = (ring3(platform.machine()),)
    kinds = description.backends()
    for backend in backends:
        print(f"\n{backend.name}: " + ("can run" if backend.usable else "cannot run"))
        print(f"  needs: {kinds[backend.name]['needs']}")
        if not backend.usable:
            print(_fact(Fact(False, backend.reason, backend.remedy)))
        if backend.name == "kmod" and not backend.usable:
            _print_facts("its module", host.module_facts(host.kernel_release()))
    if not bench.exists():
        _print_facts("kmod", host.module_facts(host.kernel_release()))
        for name in (one for one in kinds if one not in ("ring3", "kmod")):
            print(f"\n{name}: known when the harness is built\n  needs: {kinds[name]['needs']}")
    _print_facts("vm (ring 0 in an emulated guest)", host.vm_facts())
    usable = any(backend.name == "ring3" and backend.usable for backend in backends)
    return Exit.OK if usable else Exit.FAILED


def _host(asked: int | None, tree: hostfacts.Tree) -> int:
    cpu = hostfacts.choose_cpu(asked, tree)
    findings = assess.assess(hostfacts.read(cpu, tree))
    print(f"{host.cpu(tree.root).brand or 'unknown CPU'}: what hurts precision on CPU {cpu}\n")
    for number, finding in enumerate((one for one in findings if one.hurts), 1):
        print(f"{number:2}. {finding.subject}: {finding.value}")
        print(f"      why:    {finding.why}")
        print(f"      remedy: {finding.remedy} ({finding.by.value})")
    for finding in findings:
        if not finding.hurts:
            print(f" ok  {finding.subject}: {finding.value}")
    return Exit.OK


def ring3(machine: str) -> Backend:
    """Whether ring 3 can be measured on this architecture."""
    if machine == "x86_64":
        return Backend("ring3", True)
    return Backend("ring3", False, f"this machine is {machine}", "use an x86-64 machine")


def _print_facts(title: str, facts: Sequence[Fact]) -> None:
    can = "has what it needs" if all(fact.holds for fact in facts) else "lacks something"
    print(f"\n{title}: {can}")
    for fact in facts:
        print(_fact(fact))


def _fact(fact: Fact) -> str:
    if fact.holds:
        return f"  ok  {fact.found}"
    return f"  no  {fact.found}" + (f"\n      remedy: {fact.remedy}" if fact.remedy else "")
