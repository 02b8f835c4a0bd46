# SPDX-License-Identifier: GPL-2.0-only
"""The table of kernels, and the judgement of a soak; without a guest."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from irqcost import ROOT
from irqcost.base import layout
from irqcost.base.errors import BuildError, Exit, IrqcostError, ResultError
from irqcost.commands import vm
from irqcost.measure.guests import measuring, tasks
from irqcost.model import catalogue, reader
from irqcost.model.result import Absent, Result
from irqcost.vm import built, counts, kernels, matrix
from irqcost.vm import soak
from irqcost.vm.counts import Counts
from irqcost.vm.initramfs import Command
from irqcost.vm.kernels import Kernel
from irqcost.vm.qemu import GuestResult, Machine

DATA = Path(__file__).parent / "data"
PROBES = catalogue.read()
EXACT = reader.read_result(DATA / "exact.json")
RT = reader.read_result(DATA / "exact-rt.json")


# --- the table -----------------------------------------------------------------------------------


def test_a_cell_is_the_count_or_a_dash() -> None:
    found = counts.of(EXACT, PROBES)
    name = "local_irq_save_restore"
    assert matrix.cell(found, name) == "10" and matrix.cell(found, "no_such_probe") == "–"
    some = replace(found, counts={"mean": 10.5625, "varies": 99.6}, varying=frozenset(["varies"]))
    assert [matrix.cell(some, key) for key in ("mean", "varies")] == ["10.56", "≈100"]


def test_counts_of_a_result() -> None:
    """What is repeated back to back, else once between fences; controls are left out."""
    found = counts.of(EXACT, PROBES)
    probes = catalogue.by_key()
    for key, count in found.counts.items():
        mode = "throughput" if probes[key].repeatable else "isolated"
        assert count == EXACT.figures[f"kmod/{key}/{mode}"].ticks
        assert probes[key].group != "control"
    assert found.counts.keys() | found.absent.keys() == {
        p.key for p in PROBES if p.group != "control" and "kmod" in p.backends
    }
    varying = tuple(replace(one, spread=0.5) for one in EXACT.entries)
    assert counts.of(Result(EXACT.context, varying), PROBES).varying == found.counts.keys()


def test_an_absent_row_has_its_reason() -> None:
    gone = "spin_lock"
    entries = tuple(entry for entry in EXACT.entries if entry.probe != gone)
    absent = (Absent(f"kmod/{gone}/throughput", "this CPU lacks it"),)
    context = replace(EXACT.context, absent=absent)
    context = replace(context, kernel=replace(context.kernel, release="9.9-amd64"))
    columns = {
        "6.1": counts.of(EXACT, PROBES),
        "sid": counts.of(Result(context, entries), PROBES),
    }
    [reason] = matrix.reasons(columns, [probe for probe in PROBES if probe.key == gone])
    assert reason == f"`{gone}` (9.9): this CPU lacks it"
    page = matrix.markdown(columns, PROBES)
    assert f"- {reason}\n" in page
    assert f"| `{gone}` | {matrix.cell(columns['6.1'], gone)} | – |" in page
    assert reason in matrix.text(columns, PROBES)


def test_what_is_alike_stands_once() -> None:
    one = counts.Counts("6.1.0-1-amd64", "2026-01-02", {"cli": 1, "spin_lock": 17}, frozenset(), {})
    cloud = replace(one, release="6.1.0-1-cloud-amd64", date="2026-01-03")
    other = replace(one, release="6.12-amd64", counts={"cli": 1, "spin_lock": 19})
    page = matrix.markdown({"6.1": one, "6.1-cloud": cloud, "6.12": other}, PROBES)
    assert (
        "| | 6.1.0-1<br>6.1.0-1-cloud | 6.12 |\n|---|---:|---:|\n| `spin_lock` | 17 | 19 |" in page
    )
    assert "The same on every kernel: `cli` 1.\n" in page and "| `cli` |" not in page
    assert "- 2026-01-02: 6.1.0-1, 6.12\n- 2026-01-03: 6.1.0-1-cloud\n" in page


def test_the_record_is_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "kernels.json"
    assert counts.read(path) == {}
    columns = {"6.1": counts.of(EXACT, PROBES), "6.1-rt": counts.of(RT, PROBES)}
    counts.write(columns, path)
    assert counts.read(path) == columns
    with pytest.raises(ResultError, match="a record of irqcost: counts"):
        reader.read_result(path)


def test_kernels_of_the_matrix() -> None:
    assert tasks.matrix_names([]) == list(kernels.DEBIAN_KERNELS)
    assert tasks.matrix_names(["all"]) == [
        *kernels.NAMES,
        *matrix.OLDER_CPUS,
        *matrix.SWITCHED,
    ]
    assert tasks.matrix_names(["6.12", "5.10"]) == ["5.10", "6.12"]


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    vm.add_parser(parser.add_subparsers())
    return parser.parse_args(["vm", *arguments])


def test_a_kernel_that_cannot_be_had_leaves_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(
        args: measuring.GuestOptions, machine: Machine, setup: Sequence[Command]
    ) -> tuple[Path, Result, int]:
        assert not setup
        assert machine.exact and args.filter == matrix.FILTER
        if args.kernel == "5.10":
            raise IrqcostError("no archive has it\nmore of it")
        return Path("file.json"), EXACT, 0

    monkeypatch.setattr(tasks, "measure", measure)
    record = tmp_path / "kernels.json"
    monkeypatch.setattr(counts, "RECORD", record)
    counts.write({"5.10": counts.of(RT, PROBES), "6.1": counts.of(RT, PROBES)}, record)
    page = tmp_path / "KERNELS.md"
    status = vm.run(parse("--matrix", "5.10", "6.1", "--markdown", str(page)))
    assert status == Exit.UNUSABLE
    # What was counted before stays, and what was counted now takes its place.
    known = counts.read(record)
    assert known == {"5.10": counts.of(RT, PROBES), "6.1": counts.of(EXACT, PROBES)}
    assert page.read_text() == matrix.markdown(known, PROBES)
    out, err = capsys.readouterr()
    assert "file.json" in out and "kernel 5.10: no archive has it" in err
    assert vm.run(parse("--matrix", "6.1")) == Exit.OK


def test_what_is_switched_on_is_on_when_the_module_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def guest(kernel: Kernel, commands: Sequence[Command], **_: object) -> GuestResult:
        ran.extend(one.name for one in commands)
        logs = {f"{name}.log": b"no such file" for name in ran}
        return GuestResult({**dict.fromkeys(ran, 0), "switch": 1}, "", logs)

    own = Kernel("tracepoints", "7.0-tracepoints", Path("/k"), Path("/k"))
    (tmp_path / "irqcost.ko").write_bytes(b"")
    monkeypatch.setattr(measuring.build, "harness", lambda: Path("/bench"))
    monkeypatch.setattr(measuring, "find_kernel", lambda name, *_: {"tracepoints": own}[name])
    monkeypatch.setattr(measuring, "build_module", lambda *_: tmp_path / "irqcost.ko")
    monkeypatch.setattr(measuring, "run_guest", guest)
    monkeypatch.setattr(layout, "results", lambda: tmp_path)
    assert vm.run(parse("--matrix", "tracepoints-on")) == Exit.UNUSABLE
    assert ran.index("switch") < ran.index("insmod")
    # Where it cannot be switched on, there is no column that says it was.
    assert not list(tmp_path.rglob("*.json"))


def test_a_setting_has_a_section_where_all_its_columns_are() -> None:
    def counted(release: str) -> Counts:
        return replace(counts.of(EXACT, PROBES), release=release)

    some = {"6.1-rt": counted("6.1.0-1-rt-amd64"), "rt": counted("7.0-rt")}
    some |= {"rt-bh-lock": counted("7.0-rt-bh-lock"), "plain": counted("7.0-plain")}
    some |= {"tracepoints": counted("7.0-tracepoints")}
    page = matrix.markdown(some, PROBES)
    assert "Tracepoints of interrupts" not in page
    assert "| | 7.0-rt | 7.0-rt-bh-lock |\n" in page
    page = matrix.markdown({**some, "tracepoints-on": counted("7.0-tracepoints")}, PROBES)
    table = page.partition("| | 7.0-plain | 7.0-tracepoints | tracepoints-on |\n")[2]
    assert "| 19 ns | 27 ns | 175 ns |\n" in table.partition("\n\n")[0] + "\n"
    # What one setting changes is no column among kernels that people run.
    assert page.count("7.0-plain") == 2


def test_options_that_do_not_go_together() -> None:
    for wrong in (["--matrix", "--smp", "2"], ["--markdown", "x.md"], ["--fuzz", "9", "--exact"]):
        with pytest.raises(IrqcostError, match=wrong[0] if wrong[0] != "--fuzz" else "--exact"):
            vm.run(parse(*wrong))


@pytest.mark.parametrize("option", [("--filter", "popf"), ("--backends", "ring3")])
def test_the_record_is_of_all_rows(option: tuple[str, str], tmp_path: Path) -> None:
    page = str(tmp_path / "x.md")
    with pytest.raises(IrqcostError, match="leave out --filter and --backends"):
        vm.run(parse("--matrix", "6.1", "--markdown", page, *option))


def test_the_page_is_that_of_the_record() -> None:
    page = (ROOT / "docs" / "KERNELS.md").read_text(encoding="utf-8")
    known = counts.read(counts.RECORD)
    made = matrix.markdown(known, PROBES)
    assert page == made + built.section_of(page), "stale: run ./irqcost vm --matrix … --markdown"
    assert list(known) == [name for name in matrix.COLUMNS if name in known]


# --- where it builds -----------------------------------------------------------------------------

FINE = built.Built("6.1", "6.1.0-1-amd64", "gcc 12")
WARNED = built.Built("sid", "7.2-amd64", "gcc 15", ("run.c:1: warning: what",))


def test_the_table_of_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def find(name: str, *_: object) -> Kernel:
        if name == "5.10":
            raise IrqcostError("no archive has it\nmore of it")
        return Kernel(name, FINE.release, Path("/k"), Path("/k"))

    page = tmp_path / "KERNELS.md"
    page.write_text("old counts\n")

    def build(_: Kernel) -> built.Built:
        page.write_text(page.read_text().removeprefix("old "))
        return FINE

    monkeypatch.setattr(tasks, "find_kernel", find)
    monkeypatch.setattr(built, "build", build)
    options = ["--builds", "--markdown", str(page)]
    assert vm.run(parse("--matrix", "5.10", "6.1", *options)) == Exit.FAILED
    assert "no: no archive has it" in capsys.readouterr().out
    assert page.read_text().startswith("counts\n") and "no archive has it" in page.read_text()
    assert vm.run(parse("--matrix", "6.1", *options)) == Exit.OK
    assert page.read_text().count("## Where the module builds") == 1
    # What was not built again has its row, and its day, of before.
    assert page.read_text().index("no archive") < page.read_text().index("`6.1`")
    assert page.read_text().count("| `6.1` | 6.1.0-1-amd64 | gcc 12 | yes | 0 | 20") == 1


def test_new_counts_leave_the_builds_on_the_page() -> None:
    page = built.with_rows("old counts\n", built.rows([FINE, WARNED], date(2026, 1, 2)))
    assert "| gcc 12 | yes | 0 | 2026-01-02 |" in page and "| gcc 15 | yes | 1 | " in page
    assert page == "old counts\n" + built.section_of(page) and built.section_of("counts") == ""
    assert WARNED.warnings[0] in built.text([WARNED])


def test_a_build_that_fails_has_its_cause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> str:
        raise BuildError(
            "the module does not build:\nmake: x\na.c:1: error: no such thing\nmake: y"
        )

    monkeypatch.setattr(built, "make_module", fail)
    kernel = Kernel("k", "1.0", Path("/k"), Path("/k"))
    assert built.build(kernel).verdict == "no: a.c:1: error: no such thing"


# --- soak ----------------------------------------------------------------------------------------


def soaked(fuzz: str, dmesg: str = "", leaks: str = "", status: int = 0) -> GuestResult:
    logs = {"fuzz.log": fuzz, "kmemleak.log": leaks, "dmesg": dmesg}
    statuses = {"fuzz": status, "kmemleak": 0, "quarantine": 1}
    return GuestResult(statuses, "", {name: text.encode() for name, text in logs.items()})


def test_a_clean_soak() -> None:
    log = "WARNING: of the boot\nirqcost: loading out-of-tree module taints kernel.\nfine\n"
    assert soak.complaints(soaked("requests 100\nmemory_growth_kb 12\n", log)) == []


@pytest.mark.parametrize(
    "guest, complaint",
    [
        (soaked("requests 9\n", status=1), "the program failed"),
        (soaked("requests 0\n"), "no request was made"),
        (soaked("requests 9\n", "BUG: sleeping function"), "BUG: sleeping function"),
        (soaked("requests 9\n", "rcu: INFO: self-detected stall"), "stall"),
        (soaked("requests 9\n", leaks="unreferenced object"), "unreferenced object"),
        (soaked("requests 10000000\nmemory_growth_kb 1600\n"), "grew by 1600 kB"),
    ],
)
def test_what_is_wrong_is_told(guest: GuestResult, complaint: str) -> None:
    [found] = soak.complaints(guest)
    assert complaint in found


def test_what_the_guest_is_asked_for() -> None:
    [fuzz, *_] = soak.fuzz_commands("/m.ko", soak.Amount(60, 5, True, 7))
    assert fuzz.argv == ("/bin/fuzz", "-s", "7", "-t", "60", "-n", "5", "-d", "/m.ko")


def test_exact_figures_are_held_against_those_before() -> None:
    assert soak.differences(EXACT, EXACT) == []
    name, entry = next(iter(EXACT.figures.items()))
    others = tuple(one for one in EXACT.entries if one.name != name)
    count = f"{name}: {entry.ticks:g} instructions before"
    for now, said in (
        ((replace(entry, ticks=entry.ticks + 1),), f"{entry.ticks + 1:g}"),
        ((replace(entry, spread=0.1),), "varies"),
        ((), "missing"),
    ):
        assert soak.differences(EXACT, Result(EXACT.context, (*others, *now))) == [
            f"{count}, {said} afterwards"
        ]


def test_what_varies_by_itself_or_by_time_tells_nothing() -> None:
    name, entry = next(iter(EXACT.figures.items()))
    others = tuple(one for one in EXACT.entries if one.name != name)
    varying = Result(EXACT.context, (*others, replace(entry, spread=0.1)))
    assert soak.differences(varying, EXACT) == []
    assert soak.differences(Result(EXACT.context, ()), EXACT) == ["no figure was exact before"]
    timed = Result(replace(EXACT.context, instruction_clock=False), EXACT.entries)
    [reason] = soak.differences(EXACT, timed)
    assert "no instruction clock" in reason


@pytest.mark.parametrize("more, status", [(0, Exit.OK), (1, Exit.FAILED)])
def test_a_soak_ends_with_figures(
    more: int, status: Exit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = []
    text = (DATA / "exact.json").read_text(encoding="utf-8")
    changed = json.loads(text)
    row = next(one for one in changed["benchmarks"] if one["name"].startswith("kmod/cli_sti/"))
    row["ticks"] += more

    def exactly(kernel: Kernel, data: bytes, bench: Path, amount: soak.Amount) -> GuestResult:
        seconds.append(amount.seconds)
        guest = soaked("requests 9\n")
        measured = {"before.json": text, "after.json": json.dumps(changed)}
        files_back = {name: one.encode() for name, one in measured.items()}
        return replace(guest, files={**guest.files, **files_back})

    own = Kernel("6.1", "6.1.0-1", Path("/k"), Path("/k"))
    monkeypatch.setattr(tasks, "find_kernel", lambda *_: own)
    monkeypatch.setattr(tasks, "build_module", lambda *_: DATA / "exact.json")
    monkeypatch.setattr(tasks.build, "harness", lambda: Path("/bench"))
    monkeypatch.setattr(soak, "run", lambda *_: soaked("requests 9\n"))
    monkeypatch.setattr(soak, "run_exact", exactly)
    assert vm.run(parse("--soak", "2")) == status
    assert seconds == [12]
    out = capsys.readouterr().out
    assert "under the instruction clock" in out
    assert ("are what they were before" in out) is (not more)
    assert ("WRONG: kmod/cli_sti/" in out) is bool(more)
    assert vm.run(parse("--fuzz", "9")) == Exit.OK and len(seconds) == 1
