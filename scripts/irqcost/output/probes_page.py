# SPDX-License-Identifier: GPL-2.0-only
"""The catalogue, as a list and as docs/PROBES.md."""

from collections.abc import Mapping, Sequence

from irqcost.base.table import Table
from irqcost.model import catalogue
from irqcost.model.catalogue import Probe
from irqcost.model.machine_code import executed
from irqcost.model.machine_code.executed import Executed, Recording

_MARKDOWN_HEAD = """\
<!-- SPDX-License-Identifier: GPL-2.0-only -->
<!-- Generated: ./irqcost probes --update -->
# Probes

What irqcost measures, a section a probe: what it is, which instructions it is, when to use it,
and where its figure comes from.

*Interrupts*: the interrupt flag in ring 0, at entry and, where it changes, at exit (in ring 3 it
is always on). In the contexts `hardirq` and `timer` it is off for every probe. A probe that
changes the flag cannot be repeated, so it has an isolated cost and no throughput. *Code* is one
operation: assembler, or a C statement that the kernel's own headers compile; “…” is where the
critical section goes in situ, and nothing in the other modes.

*Instructions* are those that an emulated CPU executed on Debian's kernels, traced one by one and
without any time stamp (`scripts/evidence/executed.py`, files in `results/emulated/executed`); a
test holds the counts of the instruction clock against such a trace. Long `nop`s are what the
kernel leaves where it patches itself: for paravirtualisation and tracing. What is indented lies
in the kernel, outside of the module. On another kernel `./irqcost vm --exact --kernel KERNEL`
counts them, and `./irqcost disasm` shows the functions of the running one.

## Where the figures come from

**Assembler rows**: the code stands between two time stamps as it is, the same bytes in ring 3,
in the module, and in the guest of backend `kvm` (`body.h`); no compiler has a part in it.

**Kernel API rows**: compiled into the module by the kernel's own build, with its headers and
options. What the headers inline is in the module, what they call is the running kernel's, patched
as it is (`bench_kmod/calls.c`).

**BPF rows**: a BPF program calls the kernel's function; the figure holds the call and the return,
and what the function costs alone is derived (`docs/method/bpf.md`).

**Fault rows**: the instruction faults in ring 3; the figure holds the entry into the kernel, the
delivery of SIGSEGV to a handler that steps over the instruction, and `sigreturn`. It is no cost
of masking, and stands beside none.

A *throughput* is the difference of windows of u and 2u copies, an *isolated* cost that of single
ones between fences, *in situ* what is added to a section of work; *softirq*, *hardirq* and *timer*
are throughputs called from there. `docs/METHOD.md` argues for all of it. Controls run in each run,
so that a figure beside wrong controls says that it is.
"""


def _groups(probes: tuple[Probe, ...]) -> list[tuple[str, list[Probe]]]:
    return [
        (heading, [probe for probe in probes if probe.group == group])
        for group, heading in catalogue.GROUPS.items()
    ]


def text(probes: tuple[Probe, ...]) -> str:
    table = Table(("probe", "rings", "interrupts", "code"), "<<<<")
    for heading, members in _groups(probes):
        table.heading(f"\n{heading}")
        for probe in members:
            table.row(f"  {probe.key}", probe.rings, probe.interrupts, probe.shown_code)
            table.heading(f"      {probe.summary}")
            table.heading(f"      {probe.use}")
    return str(table)


def markdown(probes: tuple[Probe, ...]) -> str:
    """The whole of docs/PROBES.md."""
    recordings = executed.read()
    parts = [_MARKDOWN_HEAD]
    for heading, members in _groups(probes):
        parts.append(f"\n## {heading}\n")
        parts += [_section(probe, recordings) for probe in members]
    return "".join(parts)


def _section(probe: Probe, recordings: Sequence[Recording]) -> str:
    summary = probe.summary[0].upper() + probe.summary[1:]
    lines = [f"\n### `{probe.key}`", "", f"{summary}.", "", f"- **In tables**: {probe.title}"]
    if probe.code:
        lines.append(f"- **Code**: `{probe.shown_code}`")
    if probe.api:
        lines.append(f"- **Stands for**: `{probe.api}`")
    lines.append(f"- **Runs**: {_places(probe)}")
    by_release = {r.release: r.rows[probe.key] for r in recordings if probe.key in r.rows}
    if by_release:
        lines.append(f"- **Instructions**: {_counts(by_release)}")
    lines.append(f"- **Use**: {probe.use}")
    lines.append(f"- **Figure**: {_figures(probe)}")
    lines += _listings(probe, by_release)
    return "\n".join(lines) + "\n"


def _places(probe: Probe) -> str:
    text = f"ring {probe.rings}"
    if probe.kind in ("insn", "call"):
        text += f"; interrupts {probe.interrupts}"
    if probe.kind in ("insn", "call") and probe.repeatable:
        usual, realtime = probe.contexts(), probe.contexts(realtime=True)
        text += f"; contexts {', '.join(usual)}"
        if realtime != usual:
            text += f" (on PREEMPT_RT {', '.join(realtime)})"
    return text


def _counts(by_release: Mapping[str, Executed]) -> str:
    """How many on which kernel; in other contexts where they differ."""
    by_text: dict[str, list[str]] = {}
    for release, row in by_release.items():
        text = str(row.count)
        others = [f"{n} in {name}" for name, n in row.contexts.items() if n != row.count]
        by_text.setdefault(", ".join([text, *others]), []).append(release)
    if len(by_text) == 1:
        return f"{next(iter(by_text))} on each of {', '.join(by_release)}"
    return "; ".join(f"{text} on {', '.join(on)}" for text, on in by_text.items())


def _figures(probe: Probe) -> str:
    kind = {"insn": "assembler", "call": "kernel API", "bpf": "BPF", "fault": "fault"}[probe.kind]
    modes = ["throughput"] if probe.repeatable else []
    modes += ["isolated"] if probe.kind in ("insn", "call") else []
    modes += ["in situ"] if probe.has_section else []
    own = [one for one in probe.backends if one != "bpf" or probe.kind == "bpf"]
    names = ", ".join(f"`{backend}/{probe.key}/…`" for backend in own)
    control = "; `bpf/{}/throughput`".format(probe.key) if len(own) < len(probe.backends) else ""
    return f"{kind} row, {names}: {', '.join(modes)}{control}"


def _listings(probe: Probe, by_release: Mapping[str, Executed]) -> list[str]:
    """What a kernel API row executes, each sequence once; the assembler's code says it itself."""
    by_code: dict[tuple[str, ...], list[str]] = {}
    for release, row in by_release.items():
        if executed.is_listed(probe, row.count):
            by_code.setdefault(row.code, []).append(release)
    lines = []
    for code, releases in by_code.items():
        summary = f"{len(code)} instructions on {', '.join(releases)}"
        lines += ["", f"<details><summary>{summary}</summary>", "", "```asm", *code, "```", ""]
        lines += ["</details>"]
    return lines
