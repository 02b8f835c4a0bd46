# SPDX-License-Identifier: GPL-2.0-only
"""scripts/ci/platforms: what of this machine goes along into a new system, and what is left."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from irqcost import ROOT
from irqcost.base import process
from irqcost.vm import apt, chroot

sys.path.insert(0, str(ROOT / "scripts" / "ci"))
import platforms  # noqa: E402

yaml = pytest.importorskip("yaml")

_SCRIPT = ROOT / "scripts" / "ci" / "platforms"


def test_settings_of_apt_that_go_along() -> None:
    """How the archive is reached; no program and no path, which the new system may lack."""
    taken = {
        'Acquire::http::Proxy "http://proxy.test:3128";': True,
        'Acquire::http::Proxy::a.test "DIRECT";': True,
        'Acquire::Check-Valid-Until "false";': True,
        'Acquire::http::Proxy-Auto-Detect "/usr/bin/detect";': False,
        'Acquire::https::CAInfo "/etc/own.pem";': False,
        'Acquire::IndexTargets::deb::Packages::Optional "0";': False,
        'Acquire "";': False,
        'DPkg::Post-Invoke:: "rm -f x";': False,
    }
    assert {line: bool(platforms.ACQUIRE.match(line)) for line in taken} == taken


def test_the_network_of_the_environment_goes_along() -> None:
    names = ["http_proxy", "HTTPS_PROXY", "no_proxy", "PATH", "PYTHONPATH", "my_http_proxy_x"]
    found = [name for name in names if platforms.ENVIRONMENT.match(name)]
    assert found == ["http_proxy", "HTTPS_PROXY", "no_proxy"]


def test_debootstrap_verifies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And mounts nothing that would stay; its failure is an error with its last words."""
    calls: list[list[str]] = []

    def run(command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        calls.append(command)
        return subprocess.CompletedProcess(command, len(calls) - 1, "E: no keys\n")

    monkeypatch.setattr(chroot.os, "geteuid", lambda: 0)
    monkeypatch.setattr(chroot.shutil, "which", lambda name: name)
    monkeypatch.setattr(process.subprocess, "run", run)
    keys = tmp_path / "keys.gpg"
    keys.touch()
    source = apt.Source("http://a.test/debian", (), str(keys))
    chroot.bootstrap(tmp_path / "a", "sid", source)
    assert calls[0][:2] == ["unshare", "--mount"] and "private" in calls[0]
    assert {"--force-check-gpg", f"--keyring={keys}"} <= set(calls[0])
    assert calls[0][-3:] == ["sid", str(tmp_path / "a"), "http://a.test/debian"]
    with pytest.raises(platforms.IrqcostError, match="no keys"):
        chroot.bootstrap(tmp_path / "b", "sid", source)


def test_what_a_command_said(tmp_path: Path) -> None:
    root = platforms.Root(tmp_path, tmp_path / "log")
    root.log.write_text(
        "\n$ ./irqcost run\nCost\n\nNot measured:\n  kmod: no device; x\n  kvm: none\n"
        "  ring3/rdtscp/isolated: no RDTSCP\n\nResult: x\n"
    )
    assert root.said("run") == "without kmod, kvm"
    root.log.write_text("\n$ ./irqcost run\nirqcost: `cmake` failed\n")
    assert root.said("run") == "no result"
    root.log.write_text(
        "\nNot measured:\n  kvm: none\n"
        "\n$ ./irqcost test --fast\n9 passed, 1 skipped, 2 warnings in 3s\n"
        "12 passed, 0 failed, 1 skipped\n"
    )
    assert root.said("test") == "12 passed, 0 failed, 1 skipped; 2 warnings"


def test_the_table() -> None:
    good = platforms.End(0, 61.2, "all backends")
    rows = [
        platforms.Row("sid", "GCC 16", {"run": good, "test": platforms.End(1, 5, "1 passed")}),
        platforms.Row("trixie", "", {"run": good, "test": None}),
    ]
    text = platforms.table(rows, "2026-01-02", "abc")
    assert (
        "| sid | GCC 16 | ends with 0, 1 min 01 s, all backends | ends with 1, 0 min 05 s" in text
    )
    assert "| trixie |  | ends with 0, 1 min 01 s, all backends | not begun |" in text
    assert not rows[0].fine and not rows[1].fine
    assert platforms.Row("sid", "", {"run": good}).fine


def namespaces() -> bool:
    """Whether mounts can be kept apart: not without root, nor from within a chroot."""
    command = ["unshare", "--mount", "--propagation", "private", "true"]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.skipif(not namespaces(), reason="no namespace of mounts can be made here")
def test_nothing_stays_mounted_and_nobody_stays_behind(tmp_path: Path) -> None:
    """With this machine's own /usr as the system."""
    root = platforms.Root(tmp_path / "root", tmp_path / "log")
    for name in ("dev", "proc", "sys", "usr", "tmp"):
        (root.path / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib64", "sbin"):
        if (own := Path("/", name)).is_symlink():
            (root.path / name).symlink_to(own.readlink())
    if not (root.path / "bin").is_symlink():
        pytest.skip("/bin is a folder of its own here")
    # A copy of what is started would be large: it is mounted by a namespace around.
    program = (
        "import sys, pathlib; sys.path[:0] = sys.argv[1:3]; import platforms\n"
        "root = platforms.Root(*map(pathlib.Path, sys.argv[3:5]))\n"
        "script = 'sleep 1000 & mount; test -e /dev/null && exit 7'\n"
        "code = root.enter(['sh', '-c', script], '/tmp')\n"
        "sys.exit(code)"
    )
    mounted = 'mount --bind /usr "$0/usr"; exec "$@"'
    around = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", mounted]
    paths = [ROOT / "scripts", ROOT / "scripts" / "ci", root.path, root.log]
    done = subprocess.run(
        [*around, str(root.path), sys.executable, "-c", program, *map(str, paths)], timeout=120
    )
    said = root.log.read_text(encoding="utf-8")
    assert done.returncode == 7, said
    # As the system sees it: /sys cannot be written to.
    assert re.search(r"on /sys type sysfs \(ro", said)
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    own = [path for path in Path("/proc").glob("[0-9]*/root") if _is(path, root.path)]
    assert own == []


def _is(link: Path, root: Path) -> bool:
    try:
        return os.readlink(link).startswith(str(root))
    except OSError:
        return False


def test_what_it_does_not_begin_with(tmp_path: Path) -> None:
    (tmp_path / "sid").mkdir()
    for arguments, reason in (
        (["../x"], "../x: not the name of a suite"),
        (["sid", "--keep", str(tmp_path)], "sid exists: a system is made anew"),
        (["sid", "--mirror", "http://a.test/debian", "--keyring", "/no/keys"], "no such file"),
    ):
        done = subprocess.run([_SCRIPT, *arguments], capture_output=True, text=True)
        assert done.returncode == 2 and reason in done.stderr


def test_the_workflow_tries_the_same() -> None:
    text = (ROOT / ".github/workflows/platforms.yml").read_text(encoding="utf-8")
    # YAML 1.1 takes the key `on` for true, as PyYAML does; GitHub does not.
    content = {("on" if key is True else key): value for key, value in yaml.safe_load(text).items()}
    name = Path(__file__).with_name("schemas") / "github_workflow.schema.json"
    schema = json.loads(name.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(content)
    job = content["jobs"]["commands"]
    images = job["strategy"]["matrix"]["image"]
    assert images[:-1] == [f"debian:{suite}" for suite in platforms.SUITES]
    commands = [step.get("run") for step in job["steps"]]
    assert {" ".join(command) for command in platforms.COMMANDS.values()} <= set(commands)
