# SPDX-License-Identifier: GPL-2.0-only
"""Backend kvm: its bytes are the module's, and where it is emulated it stays out of comparisons."""

import struct
from pathlib import Path

import pytest

from irqcost.measure import build
from irqcost.measure.merge import merge
from irqcost.measure.processes import Process, Plan, Target, collect
from irqcost.model import members, parsing
from irqcost.model.result import without_emulated
from irqcost.vm.module import build_module

from processes_of import entry, process
from results import document
from vm_guests import kernel

REASON = (
    "the host emulates guest ring 0: a nop costs 1800 core cycles there, against 0.17 in ring 3"
)
BACKENDS = {
    "ring3": {"usable": True},
    "kvm": {"usable": True, "execution": {"kind": "emulated", "reason": REASON}},
}


def emulated_entry(name: str = "kvm/cli_sti/throughput") -> dict[str, object]:
    """As the harness writes it where no core cycle is counted."""
    made = entry(name, 900, label="disturbed: 0 of 20 samples clean", exits=40)
    made["distribution"] = {"unit": "ticks", "clean": [], "contaminated": [1800.0] * 20}
    for key in ("core_cycles", "sensor"):
        del made[key]
    return made


def mixed() -> Process:
    return process(entry("ring3/popf/throughput", 30), emulated_entry(), backends=BACKENDS)


def test_an_emulated_backend_has_that_verdict_and_the_others_their_own() -> None:
    found = merge([mixed()] * 6, Target())["benchmarks"]
    verdicts = {one["name"]: one["verdict"] for one in found}
    assert verdicts == {"ring3/popf/throughput": "good", "kvm/cli_sti/throughput": "emulated"}
    kvm = found[1]
    assert kvm["reasons"] == [f"{REASON}: no measure of a CPU"]
    assert "core_cycles" not in kvm and kvm["ticks"] == 1800 and kvm["exits"] == 240


def test_it_is_not_waited_for() -> None:
    clock = iter(range(1000))
    assert len(collect(lambda request: mixed(), Plan(500), lambda: next(clock))) == 6
    alone = process(emulated_entry(), backends=BACKENDS)
    assert len(collect(lambda request: alone, Plan(500), lambda: next(clock))) == 1


def test_it_enters_no_comparison() -> None:
    merged = merge([mixed()] * 6, Target())
    result = parsing.parse(merged)
    assert [backend.name for backend in result.context.emulated_backends] == ["kvm"]
    assert not result.context.emulated
    assert [one.name for one in without_emulated(result).entries] == ["ring3/popf/throughput"]
    plain = parsing.parse(document("alpha"))
    assert without_emulated(plain) is plain


def test_an_unknown_execution_is_refused() -> None:
    content = document("alpha")
    content["context"]["irqcost"]["backends"] = {
        "kvm": {"usable": True, "execution": {"kind": "dreamt", "reason": "?"}}
    }
    with pytest.raises(members.FormatError, match="kvm.execution.kind is none of"):
        parsing.parse(content)


def windows(path: Path) -> dict[str, bytes]:
    """The code of each timed window in an ELF file, by symbol, without its return."""
    data = path.read_bytes()
    (offset,) = struct.unpack_from("<Q", data, 0x28)
    size, count = struct.unpack_from("<HH", data, 0x3A)
    # name, type, flags, address, offset, size, link, info, alignment, entry size
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, offset + i * size) for i in range(count)]
    linked = struct.unpack_from("<H", data, 0x10)[0] != 1  # ET_REL: values are offsets
    found = {}
    for kind in sections:
        if kind[1] != 2:  # SHT_SYMTAB
            continue
        names = sections[kind[6]][4]
        for place in range(kind[4], kind[4] + kind[5], 24):
            name_at, info, _, index, value, length = struct.unpack_from("<IBBHQQ", data, place)
            end = data.index(b"\0", names + name_at)
            name = data[names + name_at : end].decode()
            if info & 15 == 2 and length and index < count and name.startswith("irqcost_"):
                section = sections[index]
                start = section[4] + value - (section[3] if linked else 0)
                code = data[start : start + length]
                # From `endbr64` to the `pop %rbx` before the return.
                if code.startswith(b"\xf3\x0f\x1e\xfa\x53") and b"\x0f\x31" in code:
                    found[name] = code[: code.rindex(b"\x41\x5c\x5b") + 3]
    return found


@pytest.mark.guest
def test_the_guest_runs_the_bytes_of_the_module() -> None:
    """The guest has the harness's section irqcost_text as it is (GuestMemory's test says so)."""
    module = windows(build_module(kernel("6.1"), lambda text: None))
    harness = windows(build.harness())
    # Per-CPU data, through the kernel's gs, is the module's alone.
    shared = {name: code for name, code in module.items() if not name.endswith("_percpu")}
    assert len(shared) > 400
    assert {name for name, code in shared.items() if harness.get(name) != code} == set()
