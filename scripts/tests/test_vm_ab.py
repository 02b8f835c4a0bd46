# SPDX-License-Identifier: GPL-2.0-only
"""One instruction more in a primitive of the kernel's: `ab --vm` and `check` find it in a guest.

Two modules of the same rows take turns in one boot. The second one is compiled as if the kernel's
headers had a nop in local_irq_save(), as a new kernel's might.
"""

import re
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from irqcost import cli
from irqcost.base import jsontext
from irqcost.base.errors import Exit
from irqcost.base.progress import Progress
from irqcost.base.verdicts import Order
from irqcost.compare.ab import counted
from irqcost.measure import build
from irqcost.measure.merge import merge
from irqcost.measure.processes import Process, Target
from irqcost.model import catalogue
from irqcost.vm import both
from irqcost.vm.both import Turn
from irqcost.vm.module import make_module
from vm_guests import kernel, module

pytestmark = pytest.mark.guest

_KERNEL = "6.1"

# The macro as it is without tracing of the interrupt flag, and one instruction more.
_ONE_MORE = """\
#include <linux/irqflags.h>
#undef local_irq_save
#define local_irq_save(flags) do { asm volatile("nop"); raw_local_irq_save(flags); } while (0)
"""

_FILTER = "/(nop|cli_sti|(raw_)?local_irq_.*|spin_lock_irqsave)/(throughput|latency|in_situ/20)$"


@cache
def turns() -> Sequence[Turn]:
    """One boot for all tests."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "one_more.h").write_text(_ONE_MORE)
        (folder / "build").mkdir()
        flags = f"KCFLAGS=-include {folder / 'one_more.h'}"
        make_module(kernel(_KERNEL), folder / "build", flags)
        plain = folder / "plain.ko"
        plain.write_bytes(module(_KERNEL))
        bench = build.harness()
        sides = [both.Side(bench, plain), both.Side(bench, folder / "build" / "irqcost.ko")]
        return both.in_turn(kernel(_KERNEL), sides, counted.TURNS, _FILTER, Progress("guest"))


def calls() -> dict[str, int]:
    """How many times a row calls local_irq_save(), for each row of the kernel's API."""
    found = {}
    for probe in catalogue.read():
        if probe.kind == "call":
            found[probe.key] = len(re.findall(r"(?<![a-z_])local_irq_save\(", probe.code))
    return found


def test_ab_counts_the_instruction_wherever_it_was_added() -> None:
    a, b = ([turn.result for turn in turns() if turn.side == side] for side in (0, 1))
    found = counted.exact(a, b)
    assert len({line.name.split("/")[1] for line in found.lines}) > 8
    for line in found.lines:
        backend, row, _ = line.name.split("/", 2)
        more = calls().get(row, 0) if backend == "kmod" else 0
        assert line.difference.value == more, line
        assert line.difference.status == (Order.SLOWER if more else Order.SAME), line
    assert {3, 2, 1, 0} == {line.difference.value for line in found.lines}
    assert found.code == Exit.FAILED
    # Each build counts the same in both of its turns.
    assert counted.exact(a[:1], a[1:]).code == counted.exact(b[:1], b[1:]).code == Exit.OK


def test_check_finds_the_instruction_without_a_threshold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for number, turn in enumerate(turns()):
        files.append(tmp_path / f"{number}.json")
        document = merge([Process(turn.document, 0)], Target())
        files[-1].write_text(jsontext.dumps(document), encoding="utf-8")
    # A second is the unit of the dates that distinguish a baseline from a new result.
    before, after = files[0], files[1]
    assert cli.main(["check", "--baseline", str(before), str(after)]) == Exit.FAILED
    said = capsys.readouterr().out
    table = said.partition("Slower (instructions)")[2].partition("\n\n")[0]
    slower = set(re.findall(r"kmod/(\w+)/", table))
    measured = {name.split("/")[1] for name in turns()[0].result.figures}
    assert slower == {row for row, count in calls().items() if count and row in measured}
    assert " +1" in table
    assert cli.main(["check", "--baseline", str(before), str(files[3])]) == Exit.OK
