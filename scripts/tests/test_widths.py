# SPDX-License-Identifier: GPL-2.0-only
"""What a person reads on a terminal is no wider than it, and says first what was found."""

import json
import re
from pathlib import Path

import pytest

from irqcost import ROOT, cli
from irqcost.compare import since
from irqcost.measure import build
from irqcost.model import reader
from irqcost.model.result import Result
from irqcost.output import terminal
from results import DATA, committed, result
from results_of import run

COLUMNS = (80, 120, 200)
WIDTHS = pytest.mark.parametrize("columns", COLUMNS)

COMMITTED = [
    *committed("*/2*.json"),
    *(DATA / f"{name}.json" for name in ("alpha", "beta", "exact", "exact-rt", "pvm", "schema1")),
]


@pytest.fixture(scope="module", name="simulated")
def _simulated(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A run of all backends on a machine that is not there."""
    folder = tmp_path_factory.mktemp("simulated")
    machine = {"name": "m", "backends": ["ring3", "kmod"]}
    (folder / "m.json").write_text(json.dumps(machine), encoding="utf-8")
    arguments = ["run", "--quick", "--simulate", str(folder / "m.json")]
    assert cli.main([*arguments, "--out", str(folder / "x.json")]) == 0
    return reader.read_result(folder / "x.json")


def too_wide(text: str, columns: int) -> list[str]:
    return [line for line in text.splitlines() if len(line) > columns]


@WIDTHS
@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_result(path: Path, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    found = reader.read_result(path)
    for unit in (None, "ns"):
        for verbose in (False, True):
            text = terminal.text(found, unit, verbose, since.text(None))
            assert too_wide(text, columns) == []
    answer = terminal.text(found, changed=since.text(None)).partition("\n\n")[0]
    assert len(answer.splitlines()) <= 5


@WIDTHS
def test_a_simulated_result(
    simulated: Result, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for verbose in (False, True):
        assert too_wide(terminal.text(simulated, verbose=verbose), columns) == []
    answer = terminal.text(simulated, changed=since.text(None)).partition("\n\n")[0]
    assert len(answer.splitlines()) <= 5 and "SIMULATED" in answer


@WIDTHS
@pytest.mark.parametrize(
    "arguments",
    [
        ["probes"],
        ["doctor"],
        ["doctor", "--host"],
        ["history", "--no-chart", "--all", str(ROOT / "results")],
        ["contention", "--no-chart", *map(str, (ROOT / "results").glob("*/*6.1.0-56-amd64.json"))],
        ["tune", "--dry-run"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_a_command(
    arguments: list[str],
    columns: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    cli.main(arguments)
    out = capsys.readouterr().out
    # Where results lie, and code, have no places to break at.
    assert out and [line for line in too_wide(out, columns) if " " in line.strip()] == []


def answer(found: Result) -> dict[str, str]:
    """The lines of the answer by their labels."""
    text = terminal.text(found).partition("\n\n")[0].replace("\n" + " " * 9, " ")
    return dict(re.findall(r"(?m)^(\w+(?: code)?) +(.*)$", text))


def test_ring_3_alone_does_not_speak_of_masking() -> None:
    found = answer(result("alpha"))
    assert found["Cost"] == (
        "save and restore: 28.0 cycles (8.6 ns) classic, in ring 3 without cli; "
        "modern: needs ring 0"
    )
    assert (
        "Kernel" not in found
        and found["Trust"] == "22 of 24 results are good; 2 unreliable (letters, or -v)"
    )


def test_nothing_is_asserted_of_an_unreliable_run() -> None:
    found = answer(result("pvm"))
    assert found["Cost"] == "unreliable run: none of its 15 costs can be trusted"
    assert set(found) == {"Cost", "Trust"} and "none of 22 results are good" in found["Trust"]


def test_instructions_of_an_emulator_are_no_time() -> None:
    found = answer(result("exact"))
    assert found["Cost"] == "save and restore: 5 instructions classic, 6 modern; EMULATED"
    assert found["Kernel"].endswith("EMULATED") and "nothing about time" in found["Trust"]
    assert "ns" not in found["Cost"].split()


def test_an_emulator_without_an_instruction_clock_has_no_answer() -> None:
    (path,) = (ROOT / "results" / "emulated").glob("*6.1.0-56-amd64.json")
    found = answer(reader.read_result(path))
    assert not re.search(r"\d", found.get("Cost", "")) and set(found) <= {"Cost", "Trust"}


def test_paravirtual_masking_is_named_beside_ring_3() -> None:
    (path,) = committed("amd-*/2*.json")
    found = answer(reader.read_result(path))
    assert "in ring 3 without cli" in found["Cost"] and "PARAVIRTUAL" not in found["Cost"]
    assert found["Kernel"].endswith("from BPF; PARAVIRTUAL: masked by a store (PVM)")
    assert "(unreliable)" in found["Kernel"]
    table = terminal.text(reader.read_result(path))
    assert "\nKernel function, masked by a store (PVM): PARAVIRTUAL\n" in table


def test_only_bpf(tmp_path: Path) -> None:
    steady = [20.0, 20.01, 19.99, 20.0, 20.01, 19.99, 20.0]
    path = run(tmp_path / "x.json", {"bpf/irq_save_restore/throughput": steady})
    found = answer(reader.read_result(path))
    assert "Cost" not in found and found["Kernel"].startswith("20.0 cycles")


def test_what_changed_since_the_last_run(tmp_path: Path) -> None:
    def measured(name: str, cost: float, date: str) -> Path:
        values = [cost + 0.01 * (i % 3) for i in range(12)]
        figures = {"ring3/popf/throughput": values, "ring3/lahf/throughput": [1.0] * 12}
        return run(tmp_path / name, figures, date=f"2026-11-0{date}T00:00:00+00:00")

    first = measured("a.json", 14.0, "1")
    assert since.last_run(first, [tmp_path]) is None
    assert since.text(None) == "first run on this CPU"
    again, slower = measured("b.json", 14.0, "2"), measured("c.json", 16.0, "3")
    assert since.text(since.last_run(again, [tmp_path])) == "nothing since 2026-11-01 00:00"
    assert since.text(since.last_run(slower, [tmp_path])) == (
        "1 slower since 2026-11-02 00:00: restore the flags (push; popf) +2.0 cycles"
    )
    # Nor is it a change where a result says itself that it is not to be relied on.
    wide = [17.0 + 0.4 * (i % 4) for i in range(12)]
    figures = {"ring3/popf/throughput": wide, "ring3/lahf/throughput": [1.0] * 12}
    noisy = run(tmp_path / "n.json", figures, date="2026-11-03T12:00:00+00:00")
    assert since.text(since.last_run(noisy, [tmp_path])) == (
        "nothing since 2026-11-03 00:00; 1 changed, but unreliable"
    )
    noisy.unlink()
    # An earlier run that says nothing about this one is not called none.
    kernel = json.loads(first.read_text())["context"]["irqcost"]["kernel"]
    other = run(
        tmp_path / "d.json",
        {"ring3/popf/throughput": [14.0] * 12},
        date="2026-11-04T00:00:00+00:00",
        kernel={**kernel, "realtime": True},
    )
    said = since.text(since.last_run(other, [tmp_path]))
    assert said.startswith("not comparable with 2026-11-03 00:00: another PREEMPT_RT")


def test_a_run_of_controls_is_not_called_unreliable(tmp_path: Path) -> None:
    figures = {f"ring3/{name}/throughput": [1.0] * 12 for name in ("nop", "dep_add")}
    found = answer(reader.read_result(run(tmp_path / "x.json", figures)))
    assert found["Cost"] == "no cost was measured"


def test_a_quick_run_that_takes_longer_says_on_what(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from irqcost.commands import run as command

    monkeypatch.setattr(command, "_QUICK", 0.0)
    (tmp_path / "m.json").write_text('{"name": "m", "backends": ["ring3"]}', encoding="utf-8")
    arguments = ["run", "--quick", "--simulate", str(tmp_path / "m.json")]
    assert cli.main([*arguments, "--out", str(tmp_path / "x.json")]) == 0
    said = capsys.readouterr().err
    assert re.search(r"Took [\d.]+ s: [\d.]+ to check that the harness is built, ", said)


def test_nothing_is_built_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> Path:
        raise AssertionError("a command that only reads builds nothing")

    monkeypatch.setattr(build, "harness", never)
    file = str(DATA / "alpha.json")
    for arguments in (["probes"], ["doctor"], ["compare", "--no-chart", file, file]):
        assert cli.main(arguments) in (0, 1)
