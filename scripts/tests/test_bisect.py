# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost bisect`: the commit that changed a count, and what `git bisect run` is told."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from irqcost import ROOT, cli
from irqcost.base.errors import BuildError, Exit, IrqcostError
from irqcost.base.progress import Progress
from irqcost.compare.ab import builds
from irqcost.compare.bisect import counting
from irqcost.compare.bisect.counting import Asked, Unmeasurable
from irqcost.vm import from_source
from irqcost.vm.qemu import GuestDied
from test_ab_builds import git

NAME = "kmod/local_irq_save_restore/throughput"

HEADER = "arch/x86/include/asm/irqflags.h"


def commit(tree: Path, count: str) -> str:
    """A kernel whose benchmark has this count; "none": it does not build."""
    for name in ("Kbuild", "init/Kconfig", HEADER):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("")
    (tree / HEADER).write_text(count)
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "--allow-empty", "-m", f"Make it {count}")
    return git(tree, "rev-parse", "HEAD")


def repository(folder: Path, counts: Sequence[str]) -> list[str]:
    """A git tree with a commit for each count."""
    folder.mkdir()
    git(folder, "init", "-q")
    return [commit(folder, count) for count in counts]


def fake_count(asked: Asked, tree: Path) -> float:
    text = (tree / HEADER).read_text()
    if not text.isdigit():
        raise Unmeasurable("does not build")
    return float(text)


@pytest.fixture(autouse=True)
def _fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IRQCOST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(counting, "count", fake_count)
    monkeypatch.setattr(counting.shutil, "which", lambda name: name)


def main(*arguments: str | Path, benchmark: str = NAME) -> int:
    return cli.main(["bisect", "--benchmark", benchmark, *map(str, arguments)])


def test_the_first_bad_commit_is_found_beside_the_work_tree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = tmp_path / "linux"
    commits = repository(tree, ["5", "5", "5", "5", "6", "6", "6", "6"])
    (tree / HEADER).write_text("changed, and not committed")
    assert main("HEAD~7", "HEAD", "--tree", tree) == Exit.OK
    said = capsys.readouterr().out
    assert f"First bad commit: {commits[4][:12]} Make it 6\n" in said
    assert f"{NAME}: 5 → 6 instructions\n" in said
    # Both ends, and three of those between them.
    assert said.count(" instructions") == 2 + 3 + 1
    assert (tree / HEADER).read_text() == "changed, and not committed"
    assert git(tree, "rev-parse", "HEAD") == commits[-1]
    assert git(tree, "worktree", "list").count("\n") == 0
    assert git(tree, "for-each-ref", "refs/bisect") == ""
    assert not list((tmp_path / "cache").rglob("search"))


def test_where_it_became_less(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = tmp_path / "linux"
    commits = repository(tree, ["9", "9", "10", "8", "8"])
    assert main("HEAD~4", "HEAD", "--tree", tree) == Exit.OK
    assert f"First bad commit: {commits[3][:12]} " in capsys.readouterr().out


def test_what_does_not_build_is_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = tmp_path / "linux"
    commits = repository(tree, ["5", "5", "none", "5", "6", "6"])
    assert main(commits[0], commits[-1], "--tree", tree) == Exit.OK
    assert f"First bad commit: {commits[4][:12]} " in capsys.readouterr().out
    other = tmp_path / "other"
    commits = repository(other, ["5", "none", "none", "6"])
    assert main(commits[0], commits[-1], "--tree", other) == Exit.UNDECIDED
    said = capsys.readouterr().out
    assert "skip: does not build\n" in said and "First bad" not in said
    left = said.partition("Undecided")[2]
    assert [one[:12] in left for one in commits] == [False, True, True, True]


@pytest.mark.parametrize(
    ("count", "limits", "code"),
    [
        ("5", ["--good", "5"], 0),
        ("4", ["--good", "5"], 0),
        ("6", ["--good", "5"], 1),
        ("6", ["--good=5", "--bad=7"], 1),
        ("4", ["--good", "5", "--bad", "3"], 1),
        ("6", ["--good", "5", "--bad", "3"], 0),
        ("none", ["--good", "5"], 125),
    ],
)
def test_the_driver_says_good_bad_or_skip(
    tmp_path: Path, count: str, limits: list[str], code: int
) -> None:
    repository(tmp_path / "linux", [count])
    assert main("--tree", tmp_path / "linux", *limits) == code


def test_git_bisect_run_finds_it_with_the_driver(tmp_path: Path) -> None:
    tree = tmp_path / "linux"
    commits = repository(tree, ["5", "5", "none", "5", "6", "6", "6"])
    driver = tmp_path / "driver.py"
    paths = [str(ROOT / "scripts"), str(Path(__file__).parent)]
    driver.write_text(
        f"import sys\nsys.path[:0] = {paths}\n"
        "import test_bisect\nfrom irqcost import cli\n"
        "from irqcost.compare.bisect import counting\n"
        "counting.count = test_bisect.fake_count\n"
        "counting.shutil.which = lambda name: name\n"
        f"sys.exit(cli.main(['bisect', '--benchmark', '{NAME}', *sys.argv[1:]]))\n"
    )
    git(tree, "bisect", "start", "HEAD", commits[0])
    command = ["git", "bisect", "run", sys.executable, str(driver), "--good", "5"]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True)
    assert f"{commits[4]} is the first bad commit" in done.stdout
    # An error of the command line must not pass for a verdict.
    git(tree, "bisect", "reset")
    git(tree, "bisect", "start", "HEAD", commits[0])
    done = subprocess.run([*command, "--no-such"], cwd=tree, capture_output=True, text=True)
    assert done.returncode and "first bad commit" not in done.stdout


def test_what_is_no_verdict_stops_git(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "linux"
    repository(tree, ["5"])

    def stopped(*arguments: str | Path, benchmark: str = NAME) -> str:
        assert main("--good", *arguments, benchmark=benchmark) == 128
        return capsys.readouterr().err

    assert "not a number of instructions" in stopped("many", "--tree", tree)
    assert "unrecognized arguments" in stopped("5", "--no-such")
    assert "and not both" in stopped("5", "HEAD~1", "HEAD", "--tree", tree)
    assert "no probe no_such" in stopped("5", "--tree", tree, benchmark="kmod/no_such/throughput")
    assert "neither a kernel's tree" in stopped("5", "--tree", tmp_path)
    (tree / HEADER).write_text("6")
    assert "1 changed file: commit or stash" in stopped("5", "--tree", tree)
    git(tree, "checkout", "-q", ".")
    (tree / "include/config").mkdir(parents=True)
    assert "make mrproper" in stopped("5", "--tree", tree)
    (tree / "include/config").rmdir()

    def broken(asked: Asked, tree: Path) -> float:
        raise ValueError("unforeseen")

    monkeypatch.setattr(counting, "count", broken)
    assert "internal error" in stopped("5", "--tree", tree)


def test_what_cannot_be_searched_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = tmp_path / "linux"
    repository(tree, ["5", "5", "none"])

    def said(*arguments: str | Path, benchmark: str = NAME) -> str:
        assert main(*arguments, benchmark=benchmark) == Exit.UNUSABLE
        return capsys.readouterr().err

    assert "no-such: not a revision" in said("no-such", "HEAD", "--tree", tree)
    assert "both execute 5 instructions" in said("HEAD~2", "HEAD~1", "--tree", tree)
    assert "HEAD cannot be counted: does not build" in said("HEAD~1", "HEAD", "--tree", tree)
    assert "GOOD and BAD, or --good" in said("HEAD")
    assert "--bad goes with --good" in said("HEAD~1", "HEAD", "--bad", "5")
    assert "write backend/probe/mode" in said("a", "b", "--tree", tree, benchmark="popf")
    assert "no probe cli_fault" in said(
        "a", "b", "--tree", tree, benchmark="kmod/cli_fault/throughput"
    )
    assert "--config" in said("HEAD~1", "HEAD", "--tree", tree, "--config", tmp_path / "none")
    assert not (tmp_path / "cache" / "bisect" / "search").exists()


# What a count is made of


def turn(name: str, ticks: float, spread: float = 0.0) -> Any:
    entry = SimpleNamespace(ticks=ticks, spread=spread)
    absent = [SimpleNamespace(name="kmod", reason="no module")]
    context = SimpleNamespace(absent=absent)
    return SimpleNamespace(result=SimpleNamespace(figures={name: entry}, context=context))


def test_a_count_is_what_all_turns_have() -> None:
    assert counting.agreed(NAME, [turn(NAME, 5.001), turn(NAME, 5.0)]) == 5
    for turns, reason in (
        ([turn(NAME, 5), turn(NAME, 6)], "from time to time"),
        ([turn(NAME, 5, spread=1)], "from sample to sample"),
        ([turn("kmod/popf/throughput", 5)], "was not measured: no module"),
    ):
        with pytest.raises(Unmeasurable, match=reason):
            counting.agreed(NAME, turns)


@pytest.mark.parametrize("fault", [BuildError("no"), GuestDied("no"), IrqcostError("no insmod")])
def test_a_commit_that_does_not_build_or_boot_has_no_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: IrqcostError
) -> None:
    kernel = tmp_path / "linux"
    repository(kernel, ["5"])
    monkeypatch.setattr(counting.build, "harness", lambda: Path("bench"))
    monkeypatch.setattr(counting, "find_kernel", lambda name, say: None)
    monkeypatch.setattr(counting, "make_module", lambda *arguments: None)
    monkeypatch.setattr(builds.Build, "bench", lambda build: Path("bench"))
    monkeypatch.setattr(builds.Build, "module", lambda *arguments: Path("module"))
    monkeypatch.setattr(from_source, "configure", lambda *arguments: None)
    monkeypatch.setattr(from_source, "make", lambda *arguments: None)
    asked = Asked(NAME, "6.1", None, tmp_path)

    def counted() -> list[float]:
        progress = Progress("")
        return [
            counting._of_kernel(asked, kernel, progress),
            counting._of_project(asked, ROOT, progress),
        ]

    monkeypatch.setattr(counting.both, "in_turn", lambda *arguments: [turn(NAME, 5)])
    assert counted() == [5, 5]

    def failing(*arguments: object) -> None:
        raise fault

    monkeypatch.setattr(counting.both, "in_turn", failing)
    for count, tree in ((counting._of_kernel, kernel), (counting._of_project, ROOT)):
        with pytest.raises(Unmeasurable, match="no"):
            count(asked, tree, Progress(""))


def test_each_commit_is_configured_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[list[str]] = []

    def make(argv: list[str], _: str) -> str:
        made.append(argv)
        (tmp_path / "build/.config").write_text((tmp_path / "build/asked.config").read_text())
        return ""

    monkeypatch.setattr(from_source, "output", make)
    own = tmp_path / "own.config"
    own.write_text("CONFIG_PARAVIRT=y\n")
    asked = Asked(NAME, "6.1", own, tmp_path)
    for _ in range(2):
        counting._kernel_built(asked, tmp_path, lambda text: None)
    targets = ["allnoconfig" if "allnoconfig" in argv else "modules" for argv in made]
    assert targets == ["allnoconfig", "modules"] * 2
    assert "CONFIG_PARAVIRT=y\n" in (tmp_path / "build/.config").read_text()
