# SPDX-License-Identifier: GPL-2.0-only
"""What a guest boots into: an archive with busybox, some programs, and a script that runs them.

The script runs each command, and sends /out back as one checked package (see transport.py).
"""

import re
import shlex
import shutil
import stat
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from irqcost.base.errors import IrqcostError
from irqcost.vm.architectures import X86

# What the script below needs of busybox, and what commands of tests may.
_APPLETS = (
    "cat cut dmesg echo grep gzip insmod ls mkdir mount poweroff rmmod "
    "sh sha256sum sleep stat stty tar"
).split()

# A line that this begins is the script's own; everything else on the console is a program's.
MARK = "irqcost-guest:"

_INIT_HEAD = """\
#!/bin/sh
export PATH=/bin LC_ALL=C
mount -t devtmpfs none /dev
mount -t proc none /proc
mount -t sysfs none /sys
[ ! -d /sys/kernel/tracing ] || mount -t tracefs none /sys/kernel/tracing
mkdir -p /tmp /out
"""

# The kernel's log goes back too: a test wants it clean.
_INIT_TAIL = """\
dmesg >/out/dmesg
tar -C /out -czf /result .
stty -F /dev/PORT raw -echo
{
  echo "irqcost-result $(stat -c %s /result) $(sha256sum </result | cut -d ' ' -f 1)"
  cat /result
} >/dev/PORT
poweroff -f
"""


@dataclass(frozen=True)
class Command:
    """A program to run in the guest. @argv is passed as it is, without a shell.

    Its exit status comes back as NAME.status. With @capture its output (both streams) comes back
    as NAME.log; without, it goes to the console, where progress can be followed.
    """

    name: str
    argv: tuple[str, ...]
    capture: bool = True


def init_script(commands: Sequence[Command], port: str = X86.result) -> str:
    """The guest's /init. @port: the serial port for what comes back."""
    script = _INIT_HEAD
    for command in commands:
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", command.name):
            raise ValueError(f"{command.name!r} cannot be part of a file name")
        output = f" >/out/{command.name}.log 2>&1" if command.capture else ""
        script += f"echo '{MARK} {command.name}'\n"
        script += f"{shlex.join(command.argv)}{output} </dev/null\n"
        script += f"echo $? >/out/{command.name}.status\n"
    return script + _INIT_TAIL.replace("/dev/PORT", f"/dev/{port}")


class Archive:
    """A cpio archive in the "newc" format (Documentation/driver-api/early-userspace)."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._names: set[str] = set()

    def _append(self, name: str, mode: int, data: bytes) -> None:
        fields = [len(self._names) + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0]
        encoded = name.encode() + b"\0"
        fields += [len(encoded), 0]
        self._bytes += b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        self._bytes += bytes(-len(self._bytes) % 4) + data
        self._bytes += bytes(-len(self._bytes) % 4)
        self._names.add(name)

    def _claim(self, path: str) -> str:
        """The name in the archive of an absolute @path, with its directories made."""
        pure = PurePosixPath(path)
        for parent in reversed(pure.parents[:-1]):
            if str(parent)[1:] not in self._names:
                self._append(str(parent)[1:], stat.S_IFDIR | 0o755, b"")
        return str(pure)[1:]

    def __contains__(self, path: str) -> bool:
        return path[1:] in self._names

    def directory(self, path: str) -> None:
        """Add an empty directory."""
        self._append(self._claim(path), stat.S_IFDIR | 0o755, b"")

    def link(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        self._append(self._claim(path), stat.S_IFLNK | 0o777, target.encode())

    def file(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Add a file."""
        self._append(self._claim(path), stat.S_IFREG | mode, data)

    def program(self, path: str, source: Path) -> None:
        """Add a program of this machine, and the libraries that it loads by the same paths."""
        self.file(path, source.read_bytes(), 0o755)
        for library in shared_libraries(source):
            if library not in self:
                self.file(library, Path(library).read_bytes(), 0o755)

    def pack(self) -> bytes:
        """The whole archive."""
        end = Archive()
        end._bytes = bytearray(self._bytes)
        end._append("TRAILER!!!", 0, b"")
        return bytes(end._bytes)


def parse_ldd(text: str) -> list[str]:
    """Absolute paths in the output of ldd(1). Raises IrqcostError for a library not found."""
    missing = re.findall(r"^\s*(\S+) => not found", text, re.MULTILINE)
    if missing:
        raise IrqcostError(f"missing on this machine: {', '.join(missing)}")
    return re.findall(r"^\s*(?:\S+ => )?(/\S+) \(0x", text, re.MULTILINE)


def shared_libraries(program: Path) -> list[str]:
    """The libraries and the loader that @program needs; none where it is static."""
    done = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False)
    if done.returncode:
        if "not a dynamic executable" in done.stderr + done.stdout:
            return []
        raise IrqcostError(f"ldd {program}: {done.stderr.strip()}")
    return parse_ldd(done.stdout)


def build_initramfs(
    commands: Sequence[Command],
    programs: Mapping[str, Path],
    files: Mapping[str, bytes],
    busybox: Path | None = None,
    port: str = X86.result,
) -> bytes:
    """An initramfs with @programs (with their libraries) and @files, by path in the guest.

    @busybox: the guest's, None: this machine's own. @port: as for init_script().
    """
    own = shutil.which("busybox")
    busybox = busybox or (Path(own) if own else None)
    if not busybox or shared_libraries(busybox):
        raise IrqcostError("no static busybox: install the package busybox-static")
    archive = Archive()
    for directory in ("/dev", "/proc", "/sys"):
        archive.directory(directory)
    archive.program("/bin/busybox", busybox)
    for applet in _APPLETS:
        archive.link(f"/bin/{applet}", "busybox")
    for path, source in programs.items():
        archive.program(path, source)
    for path, data in files.items():
        archive.file(path, data)
    archive.file("/init", init_script(commands, port).encode(), 0o755)
    return archive.pack()
