# SPDX-License-Identifier: GPL-2.0-only
"""Runs the README's two commands in fresh minimal systems, as a new user would.

Each suite is installed into a folder by debootstrap, with git and nothing else, this checkout's
last commit is cloned there, and `./irqcost run` and `./irqcost test --fast` are started. Needs
root and the package debootstrap. A Markdown table of what came of it is printed.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from types import FrameType

from irqcost import ROOT
from irqcost.base.errors import Exit, IrqcostError
from irqcost.vm import apt, chroot

SUITES = ("bookworm", "trixie", "testing")

COMMANDS = {"run": ["./irqcost", "run"], "test": ["./irqcost", "test", "--fast"]}
_CHECKOUT = "/root/irqcost"
_LOGS = ROOT / "build" / "platforms"

_UNRELEASED = ("testing", "unstable", "sid")

# /sys is read-only; /dev is this machine's, for /dev/kvm and the like. Processes get numbers of
# their own, so that those left over end with the first. Arguments: root, folder, command.
_ENTER = """\
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc"
mount -t sysfs -o ro sysfs "$1/sys"
exec chroot "$1" sh -euc 'cd "$0"; exec "$@"' "$2" "${@:3}"
"""
_NAMESPACES = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]

# Of the environment, what says how the network is reached goes along.
ENVIRONMENT = re.compile(r"(?i)^(?:https?|ftp|all|no)_proxy$")

# Of apt's configuration, how the archive is reached: not programs, and no paths of this machine.
ACQUIRE = re.compile(
    r'^Acquire::(?!.*(?:::Proxy-Auto-Detect|IndexTargets|Changelogs|CompressionTypes)).* "[^/].*";'
)


@dataclass(frozen=True)
class End:
    """How a command ended, after how long, and what it said of it."""

    code: int
    seconds: float
    said: str

    def __str__(self) -> str:
        minutes, seconds = divmod(round(self.seconds), 60)
        parts = [f"ends with {self.code}", f"{minutes} min {seconds:02} s"]
        return ", ".join(parts + [self.said] * bool(self.said))


@dataclass(frozen=True)
class Row:
    """What came of a suite; a command that was not begun has no end."""

    suite: str
    tools: str
    ends: Mapping[str, End | None]

    @property
    def fine(self) -> bool:
        return all(end is not None and end.code == 0 for end in self.ends.values())


class Root:
    """A minimal system in a folder."""

    def __init__(self, path: Path, log: Path) -> None:
        self.path = path
        self.log = log

    def enter(self, command: Sequence[str], folder: str = "/") -> int:
        """Runs a command in it, its output appended to the log; returns its exit code."""
        environment = {
            "HOME": "/root",
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "DEBIAN_FRONTEND": "noninteractive",
            **{key: value for key, value in os.environ.items() if ENVIRONMENT.match(key)},
        }
        argv = [*_NAMESPACES, "bash", "-euc", _ENTER, "enter", str(self.path), folder, *command]
        with self.log.open("ab") as log:
            log.write(f"\n$ {' '.join(command)}\n".encode())
            log.flush()
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )
        return done.returncode

    def must(self, *command: str, folder: str = "/") -> None:
        """The same for what has to succeed. Raises IrqcostError."""
        if code := self.enter(command, folder):
            raise IrqcostError(f"`{' '.join(command)}` ended with {code}: {self.log}")

    def output(self, command: str) -> str:
        """The first line that a shell command writes, or "" where it fails."""
        argv = ["chroot", str(self.path), "sh", "-c", command]
        done = subprocess.run(argv, capture_output=True, text=True)
        return done.stdout.partition("\n")[0].strip()

    def said(self, name: str) -> str:
        """What the command that was run last says about its outcome."""
        text = self.log.read_text(encoding="utf-8", errors="replace").rpartition("\n$ ")[2]
        if name == "test":
            counts: list[str] = re.findall(r"^\d+ passed, .*", text, re.MULTILINE)
            warnings: list[str] = re.findall(r"^.* (\d+ warnings?) in ", text, re.MULTILINE)
            return "; ".join(counts[-1:] + warnings[-1:])
        if "\nResult: " not in text:
            return "no result"
        absent = re.findall(r"^  (\w+): ", text.partition("\nNot measured:")[2], re.MULTILINE)
        return f"without {', '.join(absent)}" if absent else "all backends"


def main() -> int:
    args = _parser().parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        when = datetime.now(timezone.utc).strftime("%Y-%m-%d")
        commit = _git("rev-parse", "--short=12", "HEAD")
        rows = platforms(args)
        text = table(rows, when, commit)
    except IrqcostError as error:
        print(f"platforms: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        print("platforms: interrupted", file=sys.stderr)
        return Exit.INTERRUPTED
    print(text, end="")
    if args.out:
        args.out.write_text(text, encoding="utf-8")
    return 0 if all(row.fine for row in rows) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="platforms",
        description="Runs `./irqcost run` and `./irqcost test --fast` of this checkout's last "
        "commit in fresh minimal systems and prints a table. Ends with 1 when one fails.",
    )
    parser.add_argument(
        "suites", metavar="SUITE", nargs="*", default=SUITES, help=f"default: {' '.join(SUITES)}"
    )
    parser.add_argument(
        "--mirror", metavar="URL", help="the archive (default: that of this machine's apt sources)"
    )
    parser.add_argument(
        "--keyring", metavar="FILE", type=Path, help="keys of the archive (default: Debian's)"
    )
    parser.add_argument(
        "--components", default="main", help="of the archive (default: main; Ubuntu: main,universe)"
    )
    parser.add_argument(
        "--only", choices=tuple(COMMANDS), help="one of the two commands (default: both)"
    )
    parser.add_argument(
        "--cache", metavar="DIR", type=Path, help="begin from the systems there; put new ones there"
    )
    parser.add_argument(
        "--keep", metavar="DIR", type=Path, help="install the systems there, and let them stay"
    )
    parser.add_argument("--out", metavar="FILE", type=Path, help="write the table there as well")
    return parser


def platforms(args: argparse.Namespace) -> list[Row]:
    """A row for each suite. Raises IrqcostError where it cannot begin."""
    for suite in args.suites:
        if not re.fullmatch(r"[a-z][a-z0-9.-]*", suite):
            raise IrqcostError(f"{suite}: not the name of a suite, such as bookworm")
        if args.keep and (args.keep / suite).exists():
            raise IrqcostError(f"{args.keep / suite} exists: a system is made anew")
    if os.geteuid():
        raise IrqcostError("only root can install systems and enter them")
    archive = apt.find_archive(apt.machine_sources(), args.mirror)
    if args.keyring:
        if not args.keyring.is_file():
            raise IrqcostError(f"{args.keyring}: no such file")
        signed = str(args.keyring.resolve())
        archive = apt.Archive(apt.Source(archive.main.uri, (), signed), None)
    if _git("status", "--porcelain"):
        print("platforms: what is not committed is not tried", file=sys.stderr)
    commands = [name for name in COMMANDS if args.only in (None, name)]
    rows = []
    for suite in args.suites:
        with folder(args.keep) as work:
            rows.append(_row(suite, work, archive, commands, args))
    return rows


@contextmanager
def folder(kept: Path | None) -> Iterator[Path]:
    """Where a system goes."""
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    # Some GB, for which a /tmp in memory would be too small. Nothing is mounted in it at the end:
    # that is in namespaces which have ended.
    with tempfile.TemporaryDirectory(prefix="irqcost-platforms-", dir="/var/tmp") as work:
        yield Path(work)


def _row(
    suite: str, work: Path, archive: apt.Archive, commands: Iterable[str], args: argparse.Namespace
) -> Row:
    root = Root(work / suite, _LOGS / f"{suite}.log")
    ends: dict[str, End] = {}
    try:
        _say(f"{suite}: installing it")
        _install(root, suite, archive, args.components.split(","), args.cache)
        for name in commands:
            _say(f"{suite}: {' '.join(COMMANDS[name])}")
            began = time.monotonic()
            code = root.enter(COMMANDS[name], _CHECKOUT)
            ends[name] = End(code, time.monotonic() - began, root.said(name))
    except IrqcostError as error:
        _say(f"{suite}: {error}")
    return Row(suite, _tools(root), {name: ends.get(name) for name in commands})


def _bootstrap(root: Path, suite: str, archive: apt.Source, cache: Path | None) -> None:
    packed = cache / f"{suite}.tar" if cache else None
    if packed and packed.is_file():
        root.mkdir()
        subprocess.run(["tar", "--numeric-owner", "-xpf", packed, "-C", root], check=True)
        return
    secure = ("ca-certificates",) if archive.uri.startswith("https:") else ()
    chroot.bootstrap(root, suite, archive, secure)
    if packed:
        packed.parent.mkdir(parents=True, exist_ok=True)
        new = packed.with_suffix(".new")
        subprocess.run(["tar", "--numeric-owner", "-cf", new, "-C", root, "."], check=True)
        new.rename(packed)


def _install(
    root: Root, suite: str, archive: apt.Archive, components: Sequence[str], cache: Path | None
) -> None:
    """A system with git and a clone in it."""
    system(root, suite, archive, components, cache)
    root.must("apt-get", "-q", "-y", "install", "--no-install-recommends", "git")
    root.must("apt-get", "clean")
    bundle = root.path / "root/irqcost.bundle"
    _git("bundle", "create", "--quiet", str(bundle), "HEAD")
    root.must("git", "clone", "--quiet", f"/root/{bundle.name}", _CHECKOUT)


def system(
    root: Root, suite: str, archive: apt.Archive, components: Sequence[str], cache: Path | None
) -> None:
    """A minimal system that reaches the archive as this machine does."""
    root.log.parent.mkdir(parents=True, exist_ok=True)
    root.log.write_bytes(b"")
    _bootstrap(root.path, suite, archive.main, cache)
    for name in ("resolv.conf", "hosts"):
        if (own := Path("/etc", name)).is_file():
            shutil.copyfile(own, root.path / "etc" / name)
    # Keys are named by their path, where the new system may have them already, and newer ones.
    for source in filter(None, (archive.main, archive.security)):
        keys = Path(source.signed_by)
        there = root.path / keys.relative_to("/") if keys.is_file() else None
        if there and not there.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(keys, there)
    # What is not released yet has no security archive.
    released = apt.Archive(archive.main, None if suite in _UNRELEASED else archive.security)
    sources = apt.sources_text(released, suite, " ".join(components))
    (root.path / "etc/apt/sources.list").unlink(missing_ok=True)
    (root.path / "etc/apt/sources.list.d/irqcost.sources").write_text(sources, encoding="utf-8")
    settings = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True)
    acquire = [line for line in settings.stdout.splitlines() if ACQUIRE.match(line)]
    (root.path / "etc/apt/apt.conf.d/90irqcost").write_text("\n".join(acquire) + "\n")
    # A system that is thrown away needs not survive a power cut.
    (root.path / "etc/dpkg/dpkg.cfg.d/irqcost").write_text("force-unsafe-io\n")
    root.must("apt-get", "-q", "update")


def _tools(root: Root) -> str:
    """What the suite brings, as far as it was installed."""
    asked = {
        "": "cat /etc/debian_version",
        "GCC ": "gcc -dumpfullversion",
        "Clang ": "clang --version | sed -En 's/.*version ([0-9.]+).*/\\1/p'",
        "Python ": "python3 -c 'import platform; print(platform.python_version())'",
    }
    found = {name: root.output(command) for name, command in asked.items()}
    return ", ".join(name + version for name, version in found.items() if version)


def table(rows: Sequence[Row], when: str, commit: str) -> str:
    """Markdown."""
    names = list(rows[0].ends)
    lines = [
        f"Commit {commit}, {when}, on kernel {os.uname().release}:",
        "",
        "| suite | system | "
        + " | ".join(f"`{' '.join(COMMANDS[name])}`" for name in names)
        + " |",
        "|---" * (2 + len(names)) + "|",
    ]
    for row in rows:
        cells = [str(end or "not begun") for end in row.ends.values()]
        lines.append("| " + " | ".join([row.suite, row.tools, *cells]) + " |")
    return "\n".join(lines) + "\n"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise IrqcostError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
