# SPDX-License-Identifier: GPL-2.0-only
"""Two builds in turn: on fakes whose costs are known, from the command line to the exit code."""

import json
import os
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from processes_of import calibration, entry, process
from irqcost import cli
from irqcost.base.errors import Exit, IrqcostError
from irqcost.base.verdicts import Order
from irqcost.commands import ab
from irqcost.compare.ab import builds, counted, loaded, outcome, timed
from irqcost.measure.processes import Process, Request
from irqcost.output import ab_table
from irqcost.stats import difference
from irqcost.vm import both
from irqcost.vm.kernels import Kernel
from irqcost.vm.qemu import GuestResult

POPF = "ring3/popf/throughput"
LAHF = "ring3/lahf/throughput"
DISTURBED = "disturbed: 3 of 400 samples clean"


class Side:
    """A build whose processes have these costs, one after the other."""

    def __init__(self, name: str, log: list[str], costs: Sequence[float], **more: Any) -> None:
        self.name, self.log, self.costs, self.more = name, log, iter(costs), more
        self.asked: list[tuple[Sequence[str], int | None]] = []

    def __call__(self, request: Request, cpu: int | None) -> Process:
        assert request.names is not None
        self.log.append(self.name)
        self.asked.append((request.names, cpu))
        cost = next(self.costs)
        context = {"cpu": {"measured": 7 if cpu is None else cpu}}
        return process(*(entry(name, cost, **self.more) for name in request.names), **context)


def test_builds_take_turns_each_pair_on_one_cpu() -> None:
    order: list[str] = []
    a, b = Side("A", order, [13.0] * 4), Side("B", order, [14.0] * 4)
    pairs = timed.interleaved([a, b], 4, [POPF])
    assert "".join(order) == "ABBAABBA"
    assert [[e.entries[0]["core_cycles"] for e in pair] for pair in pairs] == [[13, 14]] * 4
    # The first of a pair chooses, the second one follows.
    assert [cpu for _, cpu in a.asked] == [None, 7, None, 7]
    assert [cpu for _, cpu in b.asked] == [7, None, 7, None]


def test_what_was_disturbed_is_measured_again_and_not_for_ever() -> None:
    order: list[str] = []
    log = [Side(name, order, [30.0] * 20, label=DISTURBED) for name in "AB"]
    assert len(timed.interleaved(log, 8, [POPF])) == 16
    assert {names for names, _ in log[0].asked} == {(POPF,)}

    class Once(Side):
        """One benchmark is disturbed in the first process, and needs one pair more."""

        def __call__(self, request: Request, cpu: int | None) -> Process:
            found = super().__call__(request, cpu)
            if len(self.asked) == 1:
                found.entries[0]["label"] = DISTURBED
            return found

    once = [Once("A", order, [30.0] * 9), Side("B", order, [30.0] * 9)]
    assert len(timed.interleaved(once, 8, [POPF, LAHF])) == 9
    assert once[1].asked[-1][0] == (POPF,)
    assert all(names == (POPF, LAHF) for names, _ in once[1].asked[:-1])


def test_an_emulated_cpu_is_refused() -> None:
    def emulated(request: Request, cpu: int | None) -> Process:
        return process(entry(POPF, 1.0), execution={"kind": "emulated", "reason": ""})

    with pytest.raises(IrqcostError, match="--vm"):
        timed.interleaved([emulated, emulated], 8, [POPF])

    class Once(Side):
        """The first process was disturbed while it looked how the CPU executes."""

        def __call__(self, request: Request, cpu: int | None) -> Process:
            found = super().__call__(request, cpu)
            return emulated(request, cpu) if len(self.asked) == 1 else found

    order: list[str] = []
    sides = [Once("A", order, [30.0] * 9), Side("B", order, [30.0] * 9)]
    assert len(timed.interleaved(sides, 8, [POPF])) == 8


def compared(a: float, b: float, pairs: int = 16, **more: Any) -> outcome.Outcome:
    both_sides = (process(entry(POPF, a)), process(entry(POPF, b, **more)))
    return outcome.Outcome(timed.judged([both_sides] * pairs, 0.125, 0.3), "core cycles")


def words(found: outcome.Outcome) -> list[str]:
    return [line.difference.status for line in found.lines]


def test_a_slower_build_is_told_and_ends_with_1() -> None:
    assert words(compared(30, 30.25)) == [Order.SLOWER]
    assert compared(30, 30.25).code == Exit.FAILED
    assert compared(30, 29).code == Exit.OK
    assert compared(30, 30).code == Exit.OK
    assert compared(30, 31, pairs=5).code == Exit.UNDECIDED
    # 0.3 % of 300 is more than 0.125.
    assert words(compared(300, 300.5)) == [Order.SAME]


def test_a_disturbed_process_makes_no_pair() -> None:
    found = compared(30, 31, label=DISTURBED)
    assert words(found) == [Order.UNDECIDED]
    assert "1 undecided" in ab_table.text(found) and "--pairs" in ab_table.text(found)
    assert "--pairs" not in ab_table.text(compared(30, 31))


def of_version(cost: float, sensor: float, **ours: Any) -> Process:
    """A process of an older harness where nothing else is said: it names neither tolerance nor
    latency."""
    floors = {"ring3": {"sensor_cycles": sensor, "ticks_per_cycle": 2}}
    found = process(entry(POPF, cost, sensor=sensor * 1.04), baselines=floors)
    context = found.document["context"]["irqcost"]
    del context["calibration"]
    context.update(ours)
    return found


def test_each_build_is_judged_by_its_own_sensor_and_clock() -> None:
    # The older build allows a sensor 5 % more; and its clock counted cycles of another length.
    newer = process(entry(POPF, 13.0, sensor=0.2), floor=0.2)
    pairs = [(of_version(13.0, 0.15), newer)] * 16
    assert timed.undisturbed(pairs) == {POPF: [(13.0, 13.0)] * 16}
    assert words(outcome.Outcome(timed.judged(pairs, 0.125, 0.3), "core cycles")) == [Order.SAME]
    swapped = [(b, a) for a, b in pairs]
    assert len(timed.undisturbed(swapped)[POPF]) == 16


def test_a_process_that_found_another_latency_makes_no_pair() -> None:
    right, wrong = (
        process(entry(POPF, cost), calibration=calibration(latency))
        for cost, latency in ((12.0, 3), (16.0, 4))
    )
    pairs = [(right, right)] * 7 + [(right, wrong)]
    assert timed.undisturbed(pairs) == {POPF: [(12.0, 12.0)] * 7}


def test_each_build_is_told_the_level_of_its_own_sensor() -> None:
    asked: list[dict[str, float]] = []

    def side(sensor: float) -> timed.Measure:
        def measure(request: Request, cpu: int | None) -> Process:
            asked.append(dict(request.sensor_levels))
            return process(entry(POPF, 13.0, sensor=sensor), floor=sensor)

        return measure

    timed.interleaved([side(0.2), side(0.15)], 3, [POPF])
    assert asked[:2] == [{}, {}]
    assert asked[-2:] == [{"ring3": 0.2}, {"ring3": 0.15}]


def test_two_odd_pairs_of_sixteen_decide_nothing_alone() -> None:
    usual = (process(entry(POPF, 30)), process(entry(POPF, 30.25)))
    odd = [(process(entry(POPF, 30)), process(entry(POPF, cost))) for cost in (10, 90)]
    names = [POPF, *(f"ring3/row{n}/throughput" for n in range(95))]
    confidence = timed._confidence(len(names))
    (line,) = timed.judged([usual] * 14 + odd, 0.125, 0.3)
    assert line.difference.status == Order.SLOWER
    # And so it is where 96 figures are to be right together.
    values = [0.25] * 14 + [-20.0, 60.0]
    assert difference.judge(values, 0.125, confidence).status == Order.SLOWER
    assert difference.judge(values, 0.125, timed._confidence(97)).status == Order.UNDECIDED


def test_a_benchmark_that_one_of_them_cannot_measure_is_named() -> None:
    pairs = [(process(entry(POPF, 30), entry(LAHF, 1)), process(entry(POPF, 30)))] * 16
    found = outcome.Outcome(
        timed.judged(pairs, 0.125, 0.3), "core cycles", missing=timed.missing(pairs, [POPF, LAHF])
    )
    assert list(found.missing) == [LAHF] and [line.name for line in found.lines] == [POPF]
    assert f"Not measured in one of the two: {LAHF}" in ab_table.text(found)
    assert found.code == Exit.UNUSABLE


def test_only_common_benchmarks_are_compared_and_the_others_named() -> None:
    names, notes = outcome.common([["a", "b", "c"], ["d", "c", "b"]])
    assert names == ["b", "c"]
    assert notes == ["Only in A, not compared: a", "Only in B, not compared: d"]
    assert outcome.common([["a"], ["a"]]) == (["a"], [])
    with pytest.raises(IrqcostError, match="no benchmark in common"):
        outcome.common([["a"], ["b"]])


def test_other_code_under_the_same_name_is_told() -> None:
    a, b = {"popf": "popf", "nop": "nop"}, {"popf": "nop; popf", "x": ""}
    assert outcome.other_code(a, b) == ["Other code under the same name: popf"]
    assert outcome.other_code(a, a) == []


def result(absent: Sequence[str] = (), unusable: Sequence[str] = (), **ticks: float) -> Any:
    figures = {f"kmod/{row}/isolated": SimpleNamespace(ticks=value) for row, value in ticks.items()}
    context = SimpleNamespace(
        code={"a": str(ticks.get("a"))},
        absent=[SimpleNamespace(name=name) for name in absent],
        backends=[SimpleNamespace(name=name, usable=False) for name in unusable],
    )
    return SimpleNamespace(figures=figures, context=context)


def test_under_the_instruction_clock_one_instruction_counts() -> None:
    found = counted.exact([result(a=31, b=4)] * 2, [result(a=32, c=9)] * 2)
    assert [(line.name, line.difference.value) for line in found.lines] == [("kmod/a/isolated", 1)]
    assert words(found) == [Order.SLOWER] and found.code == Exit.FAILED
    assert found.notes == [
        "Only in A, not compared: kmod/b/isolated",
        "Only in B, not compared: kmod/c/isolated",
        "Other code under the same name: a",
    ]
    assert counted.exact([result(a=31)] * 2, [result(a=31)] * 2).code == Exit.OK
    # A count that differs between two turns of one build does not count.
    assert words(counted.exact([result(a=31), result(a=31)], [result(a=31), result(a=32)])) == [
        Order.UNDECIDED
    ]


@pytest.mark.parametrize(
    "b",
    [
        [result(a=31, absent=["kmod/b"])] * 2,
        [result(a=31, absent=["kmod/b/isolated"])] * 2,
        [result(a=31, unusable=["kmod"])] * 2,
        [result(a=31, b=4), result(a=31)],
    ],
    ids=["row", "mode", "backend", "one turn"],
)
def test_what_a_build_could_not_measure_is_no_success(b: list[Any]) -> None:
    found = counted.exact([result(a=31, b=4)] * 2, b)
    assert list(found.missing) == ["kmod/b/isolated"] and found.code == Exit.UNUSABLE
    assert [line.name for line in found.lines] == ["kmod/a/isolated"]


def test_both_modules_take_turns_in_the_guest() -> None:
    listed = both.commands((0, 1, 1, 0), "cli")
    assert [one.name for one in listed[:3]] == ["insmod-1", "measure-1", "rmmod-1"]
    assert [one.argv[1][1] for one in listed if one.name.startswith("insmod")] == list("0110")
    assert [one.argv[0][1] for one in listed if one.name.startswith("measure")] == list("0110")
    assert all("--benchmark_filter=cli" in one.argv for one in listed if "measure" in one.name)
    assert "--benchmark_filter" not in str(both.commands((0, 1), None))


def test_a_turn_without_a_result_says_why() -> None:
    status = {"insmod-2": 1, "measure-2": 2, "rmmod-2": 0}
    logs = {"insmod-2.log": b"Invalid module format", "measure-2.log": b"no such flag"}
    with pytest.raises(IrqcostError, match="turn 2: insmod fails in the guest: Invalid module"):
        both.turn_of(GuestResult(status, "", logs), 2, 1)
    with pytest.raises(IrqcostError, match="turn 2: .*\nno such flag"):
        both.turn_of(GuestResult({**status, "insmod-2": 0}, "", logs), 2, 1)


# A project as small as can be, whose harness tells what its revision says.
_PRESETS = {
    "version": 3,
    "configurePresets": [{"name": "release", "binaryDir": "${sourceDir}/build/release"}],
}
_CMAKE = """\
cmake_minimum_required(VERSION 3.22)
project(small LANGUAGES NONE)
file(COPY bench_user/ DESTINATION bench_user)
add_custom_target(irqcost_bench)
"""
_BENCH = """\
#!/bin/sh
here=$(dirname "$0")
for argument; do
  case $argument in
  --help) echo "--irqcost_time=S" && exit ;;
  --irqcost_time=* | --irqcost_backends=* | --irqcost_cpu=*) ;;
  --irqcost_*) echo "unknown flag $argument" >&2 && exit 2 ;;
  --benchmark_list_tests) cat "$here/names" ;;
  --benchmark_out=*) cp "$here/process.json" "${argument#*=}" ;;
  esac
done
echo "$here" >>"$IRQCOST_CACHE/turns"
"""


def write(folder: Path, costs: dict[str, float], cmake: str = _CMAKE) -> Path:
    """A version of the project with rows of these costs."""
    user = folder / "bench_user"
    user.mkdir(parents=True, exist_ok=True)
    (folder / "bench_kmod").mkdir(exist_ok=True)
    (folder / "bench_kmod" / "Kbuild").write_text("")
    (folder / "CMakePresets.json").write_text(json.dumps(_PRESETS))
    (folder / "CMakeLists.txt").write_text(cmake)
    (folder / ".gitignore").write_text("build\n")
    (user / "main.cc").write_text("")
    (user / "irqcost-bench").write_text(f"{_BENCH}# {costs}\n")
    (user / "irqcost-bench").chmod(0o755)
    (user / "names").write_text("".join(f"{name}\n" for name in costs))
    found = process(*(entry(name, cost) for name, cost in costs.items()))
    (user / "process.json").write_text(json.dumps(found.document))
    return folder


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(name="repo")
def _repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository: tag fast, then slow, other (other rows), broken, and foreign."""
    cache = tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setenv("IRQCOST_CACHE", str(cache))
    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init", "-q")
    versions: dict[str, tuple[dict[str, float], str]] = {
        "fast": ({POPF: 30.0}, _CMAKE),
        "slow": ({POPF: 30.25}, _CMAKE),
        "other": ({POPF: 30.0, LAHF: 1.0}, _CMAKE),
        "broken": ({POPF: 30.0}, _CMAKE + 'message(FATAL_ERROR "no compiler of this kind")\n'),
    }
    for tag, (costs, cmake) in versions.items():
        write(repo, costs, cmake)
        git(repo, "add", "-A")
        git(repo, "commit", "-q", "-m", f"Be {tag}")
        git(repo, "tag", tag)
    git(repo, "rm", "-q", "CMakePresets.json")
    git(repo, "commit", "-q", "-m", "Be foreign")
    git(repo, "tag", "foreign")
    git(repo, "checkout", "-q", "slow")
    find = builds.find
    monkeypatch.setattr(ab.builds, "find", lambda asked, root=repo: find(asked, root))
    return repo


def main(*arguments: str | Path) -> int:
    return cli.main(["ab", "--pairs", "6", *map(str, arguments)])


def test_revisions_are_built_in_the_cache_and_compared(
    repo: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main("fast", "slow") == Exit.FAILED
    said = capsys.readouterr().out
    assert f"A: fast: {git(repo, 'rev-parse', '--short=12', 'fast')} Be fast" in said
    assert "B against A: 1 slower" in said and "+0.250" in said
    assert main("slow", "fast") == Exit.OK
    # Two names were asked for at first; then the turns. The repository knows nothing of it.
    turns = (tmp_path / "cache" / "turns").read_text().splitlines()[2:14]
    fast = git(repo, "rev-parse", "fast")
    assert "".join("A" if fast in turn else "B" for turn in turns) == "ABBAABBAABBA"
    assert (
        git(repo, "status", "--porcelain") == "" and git(repo, "worktree", "list").count("\n") == 0
    )


def test_a_folder_and_the_same_twice(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(repo, repo) == Exit.OK
    said = capsys.readouterr().out
    assert "Their harnesses are the same, byte for byte" in said and "1 same" in said
    assert f"A: {repo}: {git(repo, 'rev-parse', '--short=12', 'HEAD')} Be slow\n" in said
    (repo / "bench_user" / "main.cc").write_text("// changed")
    assert main(repo, "fast") == Exit.OK
    assert "Be slow, with uncommitted changes in 1 file\n" in capsys.readouterr().out


def test_a_folder_without_git_and_a_program(
    repo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = write(tmp_path / "plain", {POPF: 30.25})
    program = plain / "bench_user" / "irqcost-bench"
    assert main("fast", plain) == Exit.FAILED
    assert "B: " in (said := capsys.readouterr().out) and "a folder without git" in said
    assert main(program, plain) == Exit.OK
    assert f"A: {program}: program, sha256" in capsys.readouterr().out
    assert main(program, plain, "--vm") == Exit.UNUSABLE
    assert "a program has no module with it" in capsys.readouterr().err


def test_other_rows_are_named(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("fast", "other") == Exit.OK
    assert f"Only in B, not compared: {LAHF}" in capsys.readouterr().out


def test_what_cannot_be_compared_is_an_error_that_says_why(
    repo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*arguments: str | Path, code: Exit = Exit.UNUSABLE) -> str:
        assert main(*arguments) == code
        return capsys.readouterr().err

    text = said("fast", "broken", code=Exit.BUILD_FAILED)
    assert "broken: the harness does not build" in text
    assert "no compiler of this kind" in text
    assert "foreign: not a checkout of irqcost: CMakePresets.json is missing" in said(
        "fast", "foreign"
    )
    assert "no-such: not a file, a folder or a revision: fatal: " in said("no-such", "fast")
    (tmp_path / "empty").mkdir()
    assert "not a checkout of irqcost" in said(tmp_path / "empty", "fast")
    (tmp_path / "note").write_text("no program")
    assert "not an executable" in said("fast", tmp_path / "note")
    (tmp_path / "gone").symlink_to("nowhere")
    assert "neither a folder nor a regular file" in said("fast", tmp_path / "gone")
    assert "--pairs" in said("fast", "slow", "--pairs", "2")
    assert "threshold" in said("fast", "slow", "--threshold-cycles", "-1")
    assert "threshold" in said("fast", "slow", "--threshold-percent", "nan")
    assert "--vm measures with all backends" in said("fast", "slow", "--vm", "--backends", "ring3")


def test_a_hook_of_another_repository_changes_nothing(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    git(other, "commit", "-q", "--allow-empty", "-m", "Be another")
    # As git sets them where it starts a hook.
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert builds.find("fast", repo).about.endswith(" Be fast")
    assert builds.find(str(repo), repo).about.endswith(" Be slow")


def test_a_shallow_clone_is_told_how_to_get_the_rest(repo: Path, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth", "1", "--no-tags", f"file://{repo}", str(shallow))
    with pytest.raises(IrqcostError, match="git fetch --unshallow"):
        builds.find("HEAD~1", shallow)
    with pytest.raises(IrqcostError) as whole:
        builds.find("no-such", repo)
    assert "unshallow" not in str(whole.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_checkout_of_another_owner_has_gits_own_words(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for path in (repo, *repo.rglob("*")):
        os.lchown(path, 12345, 12345)
    with pytest.raises(IrqcostError, match="dubious ownership.*git config --global --add safe"):
        builds.find("fast", repo)
    assert "dubious ownership" in builds.find(str(repo), repo).about


def test_too_few_pairs_for_so_many_figures(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("other", "other") == Exit.UNUSABLE
    assert "--pairs 6: too few for 2 figures" in capsys.readouterr().err


def test_the_cache_keeps_the_latest(
    repo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(builds, "_KEPT", 2)
    trees = [builds.find(tag, repo).source for tag in ("fast", "slow", "other")]
    assert [tree is not None and tree.is_dir() for tree in trees] == [False, True, True]
    # Using one again makes it a late one.
    builds.find("slow", repo)
    builds.find("fast", repo)
    assert [tree is not None and tree.is_dir() for tree in trees] == [True, True, False]


def fake(folder: Path, name: str, code: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{code}\n")
    (folder / name).chmod(stat.S_IRWXU)


@pytest.fixture(name="modules")
def _modules(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """insmod and rmmod that only write down what they were asked for."""
    log = tmp_path / "log"
    log.write_text("")
    for name in ("insmod", "rmmod"):
        fake(tmp_path / "bin", name, f'echo "{name} $*" >>{log}')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    kernel = Kernel("running", "6.1", tmp_path / "vmlinuz", tmp_path)
    monkeypatch.setattr(ab, "running_kernel", lambda: kernel)

    def built(self: builds.Build, kernel: Kernel, say: object) -> Path:
        module = tmp_path / f"{self.asked}.ko"
        module.write_text(self.asked)
        return module

    monkeypatch.setattr(builds.Build, "module", built)
    return log


def test_each_module_is_loaded_for_its_turn(modules: Path) -> None:
    assert main("fast", "slow", "--backends", "ring3,kmod") == Exit.FAILED
    log = modules.read_text().splitlines()
    assert log[1::2] == ["rmmod irqcost"] * (len(log) // 2)
    loads = [Path(line.removeprefix("insmod ")).stem for line in log[::2]]
    # Both are asked for what they can measure, then they take turns.
    assert loads == ["fast", "slow", *["fast", "slow", "slow", "fast"] * 3]


def test_a_module_is_unloaded_whatever_happens(
    modules: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails() -> None:
        with loaded.loaded(Path("a.ko")):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fails()
    assert modules.read_text().splitlines() == ["insmod a.ko", "rmmod irqcost"]
    modules.write_text("")
    run = loaded._run

    def interrupted(*command: str) -> None:
        run(*command)
        if command[0] == "insmod":
            raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(loaded, "_run", interrupted)
        fails()
    assert modules.read_text().splitlines() == ["insmod a.ko", "rmmod irqcost"]

    def earlier(*command: str) -> None:
        raise KeyboardInterrupt if command[0] == "insmod" else IrqcostError("not loaded")

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(loaded, "_run", earlier)
        fails()
    modules.write_text("insmod a.ko\nrmmod irqcost\n")
    fake(tmp_path / "bin", "insmod", "echo 'Invalid module format' >&2; exit 1")
    assert main("fast", "slow", "--backends", "kmod") == Exit.UNUSABLE
    assert "fast.ko` failed: Invalid module format" in capsys.readouterr().err
    assert modules.read_text().count("rmmod") == 1  # what was not loaded is not unloaded


def test_what_a_kernel_needs_for_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(match: str) -> None:
        with pytest.raises(IrqcostError, match=match):
            loaded.running_kernel(tmp_path)

    monkeypatch.setattr(loaded.platform, "release", lambda: "6.1")
    monkeypatch.setattr(loaded.os, "geteuid", lambda: 1000)
    refused("loads no modules.*--vm")
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "modules").write_text("")
    refused("install the headers of kernel 6.1")
    (tmp_path / "lib/modules/6.1/build").mkdir(parents=True)
    refused("only root")
    monkeypatch.setattr(loaded.os, "geteuid", lambda: 0)
    assert loaded.running_kernel(tmp_path).headers == tmp_path / "lib/modules/6.1/build"
    (tmp_path / "sys/module/irqcost").mkdir(parents=True)
    refused("rmmod irqcost, and run this again")
