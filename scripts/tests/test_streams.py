# SPDX-License-Identifier: GPL-2.0-only
"""Exit codes and output where standard streams are closed, full, or no longer read, and where
irqcost itself fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from irqcost import ROOT, cli
from irqcost.base.errors import BuildError, Exit
from irqcost.commands import compare
from results import path
from results_of import run

_FIGURES = [f"ring3/p{number}/throughput" for number in range(100)]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A baseline and a result that is slower in more figures than a pipe holds."""
    folder = tmp_path_factory.mktemp("streams")
    old = run(folder / "old.json", {name: [30.0] * 6 for name in _FIGURES})
    new = run(folder / "new.json", {name: [40.0] * 6 for name in _FIGURES})
    return old, new


def shell(script: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """Runs a bash script in which "${irqcost[@]}" is the command."""
    begin = f'set -o pipefail; irqcost=("{sys.executable}" -m irqcost); '
    return subprocess.run(
        ["bash", "-c", begin + script, "bash", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        timeout=120,
    )


_CHECK = '"${irqcost[@]}" check "$2" --baseline "$1" --all --junit "$3"'


@pytest.mark.parametrize(
    "to", ["| head -n 1", "| head -n 0", ">/dev/full", ">&-", "2>/dev/full | head -n 1"]
)
def test_nobody_who_reads_changes_the_verdict(
    to: str, files: tuple[Path, Path], tmp_path: Path
) -> None:
    junit = tmp_path / "j.xml"
    done = shell(f"{_CHECK} {to}; exit ${{PIPESTATUS[0]}}", *files, junit)
    assert done.returncode == Exit.FAILED
    # What was asked for is there, and nothing speaks of a broken pipe.
    assert junit.stat().st_size > 5_000
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr


@pytest.mark.parametrize("to", ["2>&-", "2>/dev/full"])
def test_standard_error_takes_nothing_with_it(
    to: str, files: tuple[Path, Path], tmp_path: Path
) -> None:
    # A file that is missed is named there.
    command = f'"${{irqcost[@]}}" check "$2" "$3" --baseline "$1" --all {to}'
    done = shell(command, *files, tmp_path / "none.json")
    assert done.returncode == Exit.UNUSABLE
    assert _FIGURES[0] in done.stdout and "left out" not in done.stdout


def test_a_full_disk_is_an_error_where_words_are_all_there_is() -> None:
    command = '"${irqcost[@]}" compare --format csv "$1"'
    assert shell(f"{command} | head -n 1; exit ${{PIPESTATUS[0]}}", path("alpha")).returncode == 0
    done = shell(f"{command} >/dev/full", path("alpha"))
    assert done.returncode == Exit.UNUSABLE
    assert done.stderr == "irqcost: standard output: No space left on device\n"


@pytest.mark.parametrize("debug", ["", "1"])
def test_an_error_of_irqcost_has_a_code_of_its_own(
    debug: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("no\nsuch")

    monkeypatch.setattr(compare, "_run", broken)
    monkeypatch.setenv("IRQCOST_DEBUG", debug)
    assert cli.main(["compare", str(path("alpha"))]) == Exit.UNFORESEEN == 70
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("irqcost: internal error: KeyError: ")
    assert "test_streams.py:" in said[-1] and "open an issue" in said[-1]
    assert (len(said) == 1) == (debug == "")


def test_a_build_that_failed_is_no_regression() -> None:
    assert BuildError.code == Exit.BUILD_FAILED == 4
