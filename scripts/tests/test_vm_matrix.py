# SPDX-License-Identifier: GPL-2.0-only
"""The table of kernels, the kernels that it needs, and the judgement of a soak; without a guest."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from irqcost import ROOT
from irqcost.base.errors import BuildError, Exit, IrqcostError
from irqcost.commands import vm
from irqcost.measure.guests import measuring, tasks
from irqcost.model import catalogue, reader
from irqcost.model.result import Absent, Result
from irqcost.vm import apt, built, chroot, from_source, kernels, matrix, module, soak
from irqcost.vm.initramfs import Command
from irqcost.vm.kernels import Kernel
from irqcost.vm.qemu import GuestResult, Machine

DATA = Path(__file__).parent / "data"
PROBES = catalogue.read()
EXACT = reader.read_result(DATA / "exact.json")
RT = reader.read_result(DATA / "exact-rt.json")


# --- the table -----------------------------------------------------------------------------------


def test_a_cell_is_the_count_or_a_dash() -> None:
    probes = {probe.key: probe for probe in PROBES}
    known = {e.probe: e.ticks for e in EXACT.figures.values() if e.name.endswith("/throughput")}
    measured = next(key for key in known if key in probes and "kmod/" + key in str(EXACT.figures))
    assert matrix.cell(EXACT, probes[measured]) == f"{known[measured]:.0f}"
    unknown = replace(probes[measured], key="no_such_row")
    assert matrix.cell(EXACT, unknown) == "–"


def test_an_absent_row_has_its_reason() -> None:
    shown = matrix.rows_shown([EXACT], PROBES)
    gone = shown[0].key
    entries = tuple(entry for entry in EXACT.entries if entry.probe != gone)
    absent = (Absent(f"kmod/{gone}/throughput", "this CPU lacks it"),)
    context = replace(EXACT.context, absent=absent)
    context = replace(context, kernel=replace(context.kernel, release="9.9-amd64"))
    other = Result(context, entries)
    [reason] = matrix.reasons([EXACT, other], [shown[0]])
    assert reason == f"`{gone}` (9.9): this CPU lacks it"
    page = matrix.markdown([EXACT, other], PROBES, ["5.10: no archive"])
    assert f"- {reason}\n" in page and "- 5.10: no archive\n" in page
    assert f"| `{gone}` | {matrix.cell(EXACT, shown[0])} | – |" in page
    assert reason in matrix.text([EXACT, other], PROBES)


def test_controls_are_no_rows() -> None:
    assert {probe.group for probe in matrix.rows_shown([EXACT, RT], PROBES)}.isdisjoint({"control"})


def test_kernels_of_the_matrix() -> None:
    assert tasks.matrix_names([]) == list(kernels.DEBIAN_KERNELS)
    assert tasks.matrix_names(["all"]) == [*kernels.NAMES, "tracepoints-on"]
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
    page = tmp_path / "KERNELS.md"
    status = vm.run(parse("--matrix", "5.10", "6.1", "--markdown", str(page)))
    assert status == Exit.UNUSABLE
    assert "- 5.10: no archive has it\n" in page.read_text()
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
    monkeypatch.setattr(measuring, "_default_target", lambda *_: tmp_path / "result.json")
    assert vm.run(parse("--matrix", "tracepoints-on")) == Exit.UNUSABLE
    assert ran.index("switch") < ran.index("insmod")
    # Where it cannot be switched on, there is no column that says it was.
    assert not (tmp_path / "result.json").exists()


def exact(release: str, tracepoints: str | None = None) -> Result:
    kernel = replace(EXACT.context.kernel, release=release, tracepoints=tracepoints)
    return Result(replace(EXACT.context, kernel=kernel), EXACT.entries)


def test_a_setting_has_a_section_where_all_its_columns_are() -> None:
    releases = ["7.0-plain", "7.0-tracepoints", "6.1.0-1-rt-amd64", "7.0-rt", "7.0-rt-bh-lock"]
    some = [exact(release) for release in releases]
    page = matrix.markdown(some, PROBES, [])
    assert "Tracepoints of interrupts" not in page
    assert "| | 7.0-rt | 7.0-rt-bh-lock |\n" in page
    page = matrix.markdown([*some, exact("7.0-tracepoints", "on")], PROBES, [])
    assert "| | 7.0-plain | 7.0-tracepoints | 7.0-tracepoints on |\n" in page


def test_options_that_do_not_go_together() -> None:
    for wrong in (["--matrix", "--smp", "2"], ["--markdown", "x.md"], ["--fuzz", "9", "--exact"]):
        with pytest.raises(IrqcostError, match=wrong[0] if wrong[0] != "--fuzz" else "--exact"):
            vm.run(parse(*wrong))


def test_the_page_is_that_of_the_results() -> None:
    page = (ROOT / "docs" / "KERNELS.md").read_text(encoding="utf-8")
    page = page.removesuffix(built.section_of(page))
    results = [reader.read_result(p) for p in (ROOT / "results/emulated").glob("*-exact.json")]
    known = matrix.column_titles(results)
    titles = next(line for line in page.splitlines() if line.startswith("| | "))
    columns = titles.strip("| ").split(" | ")
    assert sorted(columns) == sorted(known)
    ordered = [results[known.index(title)] for title in columns]
    # The catalogue may have grown since; a row of the page must be what a result says.
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    made = matrix.markdown(ordered, PROBES, []).splitlines()
    assert rows and rows == [line for line in made if line.startswith("| `")]


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


# --- kernels -------------------------------------------------------------------------------------


def test_suites() -> None:
    assert apt.suites_of("bullseye") == (("bullseye",), ("bullseye-security",))
    assert apt.suites_of("experimental") == (("sid", "experimental"), ())
    backports = (("trixie", "trixie-backports"), ("trixie-security",))
    assert apt.suites_of("trixie-backports") == backports
    archive = apt.Archive(apt.Source("http://a.test/debian", ()), apt.Source("http://s.test", ()))
    [only] = apt.parse_deb822(apt.sources_text(archive, "experimental"))
    assert only.suites == ("sid", "experimental")


def test_the_module_is_built_where_its_compiler_is() -> None:
    room = chroot.Chroot(Path("/c/chroot"), Path("/c/root"))
    kernel = Kernel("5.10", "5.10.0-1", Path("/c/v"), Path("/c/root/usr/src/linux-5"), room)
    argv = module.make_argv(kernel, Path("/tmp/build"), "W=1")
    assert argv[0] == "unshare"
    assert argv[argv.index("enter") + 1 :] == [
        *("/c/chroot", "/c/root", str(module.SOURCES.parent), "/tmp/build"),
        *(
            "make",
            "-C",
            "/irqcost/bench_kmod",
            "KDIR=/kernel/usr/src/linux-5",
            "BUILD=/build",
            "W=1",
        ),
    ]


def test_a_compiler_comes_with_its_assembler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []

    def run(command: list[str], _: str) -> str:
        ran.append(command)
        (tmp_path / "c").mkdir()
        return ""

    monkeypatch.setattr(chroot.os, "geteuid", lambda: 0)
    monkeypatch.setattr(chroot.shutil, "which", lambda name: name)
    monkeypatch.setattr(chroot, "output", run)
    chroot.make(tmp_path / "c", "sid", ["gcc-14-for-host"], apt.Source("http://a.test/debian", ()))
    assert "--include=make,binutils,perl,gcc-14-for-host" in ran[0]


def test_kernels_that_need_the_same_compiler_share_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def make(root: Path, suite: str, packages: list[str], source: apt.Source) -> None:
        made.append((suite, packages))
        root.mkdir()

    monkeypatch.setenv("IRQCOST_CACHE", str(tmp_path))
    monkeypatch.setattr(chroot, "make", make)
    archive = apt.Archive(apt.Source("http://a.test/debian", ()), None)
    needs = (["gcc-14", "libelf1t64"], ["libelf1t64", "gcc-14"], ["gcc-15"])
    first, same, other = (
        kernels._toolchain("trixie", needed, archive, lambda text: None) for needed in needs
    )
    assert first == same != other and first.is_dir() and other.is_dir()
    assert made == [("trixie", needs[0]), ("trixie", needs[2])]


def test_only_root_installs_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chroot.os, "geteuid", lambda: 1000)
    with pytest.raises(IrqcostError, match="only root"):
        chroot.make(tmp_path / "c", "sid", [], apt.Source("http://a.test/debian", ()))


def test_a_kernel_is_configured_as_its_recipe_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[list[str]] = []

    def make(argv: list[str], _: str) -> str:
        made.append(argv)
        if argv[-1] == "allnoconfig":
            asked = Path(argv[-2].removeprefix("KCONFIG_ALLCONFIG="))
            (tmp_path / "build/.config").write_text(asked.read_text())
        return ""

    monkeypatch.setattr(from_source, "output", make)
    monkeypatch.setattr(from_source.shutil, "which", lambda name: name)
    for _ in range(2):
        from_source.build("rt-bh-lock", tmp_path, tmp_path / "build", lambda text: None)
    config = (tmp_path / "build/.config").read_text()
    assert "CONFIG_PREEMPT_RT=y\n" in config and 'LOCALVERSION="-rt-bh-lock"\n' in config
    # The second time nothing is configured, and make sees that all is there.
    assert [argv[-1] for argv in made] == ["allnoconfig", "modules", "modules"]
    assert all(f"O={tmp_path}/build" in argv for argv in made)


def test_settings_that_kconfig_did_not_take() -> None:
    wanted = "# comment\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=y\n"
    assert from_source.missing_settings(wanted, "CONFIG_A=y\n# CONFIG_C is not set\n") == [
        "CONFIG_C=y"
    ]


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
