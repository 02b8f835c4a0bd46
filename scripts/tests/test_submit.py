# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost submit`: what may be published, and what identifies a machine or its user."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import results_of
from irqcost import cli
from irqcost.machine import private
from results import committed

_FIGURES = {"ring3/popf/throughput": [20.0, 20.01, 20.02, 20.0, 20.01, 20.02, 20.0, 20.01]}


def _whole(tmp_path: Path, change: Callable[[Any], None] = lambda _: None) -> Path:
    """A result as a run writes it, with one thing changed."""
    path = results_of.run(tmp_path / "whole.json", _FIGURES)
    content = json.loads(path.read_text(encoding="utf-8"))
    content["context"].pop("host_name", None)
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def submit(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = cli.main(["submit", str(path)])
    return code, capsys.readouterr().out


def test_a_whole_result_is_ready_and_the_way_to_send_it_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = submit(_whole(tmp_path), capsys)
    assert code == 0 and "Ready to send" in said and "1 of 1 results reliable" in said
    assert "git add results/" in said and "A result of another CPU or kernel" in said


@pytest.mark.parametrize("name", ["amd-epyc-1a-02-01", "intel-xeon-06-cf-02"])
def test_the_results_that_are_here_may_be_here(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in committed(f"{name}/*.json"):
        code, said = submit(path, capsys)
        assert code == 0, said
        assert "install" not in said  # It lies where it belongs.


@pytest.mark.parametrize(
    "text, what",
    [
        ("root=UUID=0fc63daf-8483-4772-8e79-3d69d8477de4", "a UUID"),
        ("ip=10.0.0.7", "an IP address"),
        ("init=/home/anna/init", "a path"),
        ("anna@example.org", "an e-mail address"),
        ("ifname=net0:52:54:00:12:34:56", "a MAC address"),
    ],
)
def test_what_identifies_a_machine_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, what: str
) -> None:
    def with_text(content: Any) -> None:
        content["context"]["irqcost"]["kernel"]["command_line"] = f"quiet {text}"

    code, said = submit(_whole(tmp_path, with_text), capsys)
    assert code == 1 and f"private: {what}" in said and "kernel.command_line" in said


def test_names_of_this_machine_and_its_users_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private, "names", lambda: ["annas-laptop", "anna"])

    def named(content: Any) -> None:
        content["context"]["irqcost"]["kernel"]["release"] = "6.9.0-annas-laptop"

    code, said = submit(_whole(tmp_path, named), capsys)
    assert code == 1 and "the name of a machine or a user" in said
    assert submit(_whole(tmp_path), capsys)[0] == 0


def test_keys_that_say_that_they_are_private(tmp_path: Path) -> None:
    (one,) = private.found({"a": [{"board_serial": "X7"}], "serial": ""}, [])
    assert (one.where, one.text) == ("a[0].board_serial", "X7")
    # What is known of a kernel and a CPU is not private.
    harmless = {
        "release": "6.18.44-fc-v782",
        "brand": "Test CPU @ 2.45GHz",
        "absent": "/dev/irqcost: No such file or directory",
        "bus": "31 PCI-MSIX-0000:00:01.0 3-edge virtio0-stats",
        "version": "#1 SMP PREEMPT_DYNAMIC @0",
        "row": "kmod/popf/throughput",
    }
    assert not private.found(harmless, ["anna"])


def test_what_is_no_cost_of_a_cpu_is_not_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreliable(content: Any) -> None:
        for entry in content["benchmarks"]:
            entry |= {"verdict": "disturbed", "reasons": ["x"], "label": "disturbed: x"}

    def emulated(content: Any) -> None:
        content["context"]["irqcost"]["execution"]["kind"] = "emulated"

    def cut(content: Any) -> None:
        del content["context"]["irqcost"]["version"]

    for change, reason in ((unreliable, "no result is reliable"), (emulated, "emulated: results/")):
        code, said = submit(_whole(tmp_path, change), capsys)
        assert code == 1 and reason in said
    assert cli.main(["submit", str(_whole(tmp_path, cut))]) == 2
    assert "version is missing" in capsys.readouterr().err
