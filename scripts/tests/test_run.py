# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost run`, with a harness that measures nothing: what it is asked, and what is kept."""

import fcntl
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from irqcost import ROOT, cli
from irqcost.base import arguments
from irqcost.base.errors import IrqcostError
from irqcost.machine import host, hostfacts, kconfig
from irqcost.machine.quota import Quota
from irqcost.measure import build, harness, running
from irqcost.measure.options import Options
from irqcost.measure.processes import Target
from processes_of import entry, process
from results import document, path

_FAKE = """\
#!{python}
import json, shutil, sys, time
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
flags = dict(a.partition("=")[::2] for a in sys.argv[1:])
names = [b["name"] for b in json.load(open({result!r}))["benchmarks"]]
if "--irqcost_list_backends" in flags:
    print(json.dumps({backends!r}))
elif "--benchmark_list_tests" in flags:
    print("\\n".join(names))
else:
    for name in names:
        print(name, "1 ns 1 ns", flush=True)
{behaviour}
    sys.exit({code})
"""

_BACKENDS = {
    "ring3": {"usable": True},
    "kmod": {"usable": False, "reason": "no device", "remedy": "load it"},
}
_WRITES = "    shutil.copyfile({result!r}, flags['--benchmark_out'])"


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of results; the harness is a fake one."""
    install(tmp_path, _WRITES)
    monkeypatch.setattr(build, "harness", lambda: tmp_path / "bench")
    monkeypatch.setenv("IRQCOST_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "results"
    folder.mkdir()
    return folder


def install(where: Path, behaviour: str, code: int = 0) -> None:
    result = str(path("alpha"))
    text = _FAKE.format(
        python=sys.executable,
        log=str(where / "log"),
        result=result,
        backends=_BACKENDS,
        behaviour=behaviour.format(result=result),
        code=code,
    )
    (where / "bench").write_text(text)
    (where / "bench").chmod(stat.S_IRWXU)


def calls(fake: Path) -> list[list[str]]:
    return [json.loads(line) for line in (fake.parent / "log").read_text().splitlines()]


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def run(*arguments: str) -> int:
    """With time for one process."""
    return cli.main(["run", "--time", "0.001", *arguments])


def test_table_file_and_chart(fake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = fake / "new" / "x.json"
    assert run("--out", str(out), "--filter", "popf", "--samples", "12") == 0
    output = capsys.readouterr()
    assert names(out.parent) == ["x.json", "x.png", "x.svg"]
    content = json.loads(out.read_text())
    assert [b["name"] for b in content["benchmarks"]] == [
        b["name"] for b in document("alpha")["benchmarks"]
    ]
    assert content["context"]["irqcost"]["processes"]["count"] == 1
    lines = output.out.splitlines()
    assert "Test CPU Alpha @ 2.45GHz (19-01-01), kernel 6.1.0-50-amd64, bare metal" in lines
    assert [line for line in lines if line.startswith("  restore the flags (push; popf)")]
    assert [line for line in lines if line.startswith("  kmod: /dev/irqcost does not exist; ")]
    assert lines[-3:] == [f"Result: {out}"] + [
        f"Chart:  {out.parent}/x.{k}" for k in ("png", "svg")
    ]
    assert "--benchmark_list_tests" in calls(fake)[0]
    measured = calls(fake)[-1]
    assert measured[:2] == ["--benchmark_filter=popf", "--irqcost_samples=12"]


@pytest.mark.parametrize("facts", [None, ["SMP"]])
def test_the_kernels_configuration_where_no_module_tells_it(
    fake: Path, monkeypatch: pytest.MonkeyPatch, facts: list[str] | None
) -> None:
    monkeypatch.setattr(kconfig, "read", lambda release: facts)
    assert run("--no-chart", "--out", str(fake / "x.json")) == 0
    content = json.loads((fake / "x.json").read_text())
    assert content["context"]["irqcost"]["kernel"]["config"] == facts


def test_remarks_stand_in_the_table(fake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--no-chart", "--out", str(fake / "x.json")) == 0
    assert names(fake) == ["x.json"]
    lines = capsys.readouterr().out.splitlines()
    (doubt,) = [line for line in lines if "from AH (sahf)" in line]
    (cause,) = [line for line in lines if "disturbed: too noisy: 0 of 1 process ran undist" in line]
    assert doubt.endswith(f" {cause.split()[0]}") and "6 are needed" in cause


@pytest.mark.parametrize("taken", ["x.json", "x.png", "x.svg"])
def test_existing_files_stay_and_nothing_is_measured(
    fake: Path, capsys: pytest.CaptureFixture[str], taken: str
) -> None:
    (fake / taken).write_text("mine")
    assert run("--out", str(fake / "x.json")) == 2
    assert f"{fake / taken}: exists" in capsys.readouterr().err
    assert names(fake) == [taken] and (fake / taken).read_text() == "mine"
    assert all("--benchmark_list_tests" in call for call in calls(fake))


def test_a_part_that_was_not_measured(fake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(fake.parent, _WRITES, code=2)
    assert run("--no-chart", "--out", str(fake / "x.json")) == 0
    assert names(fake) == ["x.json"]
    printed = capsys.readouterr()
    assert "Not measured:\n  kmod: /dev/irqcost does not exist" in printed.out
    assert "nothing could be measured" not in printed.err


def test_nothing_that_was_measured(fake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nothing = {**document("alpha"), "benchmarks": []}
    processes = fake.parent / "process.json"
    processes.write_text(json.dumps(nothing))
    install(
        fake.parent, f"    shutil.copyfile({str(processes)!r}, flags['--benchmark_out'])", code=2
    )
    assert run("--no-chart", "--out", str(fake / "x.json")) == 2
    assert names(fake) == ["x.json"]
    printed = capsys.readouterr()
    assert printed.out.startswith("Cost     no cost was measured\nChanged")
    assert printed.err.endswith("irqcost: nothing could be measured; see above\n")


@pytest.mark.parametrize(
    ("behaviour", "code", "message"),
    [
        ("    print('the reason', file=sys.stderr)", 2, "the reason"),
        ("    open(flags['--benchmark_out'], 'w').write('{{\"context\"')", 0, "truncated"),
        ("    pass", 0, "No such file"),
        (_WRITES, 77, "bench ended with status 77"),
    ],
)
def test_nothing_is_kept_of_a_failure(
    fake: Path, capsys: pytest.CaptureFixture[str], behaviour: str, code: int, message: str
) -> None:
    install(fake.parent, behaviour, code)
    assert run("--out", str(fake / "x.json")) == 2
    assert message in capsys.readouterr().err
    assert not names(fake)


_GOES_OFFLINE = """\
    if not shutil.os.path.exists({log!r} + ".gone"):
        open({log!r} + ".gone", "w")
        print("CPU 1 went offline", file=sys.stderr)
        sys.exit(3)
"""


def test_a_cpu_that_goes_offline(fake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The run goes on with another process, and ends where the user wants that CPU."""
    behaviour = _GOES_OFFLINE.replace("{log!r}", repr(str(fake.parent / "log"))) + _WRITES
    install(fake.parent, behaviour)
    assert run("--no-chart", "--cpu", "1", "--out", str(fake / "x.json")) == 2
    assert "CPU 1 went offline" in capsys.readouterr().err
    assert not names(fake)
    (fake.parent / "log.gone").unlink()
    assert run("--no-chart", "--out", str(fake / "x.json")) == 0
    assert "CPU 1 went offline; going on with another CPU" in capsys.readouterr().err
    assert names(fake) == ["x.json"]


def test_a_check_measures_as_a_run_does(fake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--no-chart", "--out", str(fake / "old.json")) == 0
    files = ["--baseline", str(fake / "old.json"), "--out", str(fake / "new.json")]
    assert cli.main(["check", "--run", "--time", "0.001", "--filter", "popf", *files]) == 3
    assert {"old.json", "new.json"} <= set(names(fake))
    said = " ".join(capsys.readouterr().out.split())
    assert f"{fake / 'new.json'} compared with {fake / 'old.json'}" in said


def test_a_quota_is_recorded(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = iter([Quota(0.5, "/sys/fs/cgroup/cpu.max"), None])
    monkeypatch.setattr(running, "tightest_quota", lambda text_of: next(limits))
    for name, expected in (("limited", 0.5), ("free", None)):
        assert run("--no-chart", "--out", str(fake / f"{name}.json")) == 0
        content = json.loads((fake / f"{name}.json").read_text())
        assert content["context"]["irqcost"]["settings"]["cpu_quota"] == expected


def test_flags_in_the_environment_do_not_reach_the_harness(
    fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With 3 repetitions a process would count as three processes.
    monkeypatch.setenv("BENCHMARK_REPETITIONS", "3")
    install(
        fake.parent,
        _WRITES + "\n    import os; assert not [n for n in os.environ if 'BENCHMARK' in n]",
    )
    assert run("--no-chart", "--out", str(fake / "x.json")) == 0


def test_a_refusal_of_the_harness_is_shown(tmp_path: Path) -> None:
    bench = tmp_path / "bench"
    bench.write_text("#!/bin/sh\necho 'no such flag' >&2\nexit 2\n")
    bench.chmod(stat.S_IRWXU)
    with pytest.raises(IrqcostError, match="no such flag"):
        harness.backends(bench)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_leaves_nothing(fake: Path, number: signal.Signals) -> None:
    install(
        fake.parent,
        "    time.sleep(100)",
    )
    code = (
        "import signal, sys; from pathlib import Path; from irqcost import cli;"
        "from irqcost.base.safety import interrupts; from irqcost.measure import build;"
        # As from a terminal, also where the tests run in the background, without one.
        "signal.signal(signal.SIGINT, signal.default_int_handler);"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL);"
        f"build.harness = lambda: Path({str(fake.parent / 'bench')!r});"
        f"arguments = ['run', '--out', {str(fake / 'x.json')!r}];"
        "sys.exit(interrupts.guarded(lambda: cli.main(arguments)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE, text=True
    )
    log = fake.parent / "log"
    while not (log.exists() and "--benchmark_out=" in log.read_text()):
        assert process.poll() is None
        time.sleep(0.01)
    assert list(fake.glob("*.partial"))
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; nothing was kept" in said
    assert not names(fake)


@pytest.mark.parametrize(
    ("flags", "seconds", "target"),
    [
        ([], 16.0, Target(0.2, 0.05)),
        (["--quick"], 4.2, Target(0.3, 0.1)),
        (["--precise"], 60.0, Target(0.05, 0.02)),
        (["--time", "7.5"], 7.5, Target(0.2, 0.05)),
        (["--precise", "--target-cycles", "0.1"], 60.0, Target(0.05, 0.1)),
        (["--target-percent", "1"], 16.0, Target(1, 0.05)),
    ],
)
def test_how_long_and_how_narrow(flags: list[str], seconds: float, target: Target) -> None:
    asked = arguments.chosen(Options, cli.parser().parse_args(["run", *flags]))
    assert asked.seconds(backends=1) == seconds
    assert asked.target == target


@pytest.mark.parametrize(
    "old, now", [("--forget-floors", "--forget-baseline"), ("--waits", "--contention")]
)
def test_an_option_keeps_its_old_name(
    old: str, now: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [
        arguments.chosen(Options, cli.parser().parse_args(["run", *flags]))
        for flags in ([], [now], [old])
    ]
    assert asked[0] != asked[1] == asked[2]
    assert capsys.readouterr().err == f"irqcost: {old} is called {now} now\n"


def test_many_backends_take_no_minute() -> None:
    assert Options().seconds(backends=3) == 45


@pytest.mark.parametrize(
    "flags", [["--time", "0"], ["--target-percent", "nan"], ["--time", "x"], ["--time", "86401"]]
)
def test_what_is_no_time(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main(["run", *flags])
    assert raised.value.code == 2 and flags[0] in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", ".", "/", "..", "a/.."])
@pytest.mark.parametrize("command", [["run"], ["compare", str(path("alpha"))], ["sweep", "nop"]])
def test_what_is_no_name(command: list[str], name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main([*command, "--out", name])
    assert raised.value.code == 2
    assert f"{name!r} is not the name of a file" in capsys.readouterr().err


def test_a_name_that_is_a_suffix(fake: Path) -> None:
    assert run("--out", str(fake / ".json")) == 0
    assert names(fake) == [".json", ".json.png", ".json.svg"]


def test_too_few_samples_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main(["run", "--samples", "9"])
    assert raised.value.code == 2
    assert "at least 10 are needed" in capsys.readouterr().err
    assert cli.parser().parse_args(["run", "--samples", "10"]).samples == 10


def test_a_wrong_filter_leaves_no_folder(fake: Path) -> None:
    (fake.parent / "bench").write_text("#!/bin/sh\necho 'no regular expression' >&2\nexit 2\n")
    assert run("--filter", "(", "--out", str(fake / "new" / "dir" / "x.json")) == 2
    assert not names(fake)


def test_a_checkout_that_cannot_be_written(
    fake: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda p, mode: not Path(p).is_relative_to(ROOT) and access(p, mode)
    )
    assert run("--no-chart") == 2
    assert "name a result file with --out" in capsys.readouterr().err
    monkeypatch.setenv("IRQCOST_CACHE", str(fake / "cache"))
    assert build.folder("release").is_relative_to(fake / "cache" / "build")
    monkeypatch.undo()
    assert build.folder("release") == ROOT / "build" / "release"


def test_two_builds_at_once_wait_for_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "folder", lambda preset, source: tmp_path)

    def logged(*_: object) -> None:
        with (tmp_path / ".lock").open() as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    monkeypatch.setattr(build, "logged", logged)
    build.harness()


@pytest.mark.parametrize("text", ["popf", "-popf"])
def test_controls_are_always_measured(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    every = [f"{b}/{p}/throughput" for b in ("ring3", "kmod") for p in ("popf", "cli", "dep_add")]

    def listed(bench: Path, arguments: list[str]) -> tuple[str, ...]:
        pattern = arguments[-1].partition("=")[2]
        if pattern.startswith("-"):
            return ("kmod/cli/throughput",)
        return tuple(n for n in every if re.search(pattern, n))

    monkeypatch.setattr(harness, "names", listed)
    arguments, found = harness.with_controls(Path("b"), [f"--benchmark_filter={text}"])
    selected = [n for n in every if re.search(arguments[-1].partition("=")[2], n)]
    assert sorted(selected) == sorted(found)
    own = ["kmod/cli/throughput"] if text == "-popf" else [n for n in every if "popf" in n]
    backends = {n.split("/")[0] for n in own}
    assert set(found) == {*own, *(f"{b}/dep_add/throughput" for b in backends)}


def test_a_neighbour_during_all_of_a_run(fake: Path) -> None:
    processes = fake.parent / "process.json"
    install(fake.parent, f"    shutil.copyfile({str(processes)!r}, flags['--benchmark_out'])")

    def verdict(name: str, sensor: float, *arguments: str) -> dict[str, Any]:
        one = process(entry("ring3/popf/throughput", 13.0, sensor=sensor), baseline=sensor)
        processes.write_text(json.dumps(one.document))
        out = fake / name
        assert cli.main(["run", "--no-chart", "--out", str(out), *arguments]) == 0
        found: dict[str, Any] = json.loads(out.read_text())["context"]["irqcost"]
        return found

    until_settled, one_process = ("--time", "600"), ("--time", "0.001")
    assert verdict("quiet.json", 0.181, *until_settled)["verdict"]["verdict"] == "good"
    loud = verdict("loud.json", 0.317, *one_process)
    (reason,) = loud["verdict"]["reasons"]
    assert "sensor 0.317 cycles per nop, 0.181 in earlier runs on this CPU" in reason
    assert loud["baselines"]["ring3"]["source"] == "earlier runs"
    # The harness is told, so that it waits for free samples.
    told = verdict("again.json", 0.18, *until_settled)
    assert told["verdict"]["verdict"] == "good" and told["baselines"]["ring3"]["cached"] == 0.181
    assert "--irqcost_sensor_level=ring3:0.180000" in calls(fake)[-1]
    forgotten = verdict("forgotten.json", 0.317, *until_settled, "--forget-baseline")
    assert forgotten["verdict"]["verdict"] == "good"
    assert forgotten["baselines"]["ring3"]["cached"] is None
    assert verdict("other.json", 0.32, *until_settled)["baselines"]["ring3"]["cached"] == 0.317


@pytest.fixture
def bound(fake: Path, monkeypatch: pytest.MonkeyPatch) -> list[set[int]]:
    """A hybrid CPU of which this process may use a core of each type: the CPUs that the process
    was bound to, one set after another."""
    types = {"performance": frozenset({0, 1}), "efficiency": frozenset({2, 3})}
    bound: list[set[int]] = [{1, 2}]
    monkeypatch.setattr(host, "core_types", lambda: types)
    monkeypatch.setattr(hostfacts, "usable_cpus", lambda tree: frozenset(bound[-1]))
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: bound[-1])
    monkeypatch.setattr(os, "sched_setaffinity", lambda pid, cpus: bound.append(set(cpus)))
    return bound


def test_each_type_of_core_has_its_file(
    fake: Path, bound: list[set[int]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--out", str(fake / "x.json")) == 0
    kinds = ("efficiency", "performance")
    assert names(fake) == [f"x-{kind}.{end}" for kind in kinds for end in ("json", "png", "svg")]
    assert bound == [{1, 2}, {1}, {1, 2}, {2}, {1, 2}]
    said = capsys.readouterr().out
    assert said.index("x-performance.json") < said.index("x-efficiency.json")


def test_one_type_of_core(fake: Path, bound: list[set[int]]) -> None:
    assert run("--no-chart", "--core-type", "efficiency", "--out", str(fake / "x.json")) == 0
    assert names(fake) == ["x.json"]
    assert bound == [{1, 2}, {2}, {1, 2}]


def test_a_named_cpu_is_of_one_type(fake: Path, bound: list[set[int]]) -> None:
    assert run("--no-chart", "--cpu", "1", "--out", str(fake / "x.json")) == 0
    assert names(fake) == ["x.json"] and {1} not in bound


def test_both_files_are_made_sure_of_before(
    fake: Path, bound: list[set[int]], capsys: pytest.CaptureFixture[str]
) -> None:
    (fake / "x-efficiency.json").write_text("mine")
    assert run("--no-chart", "--out", str(fake / "x.json")) == 2
    assert "x-efficiency.json: exists" in capsys.readouterr().err
    assert names(fake) == ["x-efficiency.json"]


@pytest.mark.parametrize("types", [{}, {"performance": frozenset({0})}])
def test_a_type_that_is_not_there(
    fake: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    types: dict[str, frozenset[int]],
) -> None:
    monkeypatch.setattr(host, "core_types", lambda: types)
    monkeypatch.setattr(hostfacts, "usable_cpus", lambda tree: frozenset({0, 1}))
    assert run("--core-type", "efficiency", "--out", str(fake / "x.json")) == 2
    found = "there are performance" if types else "the kernel names no types"
    said = capsys.readouterr().err
    assert f"--core-type efficiency: no such cores to measure on; {found}" in said
    assert not names(fake)
