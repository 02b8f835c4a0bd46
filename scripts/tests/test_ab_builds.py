# SPDX-License-Identifier: GPL-2.0-only
"""Two builds in turn: checkouts, revisions and programs, and the module loaded for each."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from processes_of import entry, process
from irqcost import cli
from irqcost.base.errors import Exit, IrqcostError
from irqcost.commands.builds import ab
from irqcost.compare.ab import builds, loaded
from irqcost.vm.kernels import Kernel

POPF = "ring3/popf/throughput"
LAHF = "ring3/lahf/throughput"


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
