# SPDX-License-Identifier: GPL-2.0-only
"""Ansible, which has the transport, the parallelism and the retries: started, and listened to."""

import json
import os
import re
import resource
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from irqcost import ROOT
from irqcost.base.errors import IrqcostError
from irqcost.base.progress import Progress
from irqcost.base.safety.texts import plain
from irqcost.model import reader

FOLDER = ROOT / "fleet"
PLAYBOOK = FOLDER / "irqcost.yml"

# Of what a host may send in one file: two results, of a hybrid CPU, and what belongs to them.
_RESULTS = 2
_MORE_BYTES = 1 << 20

# An event is a line of at most this.
_MOST_LETTERS = 32 << 10

_TASK = re.compile(r"(?:TASK|PLAY) \[(?:\w+ : )?(.*)\]")
_UNKNOWN = re.compile(r"Could not match supplied host pattern, ignoring: (\S+)")
# Who logs in, and where Ansible may read secrets.
_KEPT = ("ANSIBLE_VAULT_", "ANSIBLE_REMOTE_USER", "ANSIBLE_PRIVATE_KEY_FILE", "ANSIBLE_HOME")
_LAST_WORDS = 5
_GRACE_SECONDS = 10


@dataclass(frozen=True)
class Event:
    """What became of a host in a task: said, failed, ignored or unreachable."""

    host: str
    kind: str
    task: str
    text: str

    @property
    def facts(self) -> Mapping[str, object]:
        """What fleet/library said in it, of any content."""
        try:
            found = json.loads(self.text) if self.kind == "said" else {}
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def most_bytes() -> int:
    """The largest file that is fetched from a host."""
    return _RESULTS * reader.max_result_bytes() + _MORE_BYTES


def hosts(inventory: Path, limit: str | None) -> list[str]:
    """The hosts that are meant. Raises IrqcostError where a name of the limit is not known."""
    command = ["ansible-playbook", "-i", str(inventory.absolute()), "--list-hosts", str(PLAYBOOK)]
    if limit is not None:
        command[1:1] = ["--limit", limit]
    with tempfile.TemporaryDirectory(prefix="irqcost-fleet-") as empty:
        done = subprocess.run(
            command, cwd=empty, env=_environment(), capture_output=True, text=True, errors="replace"
        )
    if unknown := _UNKNOWN.search(" ".join(done.stderr.split())):
        raise IrqcostError(f"--limit: {plain(unknown[1])} is neither a host nor a group there")
    if done.returncode:
        raise IrqcostError(f"{plain(inventory)}: Ansible cannot use it: {_short(done.stderr)}")
    listed = re.split(r"hosts \(\d+\):\n", done.stdout)[1:]
    found = [line.strip() for text in listed for line in text.splitlines() if line.strip()]
    if not found:
        raise IrqcostError(f"{plain(inventory)}: names no host")
    return sorted(found, key=_by_number)


def _by_number(name: str) -> list[tuple[bool, int, str]]:
    """The order of names with numbers: host2 before host10."""
    parts = filter(None, re.split(r"(\d+)", name))
    return [(not one.isdecimal(), int(one) if one.isdecimal() else 0, one) for one in parts]


def _short(text: str) -> str:
    """The last of what Ansible said, in one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return plain(" ".join(lines[-_LAST_WORDS:])[-600:]) or "it said nothing"


def play(
    inventory: Path,
    names: Sequence[str],
    given: Mapping[str, object],
    work: Path,
    log: Path,
    forks: int,
    check: bool,
) -> list[Event]:
    """Runs the playbook for these hosts; returns what became of them. What Ansible says is added
    to the log. Raises IrqcostError where it could not begin."""
    events, values, limit = (work / name for name in ("events", "values.json", "hosts"))
    values.write_text(json.dumps(dict(given)), encoding="utf-8")
    limit.write_text("".join(f"{one}\n" for one in names), encoding="utf-8")
    command = ["ansible-playbook", "-i", str(inventory.absolute()), "--limit", f"@{limit}"]
    command += ["--forks", str(forks), "-e", f"@{values}", *(["--check"] if check else [])]
    environment = _environment() | {"IRQCOST_FLEET_EVENTS": str(events)}
    empty = work / "empty"  # Whatever looks around in its current folder finds nothing.
    empty.mkdir()
    title = f"{'asking' if check else 'measuring on'} {len(names)} host{'s'[: len(names) > 1]}"
    last: list[str] = []
    with Progress(title) as progress, log.open("a", encoding="utf-8", buffering=1) as out:
        with _started([*command, str(PLAYBOOK)], environment, empty) as process:
            assert process.stdout is not None
            for line in process.stdout:
                out.write(line)
                last = [*last[1 - _LAST_WORDS :], line]
                if task := _TASK.match(line):
                    progress.show(task[1])
    if not events.exists() and process.returncode:
        raise IrqcostError(f"Ansible did not begin: {_short(''.join(last))}")
    return list(_read(events)) if events.exists() else []


def _environment() -> dict[str, str]:
    """Settings of the user's that would make it less careful do not count."""
    own = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("ANSIBLE_") or key.startswith(_KEPT)
    }
    # Ansible wants an encoding for all letters.
    own |= {"LC_ALL": "C.UTF-8", "PYTHONSAFEPATH": "1"}
    return own | {"ANSIBLE_CONFIG": str(FOLDER / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}


def _limited() -> None:
    """No host makes this one write a larger file than any result."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes(), most_bytes()))


@contextmanager
def _started(
    command: Sequence[str], environment: Mapping[str, str], empty: Path
) -> Iterator["subprocess.Popen[str]"]:
    """A program in a session without a terminal: nothing can ask there whether to trust a host."""
    process = subprocess.Popen(
        command,
        cwd=empty,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=_limited,
    )
    with process:
        try:
            yield process
        except BaseException:
            for number in (signal.SIGINT, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_GRACE_SECONDS)
                    break
            raise


def _read(path: Path) -> Iterator[Event]:
    with path.open(encoding="utf-8", errors="replace") as file:
        while line := file.readline(_MOST_LETTERS):
            with suppress(ValueError, KeyError, TypeError):
                one = json.loads(line)
                yield Event(*(str(one[key]) for key in ("host", "event", "task", "text")))
