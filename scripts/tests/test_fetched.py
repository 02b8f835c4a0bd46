# SPDX-License-Identifier: GPL-2.0-only
"""What is fetched is verified, or refused: packages by apt, systems by debootstrap."""

import shutil
from pathlib import Path

import pytest

from irqcost.base.errors import IrqcostError
from irqcost.vm import chroot
from irqcost.vm.apt import Archive, PrivateApt, Source

_CARELESS = """\
Acquire::AllowInsecureRepositories "true";
Acquire::AllowDowngradeToInsecureRepositories "true";
APT::Get::AllowUnauthenticated "true";
"""


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="no apt-get on this machine")
def test_an_archive_that_nobody_signed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where this machine's own configuration would take it."""
    (tmp_path / "apt.conf").write_text(_CARELESS)
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    packages = tmp_path / "archive" / "dists" / "bookworm" / "main" / "binary-amd64"
    packages.mkdir(parents=True)
    (packages / "Packages").touch()
    (packages.parent.parent / "Release").write_text(
        "Suite: bookworm\nCodename: bookworm\nArchitectures: amd64\nComponents: main\n"
        "Date: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n"
        f" {'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'} 0 "
        "main/binary-amd64/Packages\n"
    )
    archive = Archive(Source(f"file:{tmp_path}/archive", ()), None)
    with pytest.raises(IrqcostError, match="is not signed"):
        PrivateApt(tmp_path / "apt", archive, "bookworm").update()


@pytest.mark.parametrize("signed_by", ["", "file"])
def test_a_system_is_installed_by_its_keys_or_not_at_all(
    signed_by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    monkeypatch.setattr(chroot.os, "geteuid", lambda: 0)
    monkeypatch.setattr(chroot.shutil, "which", lambda _: "/usr/sbin/debootstrap")
    monkeypatch.setattr(chroot, "output", lambda command, _: ran.extend(command))
    keys = tmp_path / "keys.gpg"
    keys.touch()
    source = Source("file:/archive", (), str(keys) if signed_by else "")
    chroot.bootstrap(tmp_path / "root", "bookworm", source)
    assert "--force-check-gpg" in ran
    assert (f"--keyring={keys}" in ran) == bool(signed_by)
