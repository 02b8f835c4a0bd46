# SPDX-License-Identifier: GPL-2.0-only
"""Where the harness is built and results go, on machines as they are: a checkout that was moved
with its build folder, folders from which nothing runs, users without a home, two runs at once."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from pathlib import Path

import pytest

from irqcost import cli
from irqcost.base import cache, files
from irqcost.base.errors import Exit, IrqcostError
from irqcost.measure import build, running
from irqcost.measure.guests import measuring
from irqcost.measure.options import Options
from irqcost.vm.kernels import Kernel
from irqcost.vm.qemu import Machine

Reserve = Callable[[], AbstractContextManager[Path]]

_PROJECT = """\
cmake_minimum_required(VERSION 3.20)
project(tiny NONE)
set(IRQCOST_LEFT_OUT "" CACHE INTERNAL "")
add_custom_target(irqcost_bench COMMAND ${CMAKE_COMMAND} -E touch irqcost-bench)
"""
_PRESETS = (
    '{"version": 3, "configurePresets": [{"name": "release", "generator": "Unix Makefiles"}]}'
)


def _project(folder: Path) -> Path:
    folder.mkdir()
    (folder / "CMakeLists.txt").write_text(_PROJECT)
    (folder / "CMakePresets.json").write_text(_PRESETS)
    return folder


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_a_checkout_takes_its_build_folder_along(how: str, tmp_path: Path) -> None:
    first, second = _project(tmp_path / "first"), tmp_path / "second"
    place = build.harness(source=first).parent.parent
    (place / "of-the-other").touch()
    if how == "moved":
        first.rename(second)
    else:
        shutil.copytree(first, second)
    other = build.harness(source=second).parent.parent
    assert other == second / "build" / "release"
    assert not (other / "of-the-other").exists()
    assert build.configured(other, second)


@pytest.fixture
def noexec(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "noexec"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_where_no_program_may_run_none_is_built(
    noexec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IRQCOST_CACHE", str(tmp_path / "cache"))
    assert build.folder("release", noexec).is_relative_to(tmp_path / "cache" / "build")
    monkeypatch.setenv("IRQCOST_CACHE", str(noexec / "cache"))
    with pytest.raises(IrqcostError, match="noexec.* name another folder in [$]IRQCOST_CACHE"):
        build.folder("release", noexec)


def _no_home() -> Path:
    raise cache.NoCache("this user has no home folder")


@pytest.mark.parametrize("home", ["none", "unwritable", "a file"])
def test_doctor_lives_without_a_home(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(files, "may_write", lambda _: False)
    (tmp_path / "file").touch()
    place = {"unwritable": "/proc/irqcost", "a file": str(tmp_path / "file")}.get(home)
    if place is None:
        monkeypatch.setattr(build, "cache_directory", _no_home)
    else:
        monkeypatch.setenv("IRQCOST_CACHE", place)
    assert cli.main(["doctor"]) == Exit.OK
    assert "ring3: available" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["", "#!/bin/sh\necho []\n", "#!/none\n", "\x7fELF"])
def test_doctor_lives_with_a_harness_that_does_not_answer(
    content: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bench = tmp_path / "bench"
    bench.write_text(content)
    bench.chmod(0o755)
    monkeypatch.setattr(build, "bench", lambda: bench)
    assert cli.main(["doctor"]) == Exit.OK
    said = capsys.readouterr().out
    assert "The harness does not answer" in said and "\nkmod: " in said


def _run() -> AbstractContextManager[Path]:
    return running.reserved(Options(), None)


def _guest() -> AbstractContextManager[Path]:
    kernel = Kernel("6.1", "6.1.0-1-amd64", Path("/k"), Path("/k"))
    return measuring.reserved(None, kernel, Machine())


@pytest.mark.parametrize("reserve", [_run, _guest])
def test_runs_of_the_same_second_have_names_of_their_own(
    reserve: Reserve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in a process, as the claims of one process are its own."""

    class Frozen(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Frozen":
            return cls(2026, 1, 1, tzinfo=timezone.utc)

    for module in (running, measuring):
        monkeypatch.setattr(module, "datetime", Frozen)
    for module in (running, measuring, running.filenames):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    kept: list[int] = []
    try:
        for _ in range(3):
            name = _reserved_by_a_child(reserve, kept)
            assert name.endswith(f"-{len(kept)}.json" if len(kept) > 1 else ".json")
    finally:
        for child in kept:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    # The locks of those that were killed are nobody's.
    with reserve() as target:
        assert not target.stem.endswith(("-2", "-3", "-4"))


def _reserved_by_a_child(reserve: Reserve, kept: list[int]) -> str:
    """The name that another process reserves, and holds until it is killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        with reserve() as target:
            os.write(writer, target.name.encode())
            os.close(writer)
            signal.pause()
    kept.append(child)
    os.close(writer)
    with os.fdopen(reader) as names:
        return names.read()
