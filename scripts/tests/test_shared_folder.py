# SPDX-License-Identifier: GPL-2.0-only
"""Writing where others write: in a folder of somebody else, who exchanges what is in it; beside
another command; as root in a user's checkout; on file systems that cannot do everything."""

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from irqcost.base import cache, files
from irqcost.base.errors import IrqcostError
from irqcost.base.safety import ownership

_NOBODY = 65534


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("replace", [False, True])
def test_a_link_in_place_of_the_temporary_file_leads_nowhere(tmp_path: Path, replace: bool) -> None:
    """The owner of the folder exchanges the file that root is about to fill."""
    (tmp_path / "secret").write_text("kept")
    folder = tmp_path / "theirs"
    folder.mkdir()
    with pytest.raises(IrqcostError, match="x.json: somebody removed or exchanged it"):
        with files.written_whole(folder / "x.json", replace) as partial:
            (temporary,) = folder.glob("*.partial")
            temporary.unlink()
            temporary.symlink_to(tmp_path / "secret")
            partial.write_text("report")
            partial.chmod(0o644)
    assert (tmp_path / "secret").read_text() == "kept"
    # What they put there is theirs, and was not published.
    assert [name for name in names(folder) if not name.endswith(".partial")] == []


def test_a_folder_exchanged_meanwhile_changes_nothing_elsewhere(tmp_path: Path) -> None:
    folder, other = tmp_path / "theirs", tmp_path / "private"
    folder.mkdir()
    other.mkdir()
    with files.written_whole(folder / "x.json") as partial:
        folder.rename(tmp_path / "moved")
        folder.symlink_to(other)
        partial.write_text("content")
    assert names(other) == []
    assert names(tmp_path / "moved") == ["x.json"]


def test_a_target_that_is_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("kept")
    (tmp_path / "x.json").symlink_to("secret")
    with files.written_whole(tmp_path / "x.json", replace=True) as partial:
        partial.write_text("content")
    assert (tmp_path / "secret").read_text() == "kept"
    assert (tmp_path / "x.json").read_text() == "content"


def test_what_was_left_behind_blocks_nobody(tmp_path: Path) -> None:
    """A killed command leaves its temporary file, and the next may have its process number, as in
    containers, where all are small."""
    script = (
        "import os, sys; from pathlib import Path; from irqcost.base import files\n"
        "with files.written_whole(Path(sys.argv[1])):\n    os.kill(os.getpid(), 9)"
    )
    target = tmp_path / "x.json"
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", script, str(target)]).returncode == -9
    assert len(list(tmp_path.glob("*.partial"))) == 2
    (tmp_path / f".x.json.{os.getpid()}.partial").touch()
    with files.written_whole(target) as partial:
        partial.write_text("content")
    assert target.read_text() == "content"


def test_of_two_that_write_one_name_the_second_knows_at_once(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from irqcost.base import files, errors\n"
        "try:\n    with files.written_whole(Path(sys.argv[1])): print('begun')\n"
        "except errors.IrqcostError as error: print(error)"
    )
    target = tmp_path / "x.json"

    def second() -> str:
        return subprocess.check_output([sys.executable, "-c", script, str(target)], text=True)

    with files.written_whole(target) as partial:
        assert "another command is writing it" in second()
        partial.write_text("first")
    assert "exists, and is never overwritten" in second()
    assert (names(tmp_path), target.read_text()) == (["x.json"], "first")


def test_a_claim_takes_the_next_name(tmp_path: Path) -> None:
    (tmp_path / "1").touch()
    script = (
        "import sys; from pathlib import Path; from irqcost.base import files\n"
        "with files.claimed([Path(sys.argv[1], n) for n in '123']) as path: print(path.name)"
    )
    with files.claimed([tmp_path / "1", tmp_path / "2"]) as path:
        assert path.name == "2"
        taken = subprocess.check_output([sys.executable, "-c", script, str(tmp_path)], text=True)
        assert taken.strip() == "3"
        with files.written_whole(path) as partial:
            partial.write_text("ours")
    assert names(tmp_path) == ["1", "2"]
    with pytest.raises(files.Taken, match="2: exists"):
        with files.claimed([tmp_path / "1", tmp_path / "2"]):
            pytest.fail("both are taken")


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_that_cannot_sync_or_reserve(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with files.written_whole(tmp_path / "x.json") as partial:
        partial.write_text("content")
    assert (tmp_path / "x.json").read_text() == "content"


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with cache.locked(tmp_path / "new" / ".lock"), files.written_whole(tmp_path / "x.json") as one:
        one.write_text("content")
    assert (tmp_path / "x.json").read_text() == "content"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's checkout, in which root works."""
    if os.geteuid():
        pytest.skip("needs root, who could give files away")
    folder = tmp_path / "checkout"
    folder.mkdir()
    os.chown(folder, _NOBODY, _NOBODY)
    monkeypatch.setattr(ownership, "ROOT", folder)
    yield folder


def test_what_root_makes_in_a_checkout_is_its_owners(checkout: Path, tmp_path: Path) -> None:
    target = checkout / "results" / "cpu" / "x.json"
    with files.written_whole(target) as partial:
        partial.write_text("content")
    with cache.locked(checkout / "build" / "release" / ".lock"):
        (checkout / "build" / "release" / "object.o").touch()
    ownership.give_all(checkout / "build")
    for path in checkout.rglob("*"):
        assert path.stat().st_uid == path.stat().st_gid == _NOBODY, path
    with files.written_whole(tmp_path / "elsewhere.json") as partial:
        partial.write_text("content")
    assert (tmp_path / "elsewhere.json").stat().st_uid == 0


def test_a_root_that_may_give_nothing_away_goes_on(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    for name in ("chown", "lchown", "fchown"):
        monkeypatch.setattr(os, name, refuse)
    with files.written_whole(checkout / "results" / "x.json") as partial:
        partial.write_text("content")
    assert (checkout / "results" / "x.json").read_text() == "content"


def test_a_user_without_a_home_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("IRQCOST_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(IrqcostError, match="name a folder in [$]IRQCOST_CACHE"):
        cache.cache_directory()
