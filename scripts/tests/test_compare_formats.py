# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost compare --format`, and our files in Google Benchmark's own tool."""

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from irqcost import cli
from results import changed, path


def compare(*arguments: object) -> int:
    return cli.main(["compare", *map(str, arguments)])


def test_csv_has_a_line_for_each_figure(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare("--format", "csv", "--select", "/popf/", path("alpha"), path("beta")) == 0
    lines = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert len(lines) == 2 * 2 * 2  # modes, columns, units
    assert [float(line["value"]) for line in lines[:3:2]] == pytest.approx([13, 17])
    assert lines[2]["cpu"] == "Test CPU Beta (06-cf-02)" and lines[2]["kernel"] == "6.12.9-amd64"
    assert float(lines[2]["ratio"]) == pytest.approx(17 / 13)


def test_texts_of_files_do_no_harm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def change(content: Any) -> None:
        cpu = content["context"]["irqcost"]["cpu"]
        cpu["brand"] = "=1+1 <script>|`x`"

    hostile = changed("alpha", tmp_path / "h.json", change)
    assert compare("--format", "markdown", hostile) == 0
    text = capsys.readouterr().out
    assert "<script>" not in text and "\\|\\`x\\`" in text
    assert "### `popf`" in text and "| `ring3/popf/throughput` | 13.00 | 4.01 |" in text
    assert compare("--format", "csv", hostile) == 0
    lines = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert lines[0]["cpu"].startswith("'=1+1")


def test_google_benchmark_compares_our_files() -> None:
    tool = Path("/usr/share/benchmark/compare.py")
    if not tool.exists():
        pytest.skip("libbenchmark-tools is not installed")
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
