# SPDX-License-Identifier: GPL-2.0-only
"""What results show about masking, in words: the answer of `run`, `compare` and the page.

Pure functions; every number is one of the results. An unreliable result is named as such, and
nothing is concluded from it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from irqcost.base.table import number
from irqcost.compare.labels import Series, short_names
from irqcost.model import catalogue, naming, units
from irqcost.model.machine_code import masking
from irqcost.model.result import Entry, Result, estimators_differ
from irqcost.model.units import Value

# What saves, masks and restores, what says most about the kernel's own masking first. In ring 3
# nothing masks; the flags are saved and restored there all the same.
_SAVE_RESTORE = (
    "kmod/local_irq_save_restore",
    "kmod/save_cli_popf",
    "kvm/save_cli_popf",
    "ring3/pushf_pop_push_popf",
    "bpf/irq_save_restore",
)
# The kernel's own function, which is of interest beside the flags of ring 3.
_THROUGH_BPF = "bpf/irq_save_restore"

# What primitives do, as it stands before "costs 12 core cycles".
ACTS: Mapping[str, str] = {
    "local_irq_save_restore": "saving and restoring interrupts",
    "irq_save_restore": "saving and restoring interrupts through BPF",
    "save_cli_popf": "saving, masking and restoring interrupts with popf",
    "save_cli_test_sti": "saving, masking and restoring interrupts with a test and sti",
    "pushf_pop_push_popf": "saving and restoring the flags through a register",
    "popf": "restoring the flags",
    "pushf_pop": "saving the flags",
    "local_irq_disable_enable": "disabling and enabling interrupts",
    "cli_sti": "masking and unmasking with cli and sti",
    "spin_lock_irqsave": "a spin lock that saves and masks interrupts",
    "res_spin_lock_irqsave": "a BPF spin lock that saves and masks interrupts",
}

WORK = "100"  # dependent core cycles of a critical section: of those measured, most like real ones
_LEAST = 1.0  # Core cycles, TSC ticks: smaller results do not make a contrast more striking.


@dataclass(frozen=True)
class Cost:
    """What one operation costs in a result, in the result's natural unit."""

    name: str  # backend/probe/mode, in situ with the section
    unit: str  # as it is written
    figure: Value
    ns: float | None  # None where a duration would mean nothing
    reliable: bool

    @property
    def probe(self) -> str:
        return self.name.split("/")[1]

    @property
    def amount(self) -> str:
        """The number as it is written."""
        if self.unit == "instructions":
            return f"{self.figure.value:g}"
        return number(self.figure.value, 2 if abs(self.figure.value) < _LEAST else 1)

    @property
    def text(self) -> str:
        """With its unit and its time."""
        written = f"{self.amount} {self.unit}"
        if self.ns is not None and self.unit != "ns":
            written += f" ({number(self.ns, 2 if abs(self.ns) < 1 else 1)} ns)"
        return written if self.reliable else f"{written}, unreliable"


@dataclass(frozen=True)
class Contrast:
    """Two costs that differ by more than their intervals; the more `striking`, the more."""

    low: Cost
    high: Cost
    text: str  # a clause that begins with a small letter and has no full stop

    @property
    def striking(self) -> float:
        return max(self.high.figure.value, _LEAST) / max(self.low.figure.value, _LEAST)


def cost(result: Result, name: str) -> Cost | None:
    """What a benchmark found; None where it was not measured, or only in processes that were all
    disturbed."""
    entry = result.figures.get(name)
    if entry is None or entry.unreliable and not (entry.cycles_interval or entry.ticks_interval):
        return None
    figure = units.figure(result, entry, None)
    if figure is None:
        return None
    timed = result.context.kind != "emulated" and not naming.why_clock_unreliable(result.context)
    unit = units.natural_name(result)
    return Cost(name, unit, figure, entry.ns if timed else None, not entry.unreliable)


def save_restore(result: Result) -> Cost | None:
    """Saving, masking and restoring back to back, the classic way. Reliable results come first,
    and a kernel that does not mask by the CPU's instructions last."""
    found = [one for name in _SAVE_RESTORE if (one := cost(result, f"{name}/throughput"))]
    found.sort(key=lambda one: (not _native(result, one.name), not one.reliable))
    return found[0] if found else None


def modern(result: Result) -> Cost | None:
    """The same by instruction with a test and sti in place of popf."""
    return next((pair[1] for pair in _classic_and_modern(result)), None)


def around_work(result: Result) -> Cost | None:
    """What save_restore() adds to a critical section of 100 cycles of work."""
    back_to_back = save_restore(result)
    return _added(result, back_to_back) if back_to_back else None


def reliable(result: Result) -> tuple[int, int]:
    """How many results are reliable, of how many."""
    entries = result.figures.values()
    return sum(not entry.unreliable for entry in entries), len(entries)


def untrusted(result: Result) -> str:
    """Why nothing can be concluded about costs; "" where something can."""
    found = list(costs(result))
    if not found:
        return "no cost was measured"
    if all(one.unreliable for one in found):
        return f"unreliable run: none of its {len(found)} costs can be trusted"
    return ""


def sentences(result: Result) -> list[str]:
    """The answer in a few sentences: what save and restore costs, back to back and around work,
    classic and modern. Without a reliable result, that there is no answer."""
    if why := untrusted(result):
        return [f"{capital(why)}. See the warnings."]
    found = list(filter(None, (_said_of_masking(result), _said_of_modern(result))))
    found += filter(None, [_said_of_the_kernel(result)])
    return [*found, _trust(result)]


def _trust(result: Result) -> str:
    """How far the results can be trusted."""
    if result.context.instruction_clock:
        return "These are exact counts on an emulated CPU and say nothing about time."
    if result.context.emulated:
        return "An emulator ran this, so it says nothing about the cost on a CPU."
    sound, count = reliable(result)
    text = f"{'All' if sound == count else f'{sound} of'} {count} results are reliable."
    return f"A simulated machine: {text}" if result.context.simulated else text


def contrasts(series: Sequence[Series]) -> list[Contrast]:
    """How results differ in what masking costs, the most striking first: each pair of CPUs whose
    intervals are disjoint; of one result, in itself. Unreliable results make no contrast."""
    if len(series) == 1:
        found = list(_within(series[0].result))
    else:
        called = zip(short_names(series), (one.result for one in series))
        found = [one for pair in combinations(called, 2) for one in _between(*pair)]
    return sorted(found, key=lambda one: one.striking, reverse=True)


def act(one: Cost) -> str:
    """What the primitive does, as it stands before "costs 12 core cycles"."""
    return ACTS[one.probe]


def capital(text: str) -> str:
    """As the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def costs(result: Result) -> Iterable[Entry]:
    """The entries that are costs: controls are what these are trusted by."""
    known = catalogue.by_key()
    for entry in result.figures.values():
        probe = known.get(entry.probe)
        if probe is None or probe.group != "control":
            yield entry


def _native(result: Result, name: str) -> bool:
    backend, probe = name.split("/")[:2]
    return result.context.masking.native(backend, probe)


def _way(result: Result, name: str) -> str:
    """How interrupts are masked in what a benchmark ran."""
    return masking.way(result.context.masking.kind_of(*name.split("/")[:2]))


def _added(result: Result, back_to_back: Cost) -> Cost | None:
    backend, probe = back_to_back.name.split("/")[:2]
    return cost(result, f"{backend}/{probe}/in_situ/{WORK}")


def _said_of_masking(result: Result) -> str:
    """The first sentence."""
    back_to_back = save_restore(result)
    if back_to_back is None:
        return ""
    subject = act(back_to_back)
    if back_to_back.name.startswith("ring3/"):
        subject = f"in user mode, which cannot mask, {subject}"
    if not _native(result, back_to_back.name):
        subject += f", which this kernel does {_way(result, back_to_back.name)},"
    text = f"{capital(subject)} {_verb(back_to_back)} {back_to_back.text}"
    added = _added(result, back_to_back)
    if added:
        text += f" back to back; around {WORK} cycles of work it adds {added.text}"
    return f"{text}."


def _verb(one: Cost) -> str:
    """The verb: instructions are counted."""
    return "takes" if one.unit == "instructions" else "costs"


def _said_of_modern(result: Result) -> str:
    for classic, new in _classic_and_modern(result):
        return f"{capital(act(new))} {_verb(new)} {new.text}; with popf, {classic.text}."
    return ""


def _said_of_the_kernel(result: Result) -> str:
    """What the kernel's function costs, where the first sentence is about ring 3."""
    found = cost(result, f"{_THROUGH_BPF}/throughput")
    first = save_restore(result)
    if found is None or first is None or not first.name.startswith("ring3/"):
        return ""
    text = f"Called from BPF, the kernel's own function costs {found.text}"
    if not _native(result, found.name):
        return f"{text}; it masks {_way(result, found.name)}."
    for one in result.context.derived:
        if one.name == f"{_THROUGH_BPF}/alone":
            low, high = number(one.low, 1), number(one.high, 1)
            text += f", of which {number(one.cycles, 1)} are masking (an estimate: {low} to {high})"
    return f"{text}."


def _classic_and_modern(result: Result) -> Iterable[tuple[Cost, Cost]]:
    for backend in ("kmod", "kvm"):
        pair = [
            cost(result, f"{backend}/{probe}/throughput")
            for probe in ("save_cli_popf", "save_cli_test_sti")
        ]
        if pair[0] and pair[1]:
            yield pair[0], pair[1]


def _within(result: Result) -> Iterable[Contrast]:
    back_to_back = save_restore(result)
    added = _added(result, back_to_back) if back_to_back else None
    if back_to_back and added and _not_comparable(added, back_to_back):
        text = (
            f"{act(added)} costs {back_to_back.amount} {added.unit} back to back, but adds "
            f"{added.amount} around {WORK} cycles of work"
        )
        yield Contrast(added, back_to_back, text)
    for classic, new in _classic_and_modern(result):
        low, high = sorted((classic, new), key=lambda one: one.figure.value)
        if _not_comparable(low, high):
            said = f"{act(high)} {_verb(high)} {high.amount} {high.unit}"
            yield Contrast(low, high, f"{said}; {_how(low)}, {low.amount}")


def _how(one: Cost) -> str:
    return f"with {act(one).partition(' with ')[2]}"


def _between(one: tuple[str, Result], other: tuple[str, Result]) -> Iterable[Contrast]:
    for name in one[1].figures:
        backend, probe, mode = name.split("/", 2)
        if probe not in ACTS or mode not in ("throughput", f"in_situ/{WORK}"):
            continue
        if masking.not_comparable(one[1].context.masking, other[1].context.masking, backend, probe):
            continue
        costs = [(found, who) for who, result in (one, other) if (found := cost(result, name))]
        costs.sort(key=lambda pair: pair[0].figure.value)
        entries = [result.figures[name] for _, result in (one, other) if name in result.figures]
        margin = estimators_differ(entries[0], entries[-1])
        if len(costs) == 2 and _not_comparable(costs[0][0], costs[1][0], margin):
            yield _contrast(*costs)


def _contrast(one: tuple[Cost, str], other: tuple[Cost, str]) -> Contrast:
    (low, cheaper), (high, other_cpu) = one, other
    amounts = f"{low.amount} {low.unit} on {cheaper} and {high.amount} on {other_cpu}"
    if "/in_situ/" in low.name:
        text = f"around {WORK} cycles of work, {act(low)} adds {amounts}"
    else:
        text = f"{act(low)} {_verb(low)} {amounts}"
    if low.figure.value >= _LEAST:
        text += f", {number(high.figure.value / low.figure.value, 1)} times as much"
    return Contrast(low, high, text)


def _not_comparable(low: Cost, high: Cost, margin: float = 0) -> bool:
    """Whether they are reliable, in one unit, and differ by more than their intervals and this."""
    alike = low.unit == high.unit and low.reliable and high.reliable
    return alike and low.figure.high + margin < high.figure.low
