# SPDX-License-Identifier: GPL-2.0-only
"""A fleet without its hosts: inventories, what hosts send, the folder, and the module on a host."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from shutil import which
from typing import Any

import pytest
import results

from irqcost import ROOT, cli
from irqcost.base.errors import Exit, IrqcostError
from irqcost.fleet import folder, inventory, judged, outcome, running, sources
from irqcost.fleet.ansible import Event
from irqcost.fleet.folder import FAILED, MEASURED, UNREACHABLE, Asked, Fate

_MODULE = ROOT / "fleet" / "library" / "irqcost_host.py"
_MOST = 1 << 20


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "hosts.ini",
            "[a]\nh1 ansible_host=10.0.0.1\n[b]\nh1 ansible_host=10.0.0.2 # new\n",
            "two hosts are called h1: 10.0.0.1 (line 2) and 10.0.0.2 (line 4)",
        ),
        ("hosts", "h ansible_host=a ansible_port=1\nh ansible_host=a ansible_port=2\n", "port 2"),
        (
            "hosts.yml",
            "all:\n  hosts:\n    h1: {ansible_host: a}\n    h1:\n      ansible_host: b\n",
            "two hosts are called h1: a (line 3) and b (line 4)",
        ),
        (
            "hosts.yml",
            "x:\n  hosts: {h: {ansible_host: a}}\ny:\n  hosts: {h: {ansible_host: b}}\n",
            "two hosts are called h",
        ),
    ],
)
def test_one_name_for_two_hosts_is_refused(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(IrqcostError) as error:
        inventory.check(tmp_path / name)
    assert said in str(error.value)


def test_a_host_may_be_in_two_groups(tmp_path: Path) -> None:
    text = "[a]\nh ansible_host=x\n[b]\nh\n[b:vars]\nh ansible_host=z\n[c]\nh ansible_host=x\n"
    (tmp_path / "hosts").write_text(text)
    inventory.check(tmp_path / "hosts")


def packed(path: Path, parts: Mapping[str, bytes | tarfile.TarInfo]) -> Path:
    """An archive as a host sends it."""
    with tarfile.open(path, "w") as tar:
        for name, content in parts.items():
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
            else:
                tar.addfile(info)
    return path


def told(**changed: Any) -> bytes:
    """An outcome.json."""
    usual = {"host": "h", "machine": "m", "kernel": "6.1", "code": 0, "why": "", "skipped": []}
    return json.dumps(usual | changed).encode()


def link(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return info


_ALPHA = results.path("alpha").read_bytes()


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({}, "no outcome.json"),
        ({"result.json": _ALPHA}, "no outcome.json"),
        ({"outcome.json": b"[" * 30000}, "sent no outcome"),
        ({"outcome.json": b" " * (80 << 10)}, "bytes as outcome.json"),
        ({"outcome.json": told(code="0")}, "outcome.code is not a number"),
        ({"outcome.json": told(skipped=[["a"]])}, "no reason"),
        ({"outcome.json": told(), "../../result.json": _ALPHA}, "no part of an outcome"),
        ({"outcome.json": told(), "result.json": link("result.json")}, "no part of an outcome"),
        ({"outcome.json": told(), "result.json": b"{}"}, "no `context`"),
        ({"outcome.json": told(), "result.json": _ALPHA[:-9]}, "truncated"),
    ],
)
def test_what_is_no_outcome_is_refused_by_name(
    tmp_path: Path, parts: Mapping[str, bytes | tarfile.TarInfo], said: str
) -> None:
    with folder.made(tmp_path / "out", Asked("r", "i")) as into:
        into.arrived("h").parent.mkdir()
        packed(into.arrived("h"), parts)
        judged.collected(into, ["h"], [])
        fate = into.fate("h")
        assert fate and fate.state == FAILED and said in fate.why, fate
        assert not list(into.results.rglob("*.json")) and not into.arrived("h").exists()


def test_no_file_of_a_host_is_larger_than_a_result(tmp_path: Path) -> None:
    large = tmp_path / "large.tar"
    with large.open("wb") as file:
        file.truncate(_MOST + 1)
    with pytest.raises(outcome.Rejected, match="no outcome is larger"):
        outcome.read(large, _MOST)
    (tmp_path / "none.tar").write_bytes(b"x" * 2000)
    with pytest.raises(outcome.Rejected, match="no archive"):
        outcome.read(tmp_path / "none.tar", _MOST)


def test_a_hosts_words_move_no_terminal(tmp_path: Path) -> None:
    hostile = "\x1b[2J::error::" + "x" * 9000
    path = packed(tmp_path / "o.tar", {"outcome.json": told(why=hostile[:3000], host=hostile[:99])})
    read = outcome.read(path, _MOST)
    assert "\x1b" not in read.why + read.hostname and "::" not in read.why
    assert len(read.why) < 400
    events = [Event("h", "failed", "Start", hostile), Event("h", "said", "x", "[" * 9000)]
    fate = judged.said("h", events)
    assert "\x1b" not in fate.why and len(fate.why) < 400


def sent(into: folder.Folder, host: str, content: bytes = _ALPHA) -> None:
    into.arrived(host).parent.mkdir(exist_ok=True)
    packed(into.arrived(host), {"outcome.json": told(), "result.json": content})


def test_a_result_is_kept_and_never_written_twice(tmp_path: Path) -> None:
    with folder.made(tmp_path / "out", Asked("r", "i")) as into:
        sent(into, "h")
        judged.collected(into, ["h"], [])
        fate = into.fate("h")
        assert fate and fate.state == MEASURED
        (kept,) = [into.path / one for one in fate.results]
        assert kept.read_bytes() == _ALPHA
        # Another one that comes later.
        sent(into, "h", results.path("beta").read_bytes())
        judged.collected(into, ["h"], [])
        assert kept.read_bytes() == _ALPHA and into.fate("h") == fate
    with folder.resumed(tmp_path / "out") as into:
        assert into.fate("h") == fate and into.asked == Asked("r", "i")
        kept.unlink()
        lost = into.fate("h")
        assert lost and lost.state == FAILED


def test_what_was_fetched_before_an_interruption_is_kept(tmp_path: Path) -> None:
    asked = Asked("r", str(tmp_path / "no-inventory"), installed=True)
    with folder.made(tmp_path / "out", asked) as into:
        sent(into, "h")
        assert [one.state for one in running.measured(into, ["h"], 1)] == [MEASURED]


@pytest.mark.parametrize("one, two", [("H", "h"), ("a/b", "a-b"), ("x" * 70, "x" * 71)])
def test_names_of_files_are_as_different_as_those_of_hosts(one: str, two: str) -> None:
    names = {folder.file_name(one), folder.file_name(two)}
    assert len({name.lower() for name in names}) == 2
    assert all("/" not in name and len(name) < 80 for name in names)


def test_one_command_at_a_time_works_in_a_folder(tmp_path: Path) -> None:
    with folder.made(tmp_path / "out", Asked("r", "i")):
        with pytest.raises(IrqcostError, match="another fleet run"):
            with folder.resumed(tmp_path / "out"):
                pass
    with pytest.raises(IrqcostError, match="is not empty"):
        with folder.made(tmp_path / "out", Asked("r", "i")):
            pass


def test_hosts_that_are_one_and_wrong_clocks_are_named() -> None:
    fates = [
        Fate("a", MEASURED, hostname="n", machine="1"),
        Fate("b", MEASURED, hostname="n", machine="1"),
        Fate("c", MEASURED, hostname="n", machine="2", clock_off=-7300.0),
        Fate("d", UNREACHABLE, clock_off=20.0),
    ]
    assert judged.notes(fates) == {
        "a": [],
        "b": ["name: the same machine as a"],
        "c": [
            "clock: 2 hours late, and so is the date of its result",
            "name: calls itself n, as a does",
        ],
        "d": [],
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-i", "no-such.ini"], "no such inventory"),
        ([], "-i INVENTORY is needed"),
        (["-i", "hosts", "--", "--out", "x"], "--out of run"),
        (["-i", "hosts", "--package", "no.deb"], "no package that can be read"),
        (["--resume", "nowhere"], "not the folder of a fleet run"),
        (["--resume", "nowhere", "-i", "hosts"], "--resume does what was asked for then"),
        (["-i", "hosts", "--limit", "z"], "--limit: z is neither a host nor a group"),
        (["-i", "empty"], "empty: "),
    ],
)
def test_bad_input_is_named_and_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    if ("--limit" in arguments or "empty" in arguments) and not which("ansible-playbook"):
        pytest.skip("ansible-playbook is not installed")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hosts").write_text("a ansible_host=10.0.0.1\n")
    (tmp_path / "empty").write_text("")
    assert cli.main(["fleet", *arguments]) == Exit.UNUSABLE
    assert said in capsys.readouterr().err
    assert sorted(one.name for one in tmp_path.iterdir()) == ["empty", "hosts"]


def test_options_of_run_are_those_that_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["fleet", "-i", "hosts", "--", "--no-such"])
    assert left.value.code == 2 and "--no-such" in capsys.readouterr().err


def test_the_archive_is_enough_to_build_from(tmp_path: Path) -> None:
    first, second = tmp_path / "1.tar.gz", tmp_path / "2.tar.gz"
    sources.write(first)
    sources.write(second)
    assert first.read_bytes() == second.read_bytes()
    tree = tmp_path / "tree"
    subprocess.run(["mkdir", tree], check=True)
    subprocess.run(["tar", "-xzf", first, "-C", tree], check=True)
    said = subprocess.check_output([tree / "irqcost", "--no-install", "--version"], text=True)
    assert said.startswith("irqcost ")
    if not which("cmake"):
        pytest.skip("cmake is not installed")
    done = subprocess.run(["cmake", "--preset", "release"], cwd=tree, capture_output=True)
    assert done.returncode == 0, done.stderr


# A host's command: writes down what it is asked for; measures while there is no gate.
_COMMAND = """\
#!/bin/sh
echo "$*" >>"$FOLDER/asked"
[ "$1" = run ] || exit 0
while [ -e "$FOLDER/closed" ]; do sleep 0.05; done
[ ! -e "$FOLDER/fails" ] || { echo "irqcost: no luck"; exit 4; }
for last; do :; done
[ ! -d "$FOLDER/job" ] || echo '{}' >"$FOLDER/job/result.json"
"""
# Starts the module as Ansible does, as root where it is not.
_START = """\
import argparse, importlib.util, json, os, sys
folder, limit = sys.argv[1], float(sys.argv[2])
spec = importlib.util.spec_from_file_location("irqcost_host", sys.argv[3])
host = importlib.util.module_from_spec(spec)
spec.loader.exec_module(host)
host.os.geteuid = lambda: 0
host.DEVICE, host.TUNED = folder + "/device", folder + "/tune.json"
host.OURS, host.MACHINE = folder + "/ours", folder + "/machine"
args = argparse.Namespace(
    job=sys.argv[5], run_id=sys.argv[4], host="h", owner=int(sys.argv[6]), limit=limit,
    command=folder + "/irqcost", sources="", tune=True, load=True, options=["--quick", "--cpu=3"],
)
try:
    print(json.dumps(host.start(args)))
except host.Refused as error:
    print(json.dumps({"refused": str(error)}))
"""


class OnHost:
    """A folder that is a host to the module."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.programs = path / "programs"
        self.programs.mkdir()
        for name in ("modprobe", "rmmod"):
            self.program(self.programs / name, f'#!/bin/sh\necho "{name} $*" >>"$FOLDER/asked"\n')
        self.program(path / "irqcost", _COMMAND)

    def program(self, path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)

    def start(
        self, limit: float = 600, run_id: str = "r", job: Path | None = None, owner: int = -1
    ) -> dict[str, Any]:
        words = [str(limit), str(_MODULE), run_id, str(job or self.path / "job"), str(owner)]
        found: dict[str, Any] = json.loads(
            subprocess.check_output(
                [sys.executable, "-c", _START, str(self.path), *words],
                env={
                    **os.environ,
                    "FOLDER": str(self.path),
                    "PATH": f"{self.programs}:{os.environ['PATH']}",
                },
                text=True,
                stdin=subprocess.DEVNULL,
                timeout=60,
            )
        )
        return found

    @property
    def asked(self) -> list[str]:
        path = self.path / "asked"
        return path.read_text().splitlines() if path.exists() else []

    def until(self, what: Callable[[], bool]) -> None:
        for _ in range(1200):
            if what():
                return
            time.sleep(0.05)
        raise AssertionError(f"in vain; asked: {self.asked}")

    def measuring(self) -> bool:
        return any(one.startswith("run ") for one in self.asked)

    def outcome(self) -> outcome.Outcome:
        self.until((self.path / "job/outcome.tar").exists)
        return outcome.read(self.path / "job/outcome.tar", _MOST)

    def processes(self) -> list[int]:
        """Of this module, the keeper first."""
        found = []
        for one in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = one.read_bytes().split(b"\0")
            except OSError:
                continue
            if str(self.path).encode() in words and b"-c" in words:
                found.append(int(one.parent.name))
        return sorted(found)


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> OnHost:
    return OnHost(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_makes_on_a_host_is_its_users(host: OnHost) -> None:
    job = host.path / "user/.cache/irqcost-fleet/jobs/r"
    host.start(job=job, owner=4242)
    host.until((job / "outcome.tar").exists)
    made = [job / "outcome.tar", *(job.parents[place] for place in range(4)), job]
    owners = {one.name: one.stat().st_uid for one in made}
    assert set(owners.values()) == {4242}, owners


_PUT_BACK = ["rmmod irqcost", "tune --restore"]


def test_a_host_is_prepared_measured_and_put_back(host: OnHost) -> None:
    assert host.start() == {"state": "started"}
    assert host.outcome().code == 0 and set(host.outcome().results) == {"result.json"}
    out = f"run --no-chart --out {host.path}/job/result.json --quick --cpu=3"
    assert host.asked == ["modprobe irqcost", "tune --cpu=3", out, *_PUT_BACK]
    assert not (host.path / "ours").exists()
    # It is not done again.
    host.until(lambda: not host.processes())
    assert host.start() == {"state": "measured"} and len(host.asked) == 5


@pytest.mark.parametrize(
    ("victim", "number", "code", "why"),
    [
        (0, signal.SIGKILL, 0, ""),  # The keeper: the worker goes on, and does its work.
        (0, signal.SIGHUP, 1, "ended by SIGHUP"),
        (1, signal.SIGKILL, 1, "was killed"),
    ],
)
def test_a_host_is_put_back_whatever_is_killed(
    host: OnHost, victim: int, number: signal.Signals, code: int, why: str
) -> None:
    (host.path / "closed").touch()
    host.start()
    host.until(host.measuring)
    os.kill(host.processes()[victim], number)
    if number == signal.SIGKILL:
        (host.path / "closed").unlink()
    found = host.outcome()
    (host.path / "closed").unlink(missing_ok=True)
    assert (found.code, why in found.why) == (code, True), found
    assert host.asked[-2:] == _PUT_BACK


def test_what_takes_too_long_is_ended_and_begun_anew(host: OnHost) -> None:
    (host.path / "closed").touch()
    host.start(limit=2)
    assert "took longer than 2 s" in host.outcome().why and host.asked[-2:] == _PUT_BACK
    (host.path / "closed").unlink()
    host.until(lambda: not host.processes())
    assert host.start() == {"state": "started"} and host.outcome().code == 0


def test_a_run_that_fails_says_why(host: OnHost) -> None:
    (host.path / "fails").touch()
    host.start()
    found = host.outcome()
    assert (found.code, found.why) == (4, "irqcost: no luck") and not found.results
    assert host.asked[-2:] == _PUT_BACK


def test_one_measurement_at_a_time(host: OnHost) -> None:
    (host.path / "closed").touch()
    host.start()
    host.until(host.measuring)
    assert host.start() == {"state": "running"}
    (host.path / "job").rename(host.path / "other")
    assert "the same machine as h" in host.start()["refused"]
    assert "another fleet run measures here now (r)" in host.start(run_id="s")["refused"]
    (host.path / "job").joinpath("lock").unlink()
    (host.path / "job").rmdir()
    (host.path / "other").rename(host.path / "job")
    (host.path / "closed").unlink()
    assert host.outcome().code == 0


def test_what_its_owner_tuned_stays_so(host: OnHost) -> None:
    (host.path / "tune.json").touch()
    host.start()
    assert ("tuning", "its owner has tuned this host already: left as it is") in [
        *host.outcome().skipped
    ]
    assert not [one for one in host.asked if one.startswith("tune")]


def test_without_the_module_the_reason_is_named(host: OnHost) -> None:
    host.program(host.programs / "modprobe", "#!/bin/sh\nexit 1\n")
    host.program(host.programs / "uname", "#!/bin/sh\necho none\n")
    host.start()
    (skipped,) = host.outcome().skipped
    assert skipped[0] == "module" and "rmmod irqcost" not in host.asked
    assert "no headers of kernel" in skipped[1] or "sources are not on this host" in skipped[1]
