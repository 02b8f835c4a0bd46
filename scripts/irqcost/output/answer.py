# SPDX-License-Identifier: GPL-2.0-only
"""What a run found, in at most five lines: what masking costs here, and whether to believe it."""

from irqcost.base import screen
from irqcost.model.machine_code import masking
from irqcost.model.result import Context, Result
from irqcost.output import finding
from irqcost.output.finding import Cost

_LABELLED = 9

_CLASSIC, _MODERN = "save_cli_popf", "save_cli_test_sti"
_IN_RING_3 = "ring3/pushf_pop_push_popf"

# The kernel's own save and restore, the one that says most first.
_KERNEL = ("kmod/local_irq_save_restore", "bpf/irq_save_restore")


def text(result: Result, changed: str, width: int) -> str:
    """The lines; `changed` is of since.text(), "" where nobody asked."""
    lines = [*_costs(result), ("Trust", _trust(result)), ("Changed", changed)]
    said = "\n".join(f"{name:{_LABELLED}}{text}" for name, text in lines if text)
    return screen.wrapped(said, " " * _LABELLED, width)


def label(context: Context, backend: str, probe: str | None = None) -> str:
    """How results of a backend came about where that is not a CPU's masking; "" for a CPU's."""
    emulated = {one.name for one in context.emulated_backends}
    if context.emulated or backend in emulated:
        return "EMULATED"
    if context.simulated:
        return "SIMULATED"
    kind = context.masking.kind_of(backend, probe)
    if kind == masking.NATIVE:
        return ""
    way = f"masked {masking.way(kind)}"
    return f"PARAVIRTUAL: {way}" if context.masking.paravirtual else way


def _costs(result: Result) -> list[tuple[str, str]]:
    context = result.context
    if why := finding.untrusted(result):
        return [("Cost", why)]
    if context.emulated and not context.instruction_clock:
        return [("Cost", "EMULATED: nothing here says what masking costs on a CPU")]
    pairs = [("Cost", _save_restore(result)), ("Kernel", _kernel(result))]
    pairs.append(("In code", _in_code(result)))
    return [(name, said) for name, said in pairs if said]


def _classic(result: Result) -> tuple[str, Cost | None, Cost | None]:
    """The backend with the most to say of the classic and the modern pair, and what they cost."""
    for backend in ("kmod", "kvm"):
        pair = [
            finding.cost(result, f"{backend}/{probe}/throughput") for probe in (_CLASSIC, _MODERN)
        ]
        if any(pair):
            return backend, pair[0], pair[1]
    return "ring3", finding.cost(result, f"{_IN_RING_3}/throughput"), None


def _save_restore(result: Result) -> str:
    backend, classic, modern = _classic(result)
    timed = not result.context.simulated
    if backend == "ring3":
        if classic is None:
            return ""
        said = f"{_written(classic, timed)} classic, in ring 3 without cli"
        said += "" if _kernel(result) else "; modern: needs ring 0"
    else:
        named = [(one, name) for one, name in ((classic, "classic"), (modern, "modern")) if one]
        amounts = [f"{_written(one, timed)} {name}" for one, name in named]
        unit = named[0][0].unit.replace("core cycles", "cycles")
        said = ", ".join([amounts[0], *(one.replace(f" {unit}", "", 1) for one in amounts[1:])])
    return "; ".join(filter(None, (f"save and restore: {said}", label(result.context, backend))))


def _kernel(result: Result) -> str:
    """What the kernel's own functions take."""
    for name in _KERNEL:
        found = finding.cost(result, f"{name}/throughput")
        if found is None:
            continue
        backend, probe = name.split("/")
        said = f"{_written(found, not result.context.simulated)} " + (
            "from BPF" if backend == "bpf" else "for its own pair"
        )
        for one in result.context.derived:
            if one.name == f"{name}/alone" and result.context.masking.native(backend, probe):
                said += f"; masking about {one.cycles:.1f} ({one.low:.1f} to {one.high:.1f})"
        return "; ".join(filter(None, (said, label(result.context, backend, probe))))
    return ""


def _in_code(result: Result) -> str:
    """What the pairs add to work between them."""
    backend, _, _ = _classic(result)
    probe = _IN_RING_3 if backend == "ring3" else f"{backend}/{_CLASSIC}"
    named = {"classic": probe, "modern": f"{backend}/{_MODERN}", "kernel": _KERNEL[0]}
    found = {
        name: one
        for name, where in named.items()
        if (one := finding.cost(result, f"{where}/in_situ/{finding.WORK}"))
    }
    if not found:
        return ""
    if len(found) == 1:
        ((name, first),) = found.items()
        return f"adds {_written(first)} to {finding.WORK} cycles of work ({name})"
    amounts = [f"{one.amount}{_doubt(one)} {name}" for name, one in found.items()]
    return f"adds to {finding.WORK} cycles of work {', '.join(amounts)}"


def _doubt(one: Cost) -> str:
    return "" if one.reliable else " (unreliable)"


def _written(one: Cost, timed: bool = True) -> str:
    """An amount, with its time where that means something."""
    said = one.text if timed else f"{one.amount} {one.unit}"
    return said.replace("core cycles", "cycles").removesuffix(", unreliable") + _doubt(one)


def _trust(result: Result) -> str:
    sound, count = finding.reliable(result)
    context = result.context
    if not count:
        return ""
    if context.instruction_clock:
        return "exact counts of instructions, which say nothing about time"
    if context.emulated:
        return "none of it as a measure of a CPU"
    if sound == count:
        said = f"all {count} results are good"
    else:
        bad = f"; {count - sound} unreliable" if sound else ""
        said = f"{sound or 'none'} of {count} results are good{bad} (letters, or -v)"
    if context.verdict == "inconsistent":
        said = f"inconsistent: {said}"
    return f"SIMULATED: {said}" if context.simulated else said
