# SPDX-License-Identifier: GPL-2.0-only
"""Hosts of a fleet on this machine: each a network namespace with an sshd of its own, whose root
folder is an overlay over this one. Nothing of it is left, and nothing here is changed: a host sees
an empty /lib/modules, invented settings in /sys, and a /proc that nobody can write to."""

import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import fake_host

PROGRAMS = ("ansible-playbook", "ip", "ssh", "ssh-keygen", "sshd", "unshare", "dpkg-deb")
_NET = "10.213.7"
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_NUMBERS = itertools.count(1)

_SSHD = """\
Port 22
HostKey /etc/ssh/fleet_key
AuthorizedKeysFile /etc/ssh/fleet_keys
PermitRootLogin yes
PasswordAuthentication no
UsePAM no
StrictModes no
PidFile none
MaxStartups 100
Subsystem sftp internal-sftp
"""

# Runs in namespaces of its own, and ends as sshd.
_BOOT = """\
set -e
root=$1
hostname "$2"
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root/proc"
mount -t tmpfs tmpfs "$root/dev"
for node in null:3 zero:5 full:7 random:8 urandom:9; do
  mknod -m 666 "$root/dev/${node%:*}" c 1 "${node#*:}"
done
mkdir "$root/dev/shm"
chmod 1777 "$root/dev/shm"
mount -t tmpfs tmpfs "$root/lib/modules"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/run/sshd" "$root/run/lock"
chmod 1777 "$root/run/lock"
exec chroot "$root" /usr/sbin/sshd -D -e -f /etc/ssh/fleet_sshd
"""


def why_not() -> str:
    """Why there can be no such hosts here; "" where there can."""
    if os.geteuid():
        return "network namespaces need root"
    missing = [one for one in PROGRAMS if not shutil.which(one, path=_PATH)]
    if missing:
        return f"not installed: {', '.join(missing)}"
    tried = ["unshare", "--net", "--mount", "--pid", "--fork", "true"]
    if subprocess.run(tried, capture_output=True).returncode:
        return "this machine allows no namespaces"
    return ""


def must(*command: str | Path) -> str:
    """What a program writes; it succeeds."""
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, env={**os.environ, "PATH": _PATH}
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@dataclass
class Host:
    """One of the hosts."""

    name: str
    address: str
    root: Path
    net: str
    process: "subprocess.Popen[bytes]"
    variables: dict[str, str] = field(default_factory=dict)

    def line(self) -> str:
        """Of the inventory."""
        given = {"ansible_host": self.address, **self.variables}
        return " ".join([self.name, *(f"{key}='{value}'" for key, value in given.items())])

    def link(self, state: str) -> None:
        """Puts the host's cable in, or pulls it."""
        must("ip", "-n", self.net, "link", "set", "eth0", state)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


class Fleet:
    """Hosts, the network between them, and the place of the controller in it."""

    def __init__(self, folder: Path, layer: Path | None = None) -> None:
        """@layer: what every host has beside what is here."""
        self.folder = folder
        self.layer = layer
        self.own = f"irqf{os.getpid()}x{next(_NUMBERS)}"
        self.hosts: list[Host] = []
        self.sockets = ""
        self._stack = ExitStack()

    def __enter__(self) -> "Fleet":
        folder, own = self.folder, self.own
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self.sockets = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="irqf"))
            must("mount", "-t", "tmpfs", "tmpfs", folder)
            self._stack.callback(must, "umount", "-l", folder)
            if self.layer:  # Not on the disk that is the layer below it.
                must("cp", "-a", self.layer, folder / "layer")
                self.layer = folder / "layer"
            self._netns(own)
            must("ip", "-n", own, "link", "add", "br0", "type", "bridge")
            must("ip", "-n", own, "link", "set", "br0", "up")
            must("ip", "-n", own, "address", "add", f"{_NET}.254/24", "dev", "br0")
            must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key")
            (folder / "known_hosts").touch()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _netns(self, name: str) -> None:
        must("ip", "netns", "add", name)
        self._stack.callback(must, "ip", "netns", "delete", name)
        must("ip", "-n", name, "link", "set", "lo", "up")

    def address(self) -> str:
        """The next one."""
        return f"{_NET}.{len(self.hosts) + 1}"

    def add(
        self,
        name: str,
        files: dict[str, str] | None = None,
        user: str = "root",
        full: str = "",
        hostname: str = "",
        known: bool = True,
    ) -> Host:
        """Starts a host with more @files (programs, where they begin with #!); its disk is @full
        in a folder; the controller has its key, if @known."""
        place, address = self.folder / name, self.address()
        root, net = place / "root", f"{self.own}-{len(self.hosts)}"
        for part in ("upper", "work", "root"):
            (place / part).mkdir(parents=True)
        lower = f"{self.layer}:/" if self.layer else "/"
        layers = f"lowerdir={lower},upperdir={place / 'upper'},workdir={place / 'work'}"
        must("mount", "-t", "overlay", "overlay", "-o", layers, root)
        self._stack.callback(must, "umount", "-R", "-l", root)
        self._furnish(root, name, user, files or {})
        if full:
            (root / full[1:]).mkdir(parents=True)
            must("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", root / full[1:])
        if known:
            key = (root / "etc/ssh/fleet_key.pub").read_text().split()
            with (self.folder / "known_hosts").open("a") as file:
                file.write(f"{address} {key[0]} {key[1]}\n")
        self._netns(net)
        must("ip", "-n", self.own, "link", "add", net[-15:], "type", "veth",
             "peer", "name", "eth0", "netns", net)  # fmt: skip
        must("ip", "-n", self.own, "link", "set", net[-15:], "master", "br0", "up")
        must("ip", "-n", net, "address", "add", f"{address}/24", "dev", "eth0")
        must("ip", "-n", net, "link", "set", "eth0", "up")
        apart = ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child"]
        apart += ["--propagation", "private", "sh", "-c", _BOOT, "boot"]
        log = (place / "sshd.log").open("wb")
        process = subprocess.Popen(
            ["ip", "netns", "exec", net, *apart, str(root), hostname or name],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PATH": _PATH},
        )
        host = Host(name, address, root, net, process)
        host.variables = {"ansible_user": user}
        self._stack.callback(host.end)
        self.hosts.append(host)
        self._ready(host, place / "sshd.log")
        return host

    def _furnish(self, root: Path, name: str, user: str, files: dict[str, str]) -> None:
        """What the host's root folder has beside what is here."""
        ssh = root / "etc/ssh"
        must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", ssh / "fleet_key")
        (ssh / "fleet_sshd").write_text(_SSHD)
        shutil.copy(self.folder / "key.pub", ssh / "fleet_keys")
        (root / "etc/machine-id").write_text(f"{name}\n")
        if user != "root":
            home = f"/home/{user}"
            with (root / "etc/passwd").open("a") as file:
                file.write(f"{user}:x:4242:4242::{home}:/bin/sh\n")
            with (root / "etc/shadow").open("a") as file:
                file.write(f"{user}:*:19000::::::\n")
            (root / "usr/bin/sudo").unlink(missing_ok=True)
            (root / home[1:]).mkdir()
            os.chown(root / home[1:], 4242, 4242)
        settings = {key: text for key, text in fake_host.LAPTOP.items() if key.startswith("sys/")}
        fake_host.build(root, settings)
        for path, text in files.items():
            target = root / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            target.write_text(text)
            target.chmod(0o755 if text.startswith("#!") else 0o644)
        for one in ("proc", "sys", "dev", "tmp", "run", "root", "lib/modules"):
            (root / one).mkdir(parents=True, exist_ok=True)
        must("mount", "-t", "tmpfs", "tmpfs", root / "root")

    def _ready(self, host: Host, log: Path) -> None:
        """Waits until a host answers."""
        probe = [*self.inside(), "ssh-keyscan", "-T", "2", host.address]
        for _ in range(100):
            assert host.process.poll() is None, log.read_text()
            found = subprocess.run(probe, capture_output=True, env={**os.environ, "PATH": _PATH})
            if found.stdout:
                return
            time.sleep(0.1)
        raise AssertionError(f"{host.name} does not answer: {log.read_text()}")

    def inside(self) -> list[str]:
        """What a command of the controller begins with."""
        return ["ip", "netns", "exec", self.own]

    def inventory(self, lines: Sequence[str], *more: str) -> Path:
        """An inventory of these lines."""
        path = self.folder / "inventory.ini"
        common = f"-o UserKnownHostsFile={self.folder / 'known_hosts'} -o ConnectTimeout=5"
        path.write_text(
            "\n".join(
                [
                    *("[machines]", *lines, "[all:vars]"),
                    f"ansible_ssh_private_key_file={self.folder / 'key'}",
                    f"ansible_ssh_common_args='{common}'",
                    "ansible_python_interpreter=/usr/bin/python3",
                    # Another fleet's hosts have the same addresses. Sockets have short names.
                    f"ansible_control_path_dir={self.sockets}",
                    *more,
                ]
            )
            + "\n"
        )
        return path
