# SPDX-License-Identifier: GPL-2.0-only
"""The catalogue, as a list and as docs/PROBES.md."""

import textwrap
from collections.abc import Mapping, Sequence

from irqcost.base import screen
from irqcost.model import catalogue
from irqcost.model.catalogue import Probe
from irqcost.model.machine_code import executed
from irqcost.model.machine_code.executed import Executed, Recording


# More instructions than these are less useful to a reader than their number.
_MOST_LINES = 40

_MARKDOWN_HEAD = """\
<!-- SPDX-License-Identifier: GPL-2.0-only -->
<!-- Generated: ./irqcost probes --update -->
# Probes

Every primitive that irqcost measures: what it is, which instructions it executes, when to use it,
and the names of its results.

- *Interrupts* is the interrupt flag in ring 0, at entry and, if it changes, at exit. In ring 3 it
  is always on. In the contexts `hardirq` and `timer` it is off for every probe. A probe that
  changes the flag cannot be repeated, so it has an isolated cost and no throughput.
- *Code* is one operation: assembler, or a C statement compiled with the kernel's own headers. “…”
  marks the critical section in situ, and nothing in the other modes.
- *Instructions* are those that an emulated CPU executed on Debian's kernels, traced one by one
  without time stamps (`scripts/evidence/executed.py`, files in `results/emulated/executed`). A test
  compares the counts of the instruction clock with such a trace. The kernel leaves long `nop`s
  where it patches itself for paravirtualisation and tracing. Indented instructions are in the
  kernel, not in the module. For another kernel, run `./irqcost vm --exact --kernel KERNEL`;
  `./irqcost disasm` shows the functions of the running one.

## Kinds of probes

**Assembler probes**: the code is between two time stamps as it is, with the same bytes in ring 3,
in the module, and in the guest of backend `kvm` (`body.h`). No compiler changes it.

**Kernel API probes** are compiled into the module by the kernel's own build, with its headers and
options. The module contains what the headers inline; it calls the running kernel's functions,
patched as they are (`bench_kmod/calls.c`).

**BPF probes**: a BPF program calls the kernel's function. The result includes the call and the
return. The cost of the function alone is derived (`docs/method/bpf.md`).

**Fault probes**: the instruction faults in ring 3. The result includes the kernel's entry, the
delivery of SIGSEGV to a handler that skips the instruction, and `sigreturn`. It is not a cost of
masking and is not compared with one.

A *throughput* is the difference of windows of u and 2u copies. An *isolated* cost is that of single
ones between fences. *In situ* is what is added to a section of work. *softirq*, *hardirq* and
*timer* are throughputs in these contexts. [The method](METHOD.md) explains each. Controls are
measured in each run, so a result beside wrong controls says so.
"""


def _groups(probes: tuple[Probe, ...]) -> list[tuple[str, list[Probe]]]:
    return [
        (heading, [probe for probe in probes if probe.group == group])
        for group, heading in catalogue.GROUPS.items()
    ]


def text(probes: tuple[Probe, ...]) -> str:
    """The catalogue as wide as the terminal."""
    lines = []
    for heading, members in _groups(probes):
        lines.append(f"\n{heading}")
        for probe in members:
            lines += [f"  {probe.title}: {probe.key}", f"      {_places(probe)}"]
            texts = filter(None, (probe.shown_code, probe.summary, probe.use))
            lines += [f"      {text}" for text in texts]
    return screen.wrapped("\n".join(lines).strip())


def markdown(probes: tuple[Probe, ...]) -> str:
    """The whole of docs/PROBES.md."""
    recordings = executed.read()
    parts = [_MARKDOWN_HEAD]
    for heading, members in _groups(probes):
        parts.append(f"\n## {heading}\n")
        parts += [_section(probe, recordings) for probe in members]
    return "".join(parts)


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _section(probe: Probe, recordings: Sequence[Recording]) -> str:
    summary = probe.summary[0].upper() + probe.summary[1:]
    facts = {"In tables": probe.title}
    if probe.code:
        facts["Code"] = f"`{probe.shown_code}`"
    if probe.api:
        facts["Kernel API"] = f"`{probe.api}`"
    facts["Runs"] = _places(probe)
    by_release = {r.release: r.rows[probe.key] for r in recordings if probe.key in r.rows}
    if by_release:
        facts["Instructions"] = _counts(by_release)
    facts["Use"] = probe.use
    facts["Results"] = _figures(probe)
    lines = [f"\n### `{probe.key}`", "", _wrapped(f"{summary}."), ""]
    lines += [_wrapped(f"- **{name}**: {text}", "  ") for name, text in facts.items()]
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
    return f"{kind} probe, {names}: {', '.join(modes)}{control}"


def _listings(probe: Probe, by_release: Mapping[str, Executed]) -> list[str]:
    """What a kernel API row executes, each sequence once; the assembler's code says it itself."""
    by_code: dict[tuple[str, ...], list[str]] = {}
    for release, row in by_release.items():
        if executed.is_listed(probe, row.count):
            by_code.setdefault(row.code, []).append(release)
    lines = []
    for code, releases in by_code.items():
        summary = f"{len(code)} instructions on {', '.join(releases)}"
        lines += ["", "<details>", f"<summary>{summary}</summary>", "", "```asm", *code, "```", ""]
        lines += ["</details>"]
    return lines
