# SPDX-License-Identifier: GPL-2.0-only
"""What on a host hurts the precision of its figures, in order of effect. Pure: a Host in, findings
out."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from irqcost.base import layout
from irqcost.machine.hostfacts import BACKGROUND, Host
from irqcost.model import ticks

# Above it, a waking task will find the measuring CPU the only one that is free.
_BUSY_LOAD_PER_CPU = 0.25

# Time stolen of a vCPU that no one feels is below this.
_STOLEN_SHARE = 0.001


class By(Enum):
    """Who can change it."""

    TUNE = f"{layout.command()} tune does it"
    BOOT = "a boot parameter; tune cannot set it"
    USER = "for you to do; tune cannot"
    HOST = "only on the host: a guest cannot change it"


@dataclass(frozen=True)
class Finding:
    """One condition. `why`, `remedy` and `by` say nothing where it does not hurt."""

    subject: str
    value: str
    hurts: bool = False
    why: str = ""
    remedy: str = ""
    by: By = By.USER


def assess(host: Host) -> list[Finding]:
    """All that is known, what matters most first."""
    return [finding for check in _CHECKS if (finding := check(host))]


def _cpus(cpus: frozenset[int]) -> str:
    return ("CPU " if len(cpus) == 1 else "CPUs ") + ", ".join(map(str, sorted(cpus)))


def _sibling(host: Host) -> Finding:
    subject = "sibling thread"
    if host.siblings:
        fixed = host.siblings_fixed
        return Finding(
            subject,
            f"{_cpus(host.siblings)} on the core of CPU {host.cpu}",
            True,
            "what runs there takes issue slots: `push; popf` has read 20 core cycles instead of "
            "13 so",
            (
                f"measure on another core (--cpu): {_cpus(fixed)} cannot go offline"
                if fixed
                else f"take {_cpus(host.siblings)} offline while measuring"
            ),
            By.USER if fixed else By.TUNE,
        )
    if host.guest:
        return Finding(
            subject,
            "none visible, but a guest does not see who shares its core",
            True,
            "what runs there takes issue slots: `push; popf` has read 20 core cycles instead of "
            "13 so",
            "vCPUs on whole cores (dedicated host, core scheduling); samples that are disturbed so "
            "are found by their sensor and left out",
            By.HOST,
        )
    return Finding(subject, f"CPU {host.cpu} has its core for itself")


def _hypervisor(host: Host) -> Finding:
    subject = "hypervisor"
    if not host.guest:
        return Finding(subject, "none")
    stolen = "" if host.stolen is None else f"; {host.stolen:.2%} of the CPU's time was stolen"
    return Finding(
        subject,
        f"this is a guest{stolen}",
        True,
        "the host interrupts the vCPU, and may run something else in its place or move it",
        "pin its vCPUs to CPUs of their own",
        By.HOST,
    )


def _load(host: Host) -> Finding | None:
    if host.load is None or not host.online:
        return None
    value = f"load {host.load:.2f} on {_count(len(host.online), 'CPU')}"
    if host.load <= _BUSY_LOAD_PER_CPU * len(host.online):
        return Finding("load", value)
    return Finding(
        "load",
        value,
        True,
        "other tasks take the measuring CPU, its caches, and its thermal budget",
        "stop them, or keep them off it (taskset, isolcpus)",
    )


def _governor(host: Host) -> Finding | None:
    if host.governor is None:
        return _hidden_clock(host)
    if host.governor == "performance":
        return Finding("governor", host.governor)
    return Finding(
        "governor",
        host.governor,
        True,
        "the clock changes while samples are taken: those are left out, and ns and ticks "
        "are of no one clock",
        "performance",
        By.TUNE,
    )


def _hidden_clock(host: Host) -> Finding | None:
    if not host.guest:
        return Finding("governor", "none: the firmware sets the clock")
    return Finding(
        "governor and boost",
        "not visible",
        True,
        "the host changes the clock; core cycles stand, but ns and ticks move",
        "governor performance, boost off",
        By.HOST,
    )


def _boost(host: Host) -> Finding | None:
    if host.boost is None:
        return None
    if not host.boost:
        return Finding("boost", "off")
    return Finding(
        "boost",
        "on",
        True,
        "the clock depends on temperature and on what other cores do",
        "off",
        By.TUNE,
    )


def _clock(host: Host) -> Finding | None:
    subject = "clock"
    if host.clock_source is None:
        return None
    why = ticks.why_unreliable(host.tsc_steady, host.clock_source)
    if not why:
        return Finding(subject, host.clock_source)
    if "tsc" in host.clock_sources:
        remedy, by = "boot with clocksource=tsc, if the TSC is steady", By.BOOT
    elif host.guest:
        remedy, by = "pass an invariant TSC on to the guest", By.HOST
    else:
        remedy, by = "see what `dmesg | grep -i tsc` says; a newer firmware may help", By.USER
    return Finding(
        subject,
        host.clock_source,
        True,
        f"{why}: ns and ticks are unreliable, core cycles are not affected",
        remedy,
        by,
    )


def _quota(host: Host) -> Finding:
    subject = "quota of CPU time"
    if host.quota is None:
        return Finding(subject, "none")
    return Finding(
        subject,
        str(host.quota),
        True,
        "once it is used up, the process stands still for the rest of a period, with cold caches "
        "afterwards",
        "start it outside of that cgroup, or lift the limit (`docker run` without --cpus, "
        "`CPUQuota=` of systemd, a pod without limits.cpu)",
    )


def _throttled(host: Host) -> Finding | None:
    if host.throttled is None:
        return None
    if not host.throttled:
        return Finding("heat", "has not slowed the core since it started")
    return Finding(
        "heat",
        f"slowed the core {_count(host.throttled, 'time')} since it started",
        True,
        "the clock falls in the middle of a run",
        "cool it better; boost off helps",
    )


def _irqs(host: Host) -> Finding | None:
    if host.irqs is None:
        return None
    value = f"{host.irqs_here} of {_count(host.irqs, 'line')} may come to CPU {host.cpu}"
    if host.irqs_fixed:
        value += f", and {len(host.irqs_fixed)} that cannot be moved"
    if not host.irqs_here:
        return Finding("device interrupts", value)
    why = "each one ends in a flagged sample and leaves the caches changed"
    if len(host.online) < 2:
        return Finding("device interrupts", value, True, why, "a second CPU", By.USER)
    remedy = "send them to other CPUs"
    if host.irqbalance:
        remedy = f"stop irqbalance, which would send them back, and {remedy}"
    return Finding("device interrupts", value, True, why, remedy, By.TUNE)


def _tick(host: Host) -> Finding:
    isolated = host.isolated & host.online
    if isolated and host.cpu not in isolated:
        return Finding(
            "tick and scheduler",
            f"CPU {host.cpu} is not isolated, while {_cpus(isolated)} {_verb(isolated)}",
            True,
            "any task may be put here",
            f"measure there: --cpu {min(isolated)}",
        )
    wanted = {"isolcpus": host.isolated}
    if host.tickless is not None:
        wanted["nohz_full"] = host.tickless
    lacking = [name for name, cpus in wanted.items() if host.cpu not in cpus]
    value = f"CPU {host.cpu} is not in {' nor in '.join(lacking)}"
    remedy = " ".join(f"{name}={host.cpu}" for name in (*lacking, "rcu_nocbs"))
    if host.tickless is None:
        value = " and ".join([value] * bool(lacking) + ["this kernel always ticks"])
        remedy = f"a kernel with CONFIG_NO_HZ_FULL, and isolcpus={host.cpu} nohz_full={host.cpu}"
    elif not lacking:
        return Finding("tick and scheduler", f"kept off CPU {host.cpu}")
    return Finding(
        "tick and scheduler",
        value,
        True,
        "the timer comes 100 to 1000 times a second, and any task may be put here",
        remedy,
        By.BOOT,
    )


def _watchdogs(host: Host) -> Finding:
    if not host.watchdogs:
        return Finding("watchdogs", "off")
    return Finding(
        "watchdogs",
        " and ".join(host.watchdogs) + " on",
        True,
        "they wake on every CPU, and the NMI one holds a performance counter and comes while "
        "interrupts are off",
        "off while measuring",
        By.TUNE,
    )


def _idle(host: Host) -> Finding | None:
    if not host.idle_states:
        return None
    value = ", ".join(host.idle_states)
    if not host.deep_states:
        return Finding("idle states", value)
    return Finding(
        "idle states",
        value,
        True,
        f"waking from {host.deep_states[-1][1]} empties caches before the first samples of a "
        "process",
        "disable the deep ones while measuring",
        By.TUNE,
    )


def _background(host: Host) -> Finding:
    subject = "work of the kernel"
    names = list(host.background)
    reasons = [one.why for one in BACKGROUND if one.name in names]
    if host.workqueues_here:
        names.append(f"unbound workqueues on CPU {host.cpu}")
        reasons.append("it takes the measuring CPU for a while")
    if not names:
        return Finding(subject, "none that is known to disturb")
    return Finding(
        subject,
        ", ".join(names),
        True,
        "; ".join(reasons),
        "off, or elsewhere, while measuring",
        By.TUNE,
    )


def _verb(cpus: frozenset[int]) -> str:
    return "is" if len(cpus) == 1 else "are"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


# In order of effect: a neighbour changes a result by half; a moving clock, some percent
# of ns and ticks; interrupts, single samples.
_CHECKS: tuple[Callable[[Host], Finding | None], ...] = (
    _sibling,
    _hypervisor,
    _load,
    _quota,
    _governor,
    _boost,
    _throttled,
    _irqs,
    _tick,
    _watchdogs,
    _idle,
    _background,
    _clock,
)
