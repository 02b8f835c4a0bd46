# SPDX-License-Identifier: GPL-2.0-only
"""Contention and deferred interrupts: merged, read, shown and drawn."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from processes_of import entry, process
from irqcost import ROOT, cli
from irqcost.measure.merge import merge
from irqcost.measure.processes import Target
from irqcost.output.charts.of_run import _charts
from irqcost.model import contention, members, parsing
from irqcost.model.contention import PERCENTILES, DeferredInterrupts, LockContention

CONTENDED = "kmod/spin_lock_irqsave/contention/cpus2/section50"
WAITED = "kmod/cli_sti/pending/handler"
MASKED = "kmod/cli_sti/pending/masked"


def percentiles(least: float) -> dict[str, float]:
    return {name: least * (i + 1) for i, name in enumerate(PERCENTILES)}


def contended(most: int, least: int, **more: Any) -> dict[str, Any]:
    return {
        "cpus": [1, 0],
        "section": 50,
        "operations": [most, least],
        "rounds": [20, 20],
        "not_run": [],
        "per_second": 1e7,
        "fairness": {"jain": 0.8, "min_over_max": least / most},
        "alone_ticks": 40,
        "sleeps": False,
        "wait_ticks": percentiles(10),
        "irqs_off_ticks": {"p50": 50, "p99": 80, "max": 90, "longest_with_section": 140},
        **more,
    }


def pending(least: float, **more: Any) -> dict[str, Any]:
    return {"requested_ns": 20000, "ticks": percentiles(least), "late": 1, **more}


WORK = {"add": {"quiet": 1.0, "pending": 1.5}, "nop": None}


def document(processes: int = 6) -> Any:
    return merge(
        [
            process(
                entry(CONTENDED, 25.0 + i / 100, contention=contended(400 + i, 300)),
                entry(WAITED, 300.0, pending=pending(10.0 + i)),
                entry(MASKED, 9000.0, pending=pending(10.0, work_ticks=WORK)),
            )
            for i in range(processes)
        ],
        Target(),
    )


def test_merged() -> None:
    contended, waited, masked = document()["benchmarks"]
    assert contended["contention"]["operations"] == [6 * 400 + 15, 1800]
    assert contended["contention"]["rounds"] == [120, 120]
    assert contended["contention"]["cpus"] == [1, 0]
    assert waited["pending"]["late"] == 6
    assert waited["pending"]["ticks"]["min"] == 10
    assert waited["pending"]["ticks"]["p50"] == 12.5 * 5
    assert waited["pending"]["ticks"]["max"] == 15 * 9
    assert masked["pending"]["work_ticks"] == WORK
    assert contended["verdict"] == "good"


def test_a_cpu_that_ran_in_one_process_has_run() -> None:
    merged = contention.merged([contended(5, 5, not_run=[0, 1]), contended(5, 5, not_run=[1])])
    assert merged["not_run"] == [1]


def test_read() -> None:
    figures = parsing.parse(document()).figures
    one = figures[CONTENDED].contention
    assert isinstance(one, LockContention)
    assert (one.cpus, one.section, one.irqs_off) == ((1, 0), 50, {"p50": 50, "p99": 80, "max": 90})
    assert figures[CONTENDED].variant == "cpus2/section50"
    other = figures[MASKED].contention
    assert isinstance(other, DeferredInterrupts)
    assert other.work == {"add": (1.0, 1.5)}


@pytest.mark.parametrize(
    "key, value",
    [
        ("operations", [1]),
        ("cpus", []),
        ("wait_ticks", {**percentiles(10), "p50": 1000}),
        ("fairness", {}),
    ],
)
def test_what_is_wrong(key: str, value: object) -> None:
    content = document()
    content["benchmarks"][0]["contention"][key] = value
    with pytest.raises(members.FormatError):
        parsing.parse(content)


def test_the_schema_knows_them() -> None:
    schema = json.loads((ROOT / "docs" / "result.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    assert not list(validator.iter_errors(document()))
    broken = document()
    broken["benchmarks"][0]["contention"]["fairness"]["jain"] = 2
    assert list(validator.iter_errors(broken))


def test_waiting_may_scatter_more() -> None:
    assert Target().of(CONTENDED).percent == 5
    assert Target().of("ring3/popf/throughput") == Target()


def test_charts_of_a_run() -> None:
    assert _charts([CONTENDED, WAITED], "x") == {
        "contention": "x-contention",
        "pending": "x-pending",
    }
    assert _charts(["ring3/popf/isolated", WAITED], "x") == {"bars": "x", "pending": "x-pending"}


def test_shown_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "result.json"
    file.write_text(json.dumps(document()), encoding="utf-8")
    assert cli.main(["contention", str(file)]) == 0
    said = capsys.readouterr().out
    assert "\nspin lock, saves and restores\n  50 cycles, 2 " in said and "2415 1800" in said
    assert "add 1.000, pending 1.500 ticks" in said
    for name in ("contention", "pending"):
        for suffix in ("png", "svg"):
            assert (tmp_path / f"result-{name}.{suffix}").stat().st_size > 1000


def test_an_emulated_figure_without_a_clean_sample_is_in_doubt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = []
    for clean in (20, 0):
        content = document()
        for one in content["benchmarks"]:
            one.update(verdict="emulated", reasons=["emulated"], clean=clean)
        file = tmp_path / f"clean{clean}.json"
        file.write_text(json.dumps(content), encoding="utf-8")
        assert cli.main(["contention", str(file)]) == 0
        assert ("no sample was clean" in capsys.readouterr().out) is (not clean)
        pictures += [
            (tmp_path / f"clean{clean}-{name}.png").read_bytes() for name in contention.MODES
        ]
    assert len(set(pictures)) == len(pictures)


def test_labels_of_wait_times_within_a_decade(tmp_path: Path) -> None:
    # There matplotlib would label what lies between decades by formulas, which charts do not parse.
    ticks = {name: 2000.0 + 100 * i for i, name in enumerate(PERCENTILES)}
    waited = {"requested_ns": 20000, "ticks": ticks, "late": 0}
    file = tmp_path / "result.json"
    content = merge([process(entry(WAITED, 2400.0, pending=waited))], Target())
    file.write_text(json.dumps(content), encoding="utf-8")
    assert cli.main(["contention", str(file)]) == 0
    svg = (tmp_path / "result-pending.svg").read_text(encoding="utf-8")
    assert "mathdefault" not in svg and ">1200</text>" in svg


def test_a_result_without_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "result.json"
    content = merge([process(entry("ring3/popf/throughput", 13.0))], Target())
    file.write_text(json.dumps(content), encoding="utf-8")
    assert cli.main(["contention", str(file)]) == 2
    assert "run --contention" in capsys.readouterr().err


def test_the_command_keeps_its_old_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "result.json"
    file.write_text(json.dumps(document()), encoding="utf-8")
    said = []
    for command in ("contention", "waits"):
        assert cli.main([command, str(file), "--no-chart"]) == 0
        said.append(capsys.readouterr())
    assert said[0].out == said[1].out and not said[0].err
    assert said[1].err == "irqcost: the command waits is called contention now\n"
