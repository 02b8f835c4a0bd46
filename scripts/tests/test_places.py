# SPDX-License-Identifier: GPL-2.0-only
"""Where the harness is built and results go, on machines as they are: a checkout that was moved
with its build folder, folders from which nothing runs, users without a home, two runs at once."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from irqcost import ROOT, cli
from irqcost.base import cache, files
from irqcost.base.errors import Exit, IrqcostError
from irqcost.measure import build

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


# What reserves a name, for a run and for one in a guest.
_RESERVES = (
    "running.reserved(Options(), None)",
    'measuring.reserved(None, Kernel("6.1", "6.1.0-1-amd64", Path("/k"), Path("/k")), Machine())',
)

# A process that prints the name that it reserves, at a time that stands still, and holds it.
_HOLDER = """\
import signal, sys
from datetime import datetime, timezone
from pathlib import Path
from irqcost.base import layout
from irqcost.measure import running
from irqcost.measure.guests import measuring
from irqcost.measure.options import Options
from irqcost.vm.kernels import Kernel
from irqcost.vm.qemu import Machine

class Frozen(datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 1, 1, tzinfo=timezone.utc)

running.datetime = measuring.datetime = Frozen
layout.results = lambda: Path(sys.argv[1])
with {reserve} as target:
    print(target.name, flush=True)
    signal.pause()
"""


@pytest.mark.parametrize("reserve", _RESERVES, ids=["run", "guest"])
def test_runs_of_the_same_second_have_names_of_their_own(reserve: str, tmp_path: Path) -> None:
    """Each in a process, as the claims of one process are its own."""
    holders: list[subprocess.Popen[str]] = []

    def reserved() -> str:
        script = _HOLDER.format(reserve=reserve)
        holders.append(
            subprocess.Popen(
                [sys.executable, "-c", script, tmp_path],
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
            )
        )
        stdout = holders[-1].stdout
        assert stdout is not None
        return stdout.readline().removesuffix(".json\n")

    def end_all() -> None:
        for holder in holders:
            with holder:
                holder.kill()

    try:
        first = reserved()
        assert first
        assert [reserved(), reserved()] == [f"{first}-2", f"{first}-3"]
        end_all()
        # The locks of those that were killed are nobody's.
        assert reserved() == first
    finally:
        end_all()


_COMPILED = """\
cmake_minimum_required(VERSION 3.20)
project(tiny C)
set(IRQCOST_LEFT_OUT "" CACHE INTERNAL "")
add_executable(irqcost_bench bench_user/main.c)
target_include_directories(irqcost_bench PRIVATE bench_user/first bench_user/second OUTSIDE)
set_target_properties(irqcost_bench PROPERTIES
  OUTPUT_NAME irqcost-bench RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench_user)
"""


def test_what_is_built_is_built_again_only_after_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a source, a header in the checkout or outside of it, one that takes another's place, what
    was built, or the description of the build."""
    if not shutil.which("cc"):
        pytest.skip("no C compiler")
    source, outside = _project(tmp_path / "tiny"), tmp_path / "outside"
    own = source / "bench_user"
    for folder in (outside, own / "first", own / "second"):
        folder.mkdir(parents=True)
    (source / "CMakeLists.txt").write_text(_COMPILED.replace("OUTSIDE", str(outside)))
    (own / "main.c").write_text(
        '#include "a.h"\n#include "b.h"\nint main(void) { return A + B; }\n'
    )
    (own / "second" / "a.h").write_text("#define A 1\n")
    (outside / "b.h").write_text("#define B 2\n")
    made: list[str] = []
    logged = build.logged

    def noted(command: list[str], *rest: object) -> None:
        made.append(command[1])
        logged(command, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(build, "logged", noted)

    def answer() -> int:
        made.clear()
        return subprocess.run([build.harness(source=source)]).returncode

    def as_is() -> bool:
        """Whether nothing is asked of CMake any more, at the latest after the next build."""
        answer()
        return answer() >= 0 and not made

    assert answer() == 3 and as_is()
    changes = (
        (
            own / "main.c",
            '#include "a.h"\n#include "b.h"\nint main(void) { return A - B + 9; }\n',
            8,
        ),
        (own / "second" / "a.h", "#define A 3\n", 10),
        (outside / "b.h", "#define B 4\n", 8),
        (own / "first" / "a.h", "#define A 7\n", 12),
    )
    for path, content, expected in changes:
        path.write_text(content)
        if path == own / "first" / "a.h":
            os.utime(own / "main.c")  # CMake itself does not see that this comes before the other
        assert answer() == expected and made, path
        assert as_is(), path
    (own / "first" / "a.h").unlink()
    os.utime(own / "main.c")
    assert answer() == 8 and as_is()
    build.bench(source=source).unlink()
    assert answer() == 8 and as_is()
    text = (source / "CMakeLists.txt").read_text()
    (source / "CMakeLists.txt").write_text(text + "add_compile_definitions(C)\n")
    assert answer() == 8 and made and as_is()
