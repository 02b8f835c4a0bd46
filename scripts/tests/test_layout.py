# SPDX-License-Identifier: GPL-2.0-only
"""Where irqcost reads and writes: in a checkout, and where a package has installed it."""

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from irqcost import ROOT, cli
from irqcost.base import layout
from irqcost.base.errors import BuildError, Exit, IrqcostError
from irqcost.base.layout import Installed
from irqcost.compare.ab import builds
from irqcost.measure import build
from irqcost.model import filenames
from irqcost.model.result import Cpu
from irqcost.vm.kernels import Kernel
from irqcost.vm.module import build_module
from test_cli import fake_front


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Installed]:
    """As if the package were installed, its files in a folder that nobody has written to."""
    found = Installed(tmp_path / "bin" / "irqcost-bench", tmp_path / "src" / "irqcost-1")
    monkeypatch.setattr(layout, "installed", lambda: found)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    yield found


def test_the_record_says_where_things_are(tmp_path: Path) -> None:
    assert layout.installed(tmp_path) is None
    record = {"bench": "../../bin/irqcost-bench", "module": "../../src/irqcost-1"}
    folder = tmp_path / "usr" / "share" / "irqcost"
    folder.mkdir(parents=True)
    (folder / layout.RECORD).write_text(json.dumps(record))
    found = layout.installed(folder)
    assert found == Installed(tmp_path / "usr/bin/irqcost-bench", tmp_path / "usr/src/irqcost-1")


def _result() -> Path:
    cpu = Cpu(None, "X", None, 6, 1, 2, None, None)
    return filenames.default_path(cpu, "6.1", datetime(2026, 1, 1, tzinfo=timezone.utc))


def test_results_of_a_checkout_are_in_it() -> None:
    assert _result().parent == ROOT / "results" / "x-06-01-02"
    assert layout.command() == "./irqcost" and layout.checkout("it") == ROOT


def test_results_of_a_package_are_in_the_users_data(
    package: Installed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert _result().parent == tmp_path / "data/irqcost/results/x-06-01-02"
    monkeypatch.setenv("HOME", str(tmp_path))
    for ignored in ("", "relative"):
        monkeypatch.setenv("XDG_DATA_HOME", ignored)
        assert layout.results() == tmp_path / ".local/share/irqcost/results"


def test_a_package_builds_no_harness(package: Installed) -> None:
    assert build.harness() == build.bench() == package.bench
    # That of a named checkout is built all the same.
    other = package.bench.parent
    assert build.bench(source=other) != package.bench


def test_what_needs_a_checkout_says_so(package: Installed) -> None:
    with pytest.raises(IrqcostError, match="^x needs the sources of irqcost.*use a checkout$"):
        layout.checkout("x")
    with pytest.raises(IrqcostError, match="HEAD~1 is neither a file nor a folder; a revision"):
        builds.find("HEAD~1")
    kernel = Kernel("6.1", "6.1.0", Path("vmlinuz"), Path("headers"))
    with pytest.raises(BuildError, match="install the package irqcost-dkms"):
        build_module(kernel, lambda text: None, package.module)


def test_a_package_offers_only_what_can_work(
    package: Installed, capsys: pytest.CaptureFixture[str]
) -> None:
    text = cli.parser().format_help()
    assert "\n  probes " in text and "\n  test " not in text and "\n  lint " not in text
    assert "./irqcost" not in text and "--no-install" not in text
    for command in ("test", "lint"):
        with pytest.raises(SystemExit) as ended:
            cli.main([command])
        assert ended.value.code == Exit.UNUSABLE
        assert f"{command} works on the sources of irqcost" in capsys.readouterr().err


@pytest.mark.parametrize("packaged", [False, True])
def test_the_command_of_a_package_installs_and_builds_nothing(
    tmp_path: Path, packaged: bool
) -> None:
    """What the harness is built with is not asked for; anything else that is missing is named."""
    apt = '#!/bin/bash\necho apt >>"$NOTES"\nexit 1\n'
    tools = {"apt-get": apt, "sudo": apt, "apt-cache": apt}
    fake_front(tmp_path, "build command:nosuch compiler - -", "doctor command:no2 it - -", **tools)
    notes = tmp_path / "notes"
    notes.touch()
    if packaged:
        (tmp_path / layout.RECORD).touch()

    def front(command: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", str(tmp_path / "irqcost"), command],
            capture_output=True,
            text=True,
            env={
                "PATH": f"{tmp_path}:{os.environ['PATH']}",
                "NOTES": str(notes),
                "IRQCOST_CACHE": str(tmp_path / "cache"),
                "IRQCOST_INSTALL": "yes",
            },
            timeout=60,
        )
        return done.returncode, done.stdout + done.stderr

    code, said = front("run")
    assert (code, "missing: command:nosuch" in said) == ((0, False) if packaged else (2, True))
    code, said = front("doctor")
    assert code == 2 and "packages on Debian and Ubuntu: it\n" in said
    asked = notes.read_text()
    assert not asked if packaged else asked
    # Neither does Python leave anything in the package's folder.
    if packaged:
        assert not list(tmp_path.rglob("__pycache__"))
