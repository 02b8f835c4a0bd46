# SPDX-License-Identifier: GPL-2.0-only
"""Guests that end well, die or hang, and the command `irqcost vm` from end to end."""

import argparse
from pathlib import Path

import pytest

from irqcost.base.errors import Exit
from irqcost.commands import vm
from irqcost.model import reader
from irqcost.vm.initramfs import Command
from irqcost.vm.qemu import GuestDied, run_guest
from vm_guests import TIME_LIMIT, kernel

pytestmark = pytest.mark.guest


def test_statuses_output_and_files_come_back() -> None:
    binary = bytes(range(256)) * 300
    result = run_guest(
        kernel("6.12"),
        [
            Command("well", ("sh", "-c", "echo out; echo err >&2; cat /data >/out/copy")),
            Command("badly", ("sh", "-c", "exit 7")),
            Command("killed", ("sh", "-c", "kill -9 $$")),
            Command("missing", ("/no/such/program",)),
            Command("loud", ("echo", "to the console"), capture=False),
        ],
        files={"/data": binary},
    )
    assert result.status == {"well": 0, "badly": 7, "killed": 137, "missing": 127, "loud": 0}
    assert result.log("well") == "out\nerr\n"
    assert result.files["copy"] == binary
    assert "to the console" in result.console


def test_a_panic_is_shown() -> None:
    crash = Command("crash", ("sh", "-c", "echo c >/proc/sysrq-trigger"))
    with pytest.raises(GuestDied, match=r"(?s)nothing came back.*sysrq triggered crash") as died:
        run_guest(kernel("6.12"), [crash])
    assert died.value.code == Exit.GUEST_DIED


def test_a_guest_that_hangs_is_ended() -> None:
    with pytest.raises(GuestDied, match="timed out after 3 s"):
        run_guest(kernel("6.12"), [Command("hang", ("sleep", "100000"))], time_limit=3)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    vm.add_parser(parser.add_subparsers())
    out = tmp_path / "result.json"
    options = ["--kernel", "6.12", "--filter", "kmod/(cli|sti)/", "--out", str(out)]
    options += ["--time-limit", str(TIME_LIMIT)]
    assert vm.run(parser.parse_args(["vm", *options])) == 0
    result = reader.read_result(out)
    assert {entry.name for entry in result.entries} == {
        f"kmod/{key}/{mode}" for key in ("cli", "sti") for mode in ("throughput", "isolated")
    }
    assert result.context.emulated and not result.context.instruction_clock
    assert str(out) in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
