# SPDX-License-Identifier: GPL-2.0-only
"""A fleet of this machine's own making: hosts in network namespaces, each with an sshd and a root
folder of its own, measured by the command as a user has it. The hosts measure simulated CPUs."""

import json
import os
import re
import resource
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from fleet_hosts import Fleet, Host, must, why_not

from irqcost import ROOT
from irqcost.base import layout
from irqcost.measure import build

pytestmark = pytest.mark.skipif(bool(why_not()), reason=f"no namespaces: {why_not()}")

_BOOST = "sys/devices/system/cpu/intel_pstate/no_turbo"
_SECRET = "correct-horse-battery"
# Stand for a module that loads.
_MODULE = {
    "/usr/sbin/modprobe": '#!/bin/sh\necho "load $*" >>/opt/module; : >/dev/irqcost\n',
    "/usr/sbin/rmmod": '#!/bin/sh\necho "unload $*" >>/opt/module; rm /dev/irqcost\n',
}
# Measures when somebody opens a gate.
_GATED = {
    "/opt/irqcost": "#!/bin/sh\n"
    'if [ "$1" = run ]; then : >/opt/began; until [ -e /opt/gate ]; do sleep 0.2; done; fi\n'
    'exec /usr/bin/irqcost "$@"\n'
}
_THREE_DAYS = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
#define OFF 259200
int clock_gettime(clockid_t id, struct timespec *to)
{
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(id, to);
    if (!failed && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        to->tv_sec += OFF;
    return failed;
}
time_t time(time_t *to)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return to ? (*to = now.tv_sec) : now.tv_sec;
}
int gettimeofday(struct timeval *to, void *zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    to->tv_sec = now.tv_sec;
    to->tv_usec = now.tv_nsec / 1000;
    return 0;
}
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a package of irqcost installs."""
    if not build.bench().exists():
        pytest.skip("the harness is not built")
    folder = tmp_path_factory.mktemp("tree")
    prefix = ("--prefix", folder / "usr", "--component", "main")
    must("cmake", "--install", build.folder("release"), *prefix)
    return folder


@pytest.fixture(scope="module")
def package(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a package that needs no other."""
    folder = tmp_path_factory.mktemp("package")
    (folder / "tree/DEBIAN").mkdir(parents=True)
    must("cp", "-a", tree / "usr", folder / "tree")
    (folder / "tree/DEBIAN/control").write_text(
        f"Package: irqcost\nVersion: {layout.version()}-1\nArchitecture: all\n"
        "Maintainer: N <n@example.org>\nDescription: x\n"
    )
    deb = folder / "irqcost_1_all.deb"
    must("dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "--build", folder / "tree", deb)
    return deb


def cpu(number: int) -> dict[str, str]:
    """The description of a simulated CPU."""
    named = {"vendor": "Simulated", "brand": f"Simulated {number}", "family": 6, "model": number}
    return {"/etc/cpu.json": json.dumps({"name": f"cpu {number}", "seed": number, "cpu": named})}


def simulated(host: Host) -> Host:
    host.variables["irqcost_host_run"] = '["--simulate", "/etc/cpu.json"]'
    return host


def environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin", "IRQCOST_INSTALL": "no"}


def begun(fleet: Fleet, *arguments: str | Path) -> "subprocess.Popen[str]":
    """Starts ./irqcost fleet at the controller's place."""
    command = [*fleet.inside(), str(ROOT / "irqcost"), "fleet", *map(str, arguments)]
    return subprocess.Popen(
        command,
        cwd=fleet.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
    )


def done(process: "subprocess.Popen[str]") -> tuple[int, str]:
    said, _ = process.communicate()
    print(said)
    return process.returncode, said


def said_of(text: str, host: str) -> str:
    """What a table says of a host: its line, and those below it."""
    found = re.search(rf"^{re.escape(host)} .*\n(?:  .*\n)*", text, re.MULTILINE)
    assert found, f"{host} is not in the table:\n{text}"
    return " ".join(found[0].split())


def until(what: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    """Waits for something that happens while a command works."""
    while not what():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.1)


def results(folder: Path) -> dict[str, int]:
    """Results by host, with the number of the file, which another one would not have."""
    found = sorted((folder / "results").glob("*/result*.json"))
    return {one.parent.name.rpartition("-")[0]: one.stat().st_ino for one in found}


def test_three_hosts_from_nothing_to_the_site(package: Path, tmp_path: Path) -> None:
    with Fleet(tmp_path / "net") as fleet:
        simulated(fleet.add("alpha", cpu(1) | _MODULE))
        simulated(fleet.add("Beta-2.example", cpu(2)))
        simulated(fleet.add("gamma", cpu(3), user="worker"))
        lines = [one.line() for one in fleet.hosts]
        inventory = fleet.inventory(lines, f"ansible_become_password={_SECRET}")
        code, said = done(begun(fleet, "-i", inventory, "--check"))
        assert code == 0 and "no headers of kernel" in said_of(said, "Beta-2.example")
        assert not (fleet.hosts[0].root / "usr/bin/irqcost").exists()
        out = tmp_path / "out"
        given = ("-i", inventory, "-o", out, "--package", package, "--", "--quick")
        code, said = done(begun(fleet, *given))
        assert code == 0 and "3 of 3 hosts measured" in said
        for number, name in enumerate(("alpha", "Beta-2.example", "gamma"), 1):
            line = said_of(said, name)
            assert "(SIMULATED)" in line and "ring3" in line, line
            assert f"Simulated {number}" in line
        # The module, where it can be loaded, and only while a host measures.
        assert "skipped module" not in said_of(said, "alpha")
        module = (fleet.hosts[0].root / "opt/module").read_text()
        assert module == "load irqcost\nunload irqcost\n"
        assert "skipped module: no headers of kernel" in said_of(said, "Beta-2.example")
        assert "skipped root: logs in as a user" in said_of(said, "gamma")
        assert "skipped tuning: no root on this host" in said_of(said, "gamma")
        # No host stays tuned, nor full of what was fetched.
        for host in fleet.hosts:
            assert (host.root / _BOOST).read_text() == "0\n"
            assert not list(host.root.glob("*/.cache/irqcost-fleet/jobs/*"))
    assert set(results(out)) == {"alpha", "beta-2.example", "gamma"}
    assert (out / "site/index.html").exists()
    assert "Simulated 2" in (out / "comparison.txt").read_text()
    kept = [one for one in out.rglob("*") if one.is_file()]
    assert not [one for one in kept if _SECRET.encode() in one.read_bytes()]


@pytest.fixture(name="faulty")
def _faulty(tree: Path, tmp_path: Path) -> Iterator[Fleet]:
    """One good host, and one for each fault; `cut` measures when its gate is opened."""
    shim = tmp_path / "shim"
    shim.mkdir()
    (shim / "shim.c").write_text(_THREE_DAYS)
    must("gcc", "-shared", "-fPIC", "-o", tree / "usr/lib/three-days.so", shim / "shim.c", "-ldl")
    with Fleet(tmp_path / "net", tree) as fleet:
        simulated(fleet.add("good", cpu(1), hostname="node"))
        simulated(fleet.add("cut", cpu(2) | _GATED | _MODULE, hostname="node"))
        fleet.hosts[1].variables["irqcost_command"] = "/opt/irqcost"
        options = "-C -o ControlMaster=auto -o ControlPersist=60s -o StrictHostKeyChecking=yes "
        options += "-o ServerAliveInterval=2 -o ServerAliveCountMax=3"
        fleet.hosts[1].variables |= {"ansible_ssh_args": options, "ansible_ssh_retries": "0"}
        simulated(fleet.add("full", cpu(3), full="/root/.cache/irqcost-fleet/jobs"))
        late = {"/etc/ld.so.preload": "/usr/lib/three-days.so\n"}
        simulated(fleet.add("clock", cpu(4) | late))
        simulated(fleet.add("strange", cpu(5), known=False))
        yield fleet


def test_each_fault_is_named_and_the_others_finish(faulty: Fleet, tmp_path: Path) -> None:
    good, cut, full, *_ = faulty.hosts
    again = (
        f'again ansible_host={good.address} irqcost_host_run=\'["--simulate", "/etc/cpu.json"]\''
    )
    lines = [*(one.line() for one in faulty.hosts), again, "gone ansible_host=10.213.7.99"]
    inventory, out, other = faulty.inventory(lines), tmp_path / "out", tmp_path / "other"
    given = ("-i", inventory, "--installed", "--no-site", "--forks", "8")
    first = begun(faulty, *given, "-o", out, "--", "--quick")
    until((cut.root / "opt/began").exists, first)
    # It is tuned, and a second run at once is refused, here and there.
    assert (cut.root / _BOOST).read_text().strip() == "1"
    code, said = done(begun(faulty, "--resume", out))
    assert code == 2 and "another fleet run is working in this folder" in said
    code, said = done(begun(faulty, *given, "--limit", "cut", "-o", other, "--", "--quick"))
    assert code == 2 and "another fleet run measures here now" in said_of(said, "cut")
    # The cable is pulled; the host goes on by itself, and is put back.
    cut.link("down")
    code, said = done(first)
    assert code == 2 and "3 of 7 hosts measured" in said
    for host, why in {
        "cut": "connection lost while it measured",
        "full": "disk full: ",
        "strange": "Host key verification failed",
        "gone": "No route to host|timed out|can be reached over ssh",
    }.items():
        assert re.search(why, said_of(said, host)), said_of(said, host)
    assert "clock: 3 days ahead" in said_of(said, "clock")
    assert "the same machine as " in said_of(said, "again") + said_of(said, "good")
    assert {"good", "clock", "cut"} - set(results(out)) == {"cut"}
    (cut.root / "opt/gate").touch()
    until_restored(cut)
    assert (cut.root / "opt/module").read_text() == "load irqcost\nunload irqcost\n"
    # What is missing, and only that: `cut` is fetched, not measured again.
    cut.link("up")
    (cut.root / "opt/began").unlink()
    must("mount", "-o", "remount,size=64m", full.root / "root/.cache/irqcost-fleet/jobs")
    before, log = results(out), (out / "ansible.log").stat().st_size
    code, said = done(begun(faulty, "--resume", out, "--no-site"))
    assert code == 2 and "5 of 7 hosts measured" in said
    after = results(out)
    assert set(after) - set(before) == {"cut", "full"} and before.items() <= after.items()
    assert not (cut.root / "opt/began").exists()
    assert not re.search(r"\b(good|clock)\b", (out / "ansible.log").read_text()[log:])
    assert "name: calls itself node" in said_of(said, "good") + said_of(said, "cut")


def until_restored(host: Host) -> None:
    """Waits until a host is as it was."""
    for _ in range(1800):
        if (host.root / _BOOST).read_text().strip() == "0":
            if (host.root / "opt/module").read_text().endswith("unload irqcost\n"):
                return
        time.sleep(0.1)
    raise AssertionError("the host stays tuned")


def spent(command: Sequence[str | Path], fleet: Fleet) -> tuple[int, str, resource.struct_rusage]:
    """A command of the controller, and what it and its children took."""
    process = begun(fleet, *command)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    return os.waitstatus_to_exitcode(status), said, usage


@pytest.mark.fleet
def test_twenty_hosts(tree: Path, tmp_path: Path) -> None:
    with Fleet(tmp_path / "net", tree) as fleet:
        for number in range(1, 21):
            simulated(fleet.add(f"host{number}", cpu(number)))
        inventory = fleet.inventory([one.line() for one in fleet.hosts])
        received = "/sys/class/net/br0/statistics/rx_bytes"
        out = tmp_path / "out"
        given: list[str | Path] = [
            "-i",
            inventory,
            "-o",
            out,
            "--installed",
            "--no-site",
            "--",
            "--quick",
        ]
        before = int(must(*fleet.inside(), "cat", received))
        began = time.monotonic()
        code, said, usage = spent(given, fleet)
        took = time.monotonic() - began
        fetched = int(must(*fleet.inside(), "cat", received)) - before
        cpu_time = usage.ru_utime + usage.ru_stime
        print(said)
        print(
            f"{took:.0f} s, {cpu_time / 20:.2f} s of CPU time and {fetched / 20 / 1024:.0f} KiB "
            f"for each host; the largest process had {usage.ru_maxrss / 1024:.0f} MiB"
        )
    assert code == 0 and "20 of 20 hosts measured" in said
    assert len(results(out)) == 20
