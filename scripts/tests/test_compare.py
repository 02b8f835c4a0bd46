# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost compare`: the table, what it refuses, and the headline."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from irqcost import cli
from irqcost.headline import headline
from irqcost.series import series
from results import changed, path, result


def compare(*arguments: object) -> int:
    return cli.main(["compare", "--no-chart", *map(str, arguments)])


def cells(text: str, name: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.split()[:1] == [name]]
    return re.split(r"\s{2,}", line.strip())[1:]


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(path("alpha"), path("beta")) == 0
    text = capsys.readouterr().out
    assert "A  Test CPU Alpha @ 2.45GHz (19-01-01), kernel 6.1.0-50-amd64, bare metal" in text
    assert cells(text, "backend/probe/mode") == (
        ["A core cycles", "A ns", "B core cycles", "B ns", "B/A"]
    )
    assert cells(text, "ring3/popf/throughput") == ["13.00", "4.01", "17.00", "5.28", "1.31"]
    # Nothing is a multiple of nothing.
    assert cells(text, "ring3/empty/throughput")[-1] == "-"
    assert cells(text, "ring3/sahf/throughput")[0] == "1.10 ?"


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("cycles", ["13.00", "17.00", "1.31"]),
        ("ns", ["4.01", "5.28", "1.32"]),
        ("ticks", ["9.81", "12.14", "1.24"]),
    ],
)
def test_units(unit: str, expected: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert compare("--unit", unit, path("alpha"), path("beta")) == 0
    assert cells(capsys.readouterr().out, "ring3/popf/throughput") == expected


def test_counts_are_called_instructions(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(path("exact"), path("exact-rt")) == 0
    text = capsys.readouterr().out
    assert cells(text, "backend/probe/mode") == ["A instructions", "B instructions", "B/A"]
    assert cells(text, "kmod/spin_lock/throughput") == ["17.000", "108.000", "6.35"]
    assert "EMULATED by QEMU (TCG)" in text


def test_emulated_and_real_are_not_mixed(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(path("alpha"), path("exact")) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert f"emulated: {path('exact')}\n" in output.err
    assert f"real: {path('alpha')}\n" in output.err
    assert compare("--mix", path("alpha"), path("exact")) == 0


def test_units_that_differ_have_no_ratio(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def emulate(content: Any) -> None:
        ours = content["context"]["irqcost"]
        ours["execution"]["kind"] = "emulated"
        ours["instruction_clock"] = True
        for entry in content["benchmarks"]:
            del entry["core_cycles"]

    counted = changed("alpha", tmp_path / "counted.json", emulate)
    assert compare("--mix", path("alpha"), counted) == 0
    row = cells(capsys.readouterr().out, "ring3/popf/throughput")
    assert row == ["13.00", "4.01", "9.811", "-"]


def test_bad_files_are_named_and_the_rest_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.json"
    cut.write_bytes(path("alpha").read_bytes()[:5000])
    other = changed(
        "alpha", tmp_path / "other.json", lambda c: c["context"]["irqcost"].update(schema=7)
    )
    assert compare(cut, path("alpha"), other, tmp_path / "none.json", path("beta")) == 2
    output = capsys.readouterr()
    assert cells(output.out, "ring3/popf/throughput") == ["13.00", "4.01", "17.00", "5.28", "1.31"]
    reasons = output.err.splitlines()
    assert reasons[0].startswith(f"irqcost: left out: {cut}: truncated")
    assert reasons[1] == f"irqcost: left out: {other}: schema 7, but this irqcost reads schema 1"
    assert reasons[2] == f"irqcost: left out: {tmp_path / 'none.json'}: No such file or directory"


def test_nothing_to_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(tmp_path) == 2
    assert "nothing to compare" in capsys.readouterr().err
    assert compare("--filter", "(", path("alpha")) == 2
    assert "not a regular expression" in capsys.readouterr().err
    assert compare("--filter", "nosuch", path("alpha")) == 2
    assert "no benchmark in these files has a name that matches" in capsys.readouterr().err


def test_filter(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare("--filter", "/popf/", path("alpha")) == 0
    text = capsys.readouterr().out
    assert "ring3/popf/latency" in text and "pushf" not in text


def test_folder_and_many_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for index in range(28):
        (tmp_path / f"{index:02}.json").write_bytes(path("alpha").read_bytes())
    assert compare("--unit", "ns", tmp_path) == 0
    assert "B1/A" in capsys.readouterr().out


def test_names_tell_results_apart() -> None:
    assert [s.name for s in series([result("exact"), result("exact-rt")])] == (
        ["6.1.0-50-amd64", "6.1.0-50-rt-amd64"]
    )
    assert [s.name for s in series([result("alpha")] * 2)] == ["(file 1)", "(file 2)"]


def test_headlines() -> None:
    names = [f"kmod/{key}/throughput" for key in ("spin_lock", "spin_lock_irqsave", "cli")]
    both = series([result("exact"), result("exact-rt")])
    assert headline(both, names, None) == (
        "spin_lock (kmod) differs most: "
        "17 instructions on 6.1.0-50-amd64, 108 on 6.1.0-50-rt-amd64"
    )
    masking = ["kmod/local_irq_save_restore/throughput", *names]
    assert headline(both[:1], masking, None) == (
        "Masking and restoring costs 10 instructions (kmod/local_irq_save_restore)"
    )
    assert headline(both, masking, None).startswith("Masking and restoring costs 10 instructions (")
    assert "; spin_lock (kmod) differs most" in headline(both, masking, None)
    assert headline(both[:1], names, None) == ("spin_lock_irqsave costs 31 instructions, cli 1")
    mixed = series([result("alpha"), result("exact")])
    assert headline(mixed, names, None).startswith("Figures in different units")
    # sahf is in doubt in both files.
    doubtful = series([result("alpha"), result("beta")])
    assert "free of doubt" in headline(doubtful, ["ring3/sahf/throughput"], None)


def test_google_benchmark_compares_our_files() -> None:
    tool = Path("/usr/share/benchmark/compare.py")
    assert tool.exists(), "install libbenchmark-tools"
    command = [sys.executable, str(tool), "--no-color", "benchmarks"]
    done = subprocess.run(
        [*command, str(path("alpha")), str(path("beta"))],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("ring3/popf/through")]
    # Relative difference of the times, which are 4.0128 and 5.2795 ns.
    assert line.split()[1] == "+0.3157"
