# SPDX-License-Identifier: GPL-2.0-only
"""Files that are no results, and disks that are full: what each command that reads results says,
and that it leaves nothing after. That texts stay texts is tested beside what shows them."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hostile
import results
from irqcost import cli
from irqcost.base.errors import Exit, IrqcostError
from irqcost.output.ci import github
from irqcost.output.page import pictures


def _changed(change: Callable[[Any], None]) -> Callable[[Path], None]:
    def make(target: Path) -> None:
        results.changed("alpha", target, change)

    return make


def _huge(target: Path) -> None:
    with target.open("wb") as file:
        file.truncate(1 << 30)


def _unreadable(target: Path) -> None:
    """Root may read whatever has a mode; of a process's memory nobody reads the first page."""
    if os.geteuid() == 0:
        target.symlink_to("/proc/self/mem")
    else:
        target.touch(mode=0)


# What is made of a name, and what is said of it.
_BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "gigabyte": (_huge, "no result is larger than"),
    "nan": (
        _changed(lambda d: d["benchmarks"][0].update(ticks=float("nan"))),
        "NaN is no figure",
    ),
    "infinite": (
        _changed(lambda d: d["benchmarks"][0].update(ticks=float("inf"))),
        "Infinity is no figure",
    ),
    "negative": (
        _changed(lambda d: d["benchmarks"][0].update(spread=-1)),
        "spread is below 0",
    ),
    "missing": (_changed(lambda d: d["context"]["irqcost"].pop("kernel")), "kernel is missing"),
    "deep": (lambda path: path.write_text("[" * 200_000) and None, "nested too deeply"),
    "schema": (_changed(lambda d: d["context"]["irqcost"].update(schema=99)), "schema 99"),
    "loop": (lambda path: path.symlink_to(path.name), "symbolic links"),
    "unreadable": (_unreadable, "Input/output error|Permission denied"),
    "foreign": (lambda path: path.write_text('{"name": "x"}') and None, "not a result"),
    "truncated": (lambda path: path.write_text('{"context": {') and None, "truncated"),
    "empty": (lambda path: path.touch(), "empty file"),
    "binary": (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n") and None, "not JSON"),
}

# A command on a bad file alone; `out` is a folder where it may write.
_COMMANDS: dict[str, Callable[[Path, Path], list[str]]] = {
    "compare": lambda bad, out: ["compare", str(bad), "--chart", "bars", "--out", f"{out}/x"],
    "report": lambda bad, out: ["report", str(bad), "-o", f"{out}/page"],
    "site": lambda bad, out: ["site", str(bad), "-o", f"{out}/site"],
    "submit": lambda bad, out: ["submit", str(bad)],
    "check": lambda bad, out: [
        *("check", str(bad), "--baseline", str(results.path("alpha"))),
        *("--junit", f"{out}/j.xml", "--bencher", f"{out}/b.json"),
    ],
    "baseline": lambda bad, out: [
        *("check", str(results.path("alpha")), "--baseline", str(bad)),
        *("--benchmark-action", f"{out}/b.json"),
    ],
    "history": lambda bad, out: ["history", str(bad), "--out", f"{out}/h"],
}


def _good(folder: Path) -> None:
    """Two runs of a machine, so that there is a history."""
    for day in (1, 2):
        date = f"2026-01-0{day}T00:00:00+00:00"
        results.changed("alpha", folder / f"{day}.json", lambda d: d["context"].update(date=date))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.mark.parametrize("kind", _BAD)
@pytest.mark.parametrize("command", _COMMANDS)
def test_what_is_no_result_is_named_and_nothing_is_left(
    command: str, kind: str, tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, said = _BAD[kind]
    bad = tmp_path / f"{kind}.json"
    make(bad)
    assert cli.main(_COMMANDS[command](bad, out)) == Exit.UNUSABLE
    told = capsys.readouterr().err
    assert f"{kind}.json: " in told and any(part in told for part in said.split("|")), told
    assert "Traceback" not in told
    # A check that has no baseline has an outcome all the same, which is written; whole.
    left = [path.name for path in out.iterdir()]
    assert left == (["b.json"] if command == "baseline" else [])
    for name in left:
        json.loads((out / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("command", ["compare", "report", "history"])
def test_bad_files_among_good_ones_are_left_out(
    command: str,
    tmp_path: Path,
    out: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pictures, "drawn", lambda *_: {})
    folder = tmp_path / "folder"
    folder.mkdir()
    for kind, (make, _) in _BAD.items():
        make(folder / f"{kind}.json")
    (folder / "around").symlink_to(folder, target_is_directory=True)
    _good(folder)
    arguments = {
        "compare": ["compare", str(folder), "--no-chart"],
        "report": ["report", str(folder), "-o", f"{out}/page"],
        "history": ["history", str(folder), "--no-chart"],
    }[command]
    # Of a folder the rest is its history; a comparison was asked for all of it.
    assert cli.main(arguments) == (Exit.OK if command == "history" else Exit.UNUSABLE)
    said = capsys.readouterr()
    for kind in _BAD:
        assert f"{kind}.json: " in said.err
    assert "Alpha" in (out / "page" / "report.md").read_text() if command == "report" else said.out


def test_markup_in_a_cpus_name_is_text_in_markdown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = hostile.result(tmp_path / "x.json")
    assert cli.main(["compare", str(file), "--no-chart", "--format", "markdown"]) == Exit.OK
    assert "<script" not in capsys.readouterr().out
    cli.main(["history", str(file), "--no-chart"])
    cli.main(["check", str(file), "--baseline", str(file)])


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A file system of one page: the first folder fits, and nothing more."""
    place = tmp_path / "full"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("no small file system to fill: this user may not mount one")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("command", [one for one in _COMMANDS if one not in ("baseline", "submit")])
def test_a_full_disk_ends_a_command_with_nothing_half_written(
    command: str, full: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _good(out)
    good = out if command == "history" else results.path("alpha")
    assert cli.main(_COMMANDS[command](good, full)) == Exit.UNUSABLE
    assert "No space left" in capsys.readouterr().err
    assert list(full.iterdir()) == []


def test_a_summary_that_does_not_fit_is_taken_back(full: Path) -> None:
    """Others wrote into GitHub's file before, and a part of a table would be no table."""
    summary = full / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    with pytest.raises(IrqcostError, match="summary.md: cannot be written: No space left"):
        github.append(summary, "x" * 10_000)
    assert summary.read_text(encoding="utf-8") == "before\n"
