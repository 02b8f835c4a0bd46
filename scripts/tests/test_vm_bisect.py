# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost bisect` in guests: one of several commits adds an instruction to local_irq_save()."""

import re
import shutil
from pathlib import Path

import pytest

from irqcost import ROOT, cli
from irqcost.base.errors import Exit
from irqcost.compare.ab import builds
from irqcost.measure import build
from test_ab_builds import git
from test_vm_ab import _ONE_MORE

pytestmark = pytest.mark.guest

NAME = "kmod/local_irq_save_restore/throughput"

# Before the macro is used, after the kernel's headers.
_LAST_INCLUDE = '#include "internal.h"\n'


def commit(tree: Path, subject: str) -> str:
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", subject)
    return git(tree, "rev-parse", "HEAD")


def test_the_commit_that_added_an_instruction_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = tmp_path / "tree"
    # The harness is the same in all commits, and so need not be built for each.
    monkeypatch.setattr(builds.Build, "bench", lambda _: build.harness())
    for name in ("CMakePresets.json", "bench_user/main.cc"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    shutil.copytree(ROOT / "bench_kmod", tree / "bench_kmod")
    git(tree, "init", "-q")
    calls = tree / "bench_kmod" / "calls.c"
    text = calls.read_text()
    assert text.count(_LAST_INCLUDE) == 1
    commits = [commit(tree, "begin")]
    calls.write_text("#error no such compiler\n" + text)
    commits.append(commit(tree, "break the build"))
    calls.write_text(text)
    commits.append(commit(tree, "mend it"))
    calls.write_text(text.replace(_LAST_INCLUDE, _LAST_INCLUDE + _ONE_MORE))
    commits.append(commit(tree, "add an instruction"))
    for note in "12":
        (tree / "note").write_text(note)
        commits.append(commit(tree, "change nothing"))
    command = ["bisect", "--tree", str(tree), "--benchmark", NAME]
    assert cli.main([*command, commits[0], commits[-1]]) == Exit.OK
    said = capsys.readouterr().out
    assert f"First bad commit: {commits[3][:12]} add an instruction\n" in said
    ((good, bad),) = re.findall(rf"{NAME}: (\d+) → (\d+) instructions", said)
    assert int(bad) == int(good) + 1
    # What git bisect run is told.
    for place, code in ((1, 125), (2, 0), (3, 1)):
        git(tree, "checkout", "-q", commits[place])
        assert cli.main([*command, "--good", good]) == code
