# SPDX-License-Identifier: GPL-2.0-only
"""What became of each host, from what Ansible said of it and what the host sent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from irqcost.base.errors import IrqcostError
from irqcost.fleet import ansible, outcome
from irqcost.fleet.ansible import Event
from irqcost.fleet.folder import FAILED, MEASURED, UNREACHABLE, Fate, Folder

# Tasks of fleet/roles, by what a failure in them means.
_WAITING = "Wait until it has measured"
_SSH = "Failed to connect to the host via ssh: "

# A clock that is off by less names the same hour; tasks begin some seconds late.
_CLOCK_SECONDS = 60.0


def collected(folder: Folder, hosts: Sequence[str], events: Iterable[Event]) -> None:
    """Records what became of these hosts, and keeps their results."""
    by_host: dict[str, list[Event]] = {one: [] for one in hosts}
    for event in events:
        by_host.setdefault(event.host, []).append(event)
    for host in hosts:
        folder.keep(_fate(folder, host, by_host[host]))
        folder.arrived(host).unlink(missing_ok=True)


def _fate(folder: Folder, host: str, events: Sequence[Event]) -> Fate:
    fate = said(host, events)
    if not folder.arrived(host).exists():
        return replace(fate, state=fate.state or FAILED, why=fate.why or "sent nothing")
    try:
        sent = outcome.read(folder.arrived(host), ansible.most_bytes())
        fate = replace(
            fate,
            why=sent.why,
            skipped=(*fate.skipped, *sent.skipped),
            hostname=sent.hostname,
            machine=sent.machine,
            kernel=sent.kernel,
        )
        if sent.code:
            return replace(fate, state=FAILED, why=sent.why or f"ended with {sent.code}")
        if not sent.results:
            return replace(fate, state=FAILED, why="sent no result")
        return replace(fate, state=MEASURED, results=folder.accept(host, sent))
    except IrqcostError as error:
        return replace(fate, state=FAILED, why=f"refused: {outcome.short(str(error))}")


def said(host: str, events: Sequence[Event]) -> Fate:
    """What Ansible's events say of a host; its state is "" where nothing went wrong."""
    facts: dict[str, object] = {}
    fate = Fate(host, "")
    for event in events:
        facts |= event.facts
        if event.kind == "unreachable":
            fate = replace(fate, state=UNREACHABLE, why=_lost(event))
        elif event.kind == "failed":
            fate = replace(fate, state=FAILED, why=_failure(event))
        elif event.kind == "ignored":  # The one failure that is no end: becoming root.
            fate = replace(fate, skipped=(("root", f"not allowed: {_last(event.text)}"),))
    uid = facts.get("uid")
    if uid not in (0, None) and facts.get("may_become") is False:
        fate = replace(fate, skipped=(("root", "logs in as a user, and there is no sudo"),))
    off = facts.get("clock_off")
    return replace(
        fate,
        hostname=_text(facts, "host"),
        machine=_text(facts, "machine"),
        kernel=_text(facts, "kernel"),
        clock_off=float(off) if isinstance(off, (int, float)) and abs(off) < 1e12 else 0.0,
    )


def _text(facts: Mapping[str, object], key: str) -> str:
    found = facts.get(key, "")
    return outcome.short(found) if isinstance(found, str) else ""


def _lost(event: Event) -> str:
    why = outcome.short(_last(event.text.replace(_SSH, "")))
    if event.task != _WAITING:
        return why
    return f"connection lost while it measured, which it goes on with: {why}"


def _failure(event: Event) -> str:
    # What a program of ours said is a sentence; of others' the task says where.
    text = _last(event.text)
    if text.startswith("irqcost: "):
        return outcome.short(text.removeprefix("irqcost: "))
    return outcome.short(f"{event.task}: {text}")


def _last(text: str) -> str:
    """The line of what a program wrote that says most."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("irqcost:", "E:", "error:"))]
    return (errors or lines or [""])[-1]


def notes(fates: Sequence[Fate]) -> dict[str, list[str]]:
    """By host, what is to be known beside its result: of its clock, and of hosts that are one."""
    found: dict[str, list[str]] = {one.host: [] for one in fates}
    machines: dict[str, str] = {}
    names: dict[str, Fate] = {}
    for one in fates:
        if abs(one.clock_off) > _CLOCK_SECONDS:
            found[one.host].append(f"clock: {_duration(one.clock_off)}")
        if not one.machine:
            continue
        first = machines.setdefault(one.machine, one.host)
        if first != one.host:
            found[one.host].append(f"name: the same machine as {outcome.short(first)}")
            continue
        other = names.setdefault(one.hostname, one)
        if other.host != one.host:
            text = f"name: calls itself {one.hostname}, as {outcome.short(other.host)} does"
            found[one.host].append(text)
    return found


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if abs(seconds) >= 2 * length or unit == "minutes":
            break
    way = "ahead" if seconds > 0 else "late"
    return f"{abs(seconds) / length:.0f} {unit} {way}, and so is the date of its result"
