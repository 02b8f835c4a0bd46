# SPDX-License-Identifier: GPL-2.0-only
"""Where records go: a folder, a server that takes HTTP PUT, or what rsync reaches.

Each gives a record the name of its content, and either has it whole or not at all, so that a record
that comes late or twice does no harm.
"""

import http.client
import re
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from abc import ABC, abstractmethod
from contextlib import closing
from pathlib import Path

from irqcost.base import files
from irqcost.base.errors import Exit, IrqcostError
from irqcost.base.safety.texts import plain
from irqcost.output.push.credentials import Credentials

# Seconds for a server to answer.
_TIMEOUT = 60
# HOST:PATH as rsync reads it: a colon before any slash. A name of one letter could be a drive's.
# Its HOST::MODULE is written rsync://HOST/MODULE here.
_HOST = r"(?:[\w.-]+@)?(?:[\w.-]{2,}|\[[0-9A-Fa-f:]+\])"
_REMOTE = re.compile(rf"rsync://[^/]+/.+|{_HOST}:(?!:).*")


class Failed(IrqcostError):
    """Records that did not arrive: another time they may."""

    code = Exit.FAILED


class Target(ABC):
    """A place for records."""

    # Whether put() itself sends them.
    at_once = True

    @abstractmethod
    def put(self, name: str, content: bytes) -> None:
        """Puts a record there, or nothing. Raises Failed."""

    def finish(self) -> None:
        """Sends what put() has kept until now. Raises Failed."""


def found(target: str, credentials: Credentials) -> Target:
    """The place that a text names. Raises IrqcostError."""
    if not target:
        raise IrqcostError("the target is empty")
    scheme = urllib.parse.urlsplit(target).scheme if "://" in target else ""
    if scheme in ("http", "https"):
        return Server(target, credentials)
    if scheme in ("", "rsync") and _REMOTE.fullmatch(target):
        return Rsync(target, credentials)
    if scheme:
        raise IrqcostError(
            f"{plain(target)}: neither a folder, nor http(s)://HOST/PATH, rsync://HOST/PATH or "
            "HOST:PATH"
        )
    return Folder(Path(target))


class Folder(Target):
    """A folder, such as a mounted one."""

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            # Made here, it would hide that nothing is mounted.
            raise IrqcostError(f"{plain(path)}: no such folder; it is not made")
        self._path = path

    def put(self, name: str, content: bytes) -> None:
        target = self._path / name
        try:
            if target.is_file() and target.stat().st_size == len(content):
                if target.read_bytes() == content:
                    return
            with files.written_whole(target, replace=True) as partial:
                partial.write_bytes(content)
        except (OSError, IrqcostError) as error:
            raise Failed(f"{plain(target)}: {error}") from error


class Server(Target):
    """A server that takes PUT below an address, such as WebDAV's or an object store's."""

    def __init__(self, url: str, credentials: Credentials) -> None:
        parts = urllib.parse.urlsplit(url)
        if "@" in parts.netloc:
            raise IrqcostError(
                "a target must not have a user or password in it, which every process can see: put "
                "a header into a file, and give it with --credentials"
            )
        if not parts.hostname or parts.query or parts.fragment:
            raise IrqcostError(f"{plain(url)}: not an address of the kind http(s)://HOST/PATH")
        self._headers = credentials.headers()
        if self._headers and parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise IrqcostError("credentials are sent over https only")
        self._url = url.rstrip("/")

    def put(self, name: str, content: bytes) -> None:
        url = f"{self._url}/{urllib.parse.quote(name)}"
        code = self._ask("PUT", url, content)
        if code == 409:  # WebDAV: the folder of the day is not there yet (RFC 4918, 9.7.1).
            self._ask("MKCOL", f"{url.rpartition('/')[0]}/", None)
            code = self._ask("PUT", url, content)
        if not 200 <= code < 300:
            raise Failed(f"{plain(url)}: the server answered {code}")

    def _ask(self, method: str, url: str, content: bytes | None) -> int:
        headers = {"Content-Type": "application/json", **self._headers}
        request = urllib.request.Request(url, content, headers, method=method)
        try:
            # Certificates are checked; a PUT is never redirected.
            with closing(urllib.request.urlopen(request, timeout=_TIMEOUT)) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with closing(error):
                return error.code
        except (OSError, http.client.HTTPException, ssl.SSLError) as error:
            reason = getattr(error, "reason", error)
            raise Failed(f"{plain(url)}: {plain(str(reason))}") from error


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


class Rsync(Target):
    """What rsync reaches, by its daemon or over SSH; many records go in one connection."""

    at_once = False

    def __init__(self, target: str, credentials: Credentials) -> None:
        if target.startswith("-"):
            raise IrqcostError(f"{plain(target)}: not a target")
        # After a colon a slash would be the root of that host.
        self._target = target if target.endswith((":", "/")) else f"{target}/"
        self._credentials = credentials
        self._records: dict[str, bytes] = {}

    def put(self, name: str, content: bytes) -> None:
        self._records[name] = content

    def finish(self) -> None:
        if not self._records:
            return
        with tempfile.TemporaryDirectory(prefix="irqcost-push-") as folder:
            for name, content in self._records.items():
                path = Path(folder, name)
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
            self._sync(folder)
        self._records.clear()

    def _sync(self, folder: str) -> None:
        # Files appear under their names when they are complete, which is what rsync does. Nobody
        # is there to be asked for a password or about an unknown host.
        command = ["rsync", "--recursive", "--checksum", f"--timeout={_TIMEOUT}"]
        command.append("--chmod=D755,F644")
        if not self._target.startswith("rsync://"):
            command.append("--rsh=ssh -o BatchMode=yes")
        elif self._credentials.path is not None:
            command.append(f"--password-file={self._credentials.path}")
        command += ["--", f"{folder}/", self._target]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
        except FileNotFoundError:
            raise IrqcostError("this target needs rsync: install rsync") from None
        if done.returncode:
            said = " ".join(done.stderr.split())[:300]
            raise Failed(
                f"{plain(self._target)}: rsync ended with {done.returncode}: {plain(said)}"
            )
