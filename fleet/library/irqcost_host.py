# SPDX-License-Identifier: GPL-2.0-only
"""An Ansible module, which runs on a host: says what is there, measures, and puts the host back.

    what: probe    what this host has; changes nothing
    what: start    begins to measure in a session of its own, which no connection ends
    what: wait     waits until that has ended, and says how

A job has a folder, and a measurement two processes. The worker loads the module, tunes and runs
`irqcost run`. The keeper waits for it, then restores the settings, unloads the module and packs
what there is. If the keeper is killed, the worker does that; if the worker is, the keeper.
"""

import argparse
import fcntl
import glob
import hashlib
import io
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tarfile
import time
from types import FrameType
from typing import Any, NoReturn

# How much must be free where results are written.
LEAST_FREE = 8 << 20
# Longest reason that is passed on.
MOST_LETTERS = 300
# Left of a run that was told to end.
GRACE_SECONDS = 20.0

# Of a run on a hybrid CPU one each.
RESULTS = ("result.json", "result-performance.json", "result-efficiency.json")
OUTCOME = "outcome.json"
PACKED = "outcome.tar"

DEVICE = "/dev/irqcost"
DKMS_SOURCES = "/usr/src/irqcost-*"
TUNED = "/run/irqcost/tune.json"
# That it was a fleet run that tuned the host, not its owner.
OURS = "/run/irqcost/fleet"
# One measurement at a time on a machine, whoever asks for it.
MACHINE = "/run/lock/irqcost-fleet"


class Refused(Exception):
    """Why nothing is measured here."""


def text_of(path: str, otherwise: str = "") -> str:
    """What is in a small file."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 16).strip()
    except OSError:
        return otherwise


def machine() -> str:
    """What identifies this machine and this start of it: a digest, as its numbers are private."""
    words = text_of("/etc/machine-id") + text_of("/proc/sys/kernel/random/boot_id")
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def headers() -> str:
    return f"/lib/modules/{os.uname().release}/build"


def without_headers() -> str:
    """Why the module cannot be built for the running kernel; "" where it can."""
    if os.path.exists(os.path.join(headers(), "include/config/auto.conf")):
        return ""
    release = os.uname().release
    return f"no headers of kernel {release}: install linux-headers-{release}"


def free_bytes(path: str) -> int:
    """Bytes that are free where a path is, or will be."""
    while not os.path.exists(path):
        path = os.path.dirname(path) or "/"
    return shutil.disk_usage(path).free


def probe(args: argparse.Namespace) -> dict[str, Any]:
    """What this host has. Changes nothing."""
    home = os.path.expanduser("~")
    sudo = os.geteuid() == 0 or shutil.which("sudo") is not None
    return dict(
        host=socket.gethostname(),
        machine=machine(),
        kernel=os.uname().release,
        uid=os.geteuid(),
        home=home,
        may_become=sudo,
        clock_off=round(time.time() - args.now, 1),
        headers=without_headers() or "there",
        free=free_bytes(home),
    )


def held(path: str, wait: bool = False) -> int | None:
    """A lock on a file, which is made; None where somebody holds it."""
    flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags, 0o644)
    except PermissionError:  # Another user's can be locked, too.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def hold_machine(args: argparse.Namespace) -> None:
    """Keeps others from measuring here at the same time."""
    place = MACHINE if os.path.isdir(os.path.dirname(MACHINE)) else "/tmp/irqcost-fleet"
    descriptor = held(place)
    if descriptor is None:
        run, _, host = text_of(place).partition(" ")
        if run == args.run_id:
            raise Refused(f"the same machine as {host or 'another host'} of this fleet run")
        raise Refused(f"another fleet run measures here now ({run or 'unnamed'})")
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{args.run_id} {args.host}\n".encode(), 0)
    except OSError:  # Another user's, or a full disk: held all the same.
        pass


def start(args: argparse.Namespace) -> dict[str, Any]:
    """Begins to measure, unless this job was measured, or is being measured."""
    make_folder(args)
    lock = held(os.path.join(args.job, "lock"))
    if lock is None:
        return {"state": "running"}
    packed = os.path.join(args.job, PACKED)
    if os.path.exists(packed):
        if code_of(packed) == 0:
            return {"state": "measured"}
        os.unlink(packed)
    for name in RESULTS:
        if os.path.lexists(os.path.join(args.job, name)):
            os.unlink(os.path.join(args.job, name))
    free = free_bytes(args.job)
    if free < LEAST_FREE:
        raise Refused(
            f"disk full: {free >> 10} KiB are free in {args.job}, {LEAST_FREE >> 20} MiB are needed"
        )
    if not os.access(args.command, os.X_OK):
        raise Refused(f"irqcost is not there: {args.command}")
    hold_machine(args)
    if os.fork():
        return {"state": "started"}
    try:
        keep(args)
    finally:
        os._exit(0)


def make_folder(args: argparse.Namespace) -> None:
    """Makes the folder of a job, and those that it is in, which are the user's, too."""
    missing = []
    path = args.job
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for one in reversed(missing):
        os.mkdir(one, 0o700)
        give(args, one)


def give(args: argparse.Namespace, path: str) -> None:
    """Gives what root makes to the user that the controller logs in as."""
    if args.owner is not None and os.geteuid() == 0:
        os.chown(path, args.owner, -1, follow_symlinks=False)


def keep(args: argparse.Namespace) -> None:
    """The keeper: has a worker measure, and puts the host back whatever becomes of it."""
    os.setsid()
    log = os.open(os.path.join(args.job, "log"), os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, log), (2, log)):
        os.dup2(source, target)
    reader, writer = os.pipe()
    worker = os.fork()
    if worker == 0:
        os.close(reader)
        os.setsid()
        code = 70
        try:
            code = Worker(args, writer).work()
        finally:
            os._exit(code)
    os.close(writer)
    job = Job()
    why = followed(reader, job, args.limit)
    came_to_its_end = not why and job.code is not None
    if not came_to_its_end:
        end_group(worker)
        job.code, job.why = 1, why or "the process that measured was killed"
    put_back(args, job)
    pack(args, job)
    if came_to_its_end:  # It waited, to do this if the keeper could not.
        end_group(worker)


class Job:
    """What is known of a measurement."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.why = ""
        self.skipped: list[list[str]] = []
        self.module = ""  # loaded by us
        self.tuned = False

    def take(self, line: str | bytes) -> None:
        """A line of the worker."""
        for key, value in json.loads(line).items():
            if key == "skipped":
                self.skipped.append(value)
            else:
                setattr(self, key, value)


class Told(Exception):
    """A signal that ends a measurement."""


def tell_keeper(number: int, _frame: FrameType | None) -> NoReturn:
    raise Told(signal.Signals(number).name)


def followed(reader: int, job: Job, limit: float) -> str:
    """Reads what the worker says until it has ended; returns why it must be ended."""
    numbers = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
    try:
        for number in numbers:
            signal.signal(number, tell_keeper)
        return follow(reader, job, time.monotonic() + limit)
    except Told as told:
        return f"ended by {told}"
    except TimeoutError:
        return f"took longer than {limit:.0f} s"
    finally:
        for number in numbers:  # What is left is to be put back.
            signal.signal(number, signal.SIG_IGN)


def follow(reader: int, job: Job, deadline: float) -> str:
    kept = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([reader], [], [], left)[0]:
            raise TimeoutError
        some = os.read(reader, 1 << 16)
        if not some:
            return ""
        *lines, kept = (kept + some).split(b"\n")
        for line in lines:
            job.take(line)


def end_group(worker: int) -> None:
    """Ends a worker and what it started."""
    for number, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(worker, number)
        except ProcessLookupError:
            pass
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            done, _ = os.waitpid(worker, os.WNOHANG)
            if done:
                try:  # What it started may be left.
                    os.killpg(worker, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                return
            time.sleep(0.05)


class Worker:
    """Measures. Says what it is about to change before it changes it."""

    def __init__(self, args: argparse.Namespace, writer: int) -> None:
        self.args = args
        self.writer = writer
        self.keeper = os.getppid()
        self.job = Job()

    def tell(self, **facts: Any) -> None:
        line = json.dumps(facts)
        self.job.take(line)
        try:
            os.write(self.writer, line.encode() + b"\n")
        except BrokenPipeError:
            pass  # The keeper is gone.

    def skip(self, what: str, why: str) -> None:
        self.tell(skipped=[what, shortened(why)])

    def work(self) -> int:
        if self.args.load:
            self.load()
        if self.args.tune:
            self.tune()
        code, said = run(self.command())
        self.tell(code=code, **({"why": shortened(said)} if code else {}))
        os.close(self.writer)
        # The keeper puts the host back, and then ends this process: it is there until that is done.
        while os.getppid() == self.keeper:
            time.sleep(0.1)
        put_back(self.args, self.job)
        pack(self.args, self.job)
        return 0

    def command(self) -> list[str]:
        args = self.args
        out = os.path.join(args.job, RESULTS[0])
        return [args.command, "run", "--no-chart", "--out", out, *args.options]

    def load(self) -> None:
        """Loads the module, from DKMS or built here, where it is not loaded."""
        if os.path.exists(DEVICE):
            return
        if os.geteuid() != 0:
            self.skip("module", "no root on this host")
            return
        self.tell(module="irqcost")
        code, said = run(["modprobe", "irqcost"])
        if code == 0:
            return
        why = without_headers()
        sources = self.args.sources or "".join(sorted(glob.glob(DKMS_SOURCES))[-1:])
        if not why and not sources:
            why = "the module's sources are not on this host: install irqcost-dkms"
        if not why:
            built = os.path.join(self.args.job, "module")
            code, said = run(["make", "-C", sources, f"BUILD={built}"])
            why = f"the module was not built: {said}" if code else ""
            if not why:
                code, said = run(["insmod", os.path.join(built, "irqcost.ko")])
                why = f"the kernel did not load the module: {said}" if code else ""
        if why:
            self.tell(module="")
            self.skip("module", why)

    def tune(self) -> None:
        """Applies `irqcost tune`, unless the host's owner has."""
        if os.geteuid() != 0:
            self.skip("tuning", "no root on this host")
            return
        if os.path.exists(TUNED):
            if not os.path.exists(OURS):
                self.skip("tuning", "its owner has tuned this host already: left as it is")
                return
            run([self.args.command, "tune", "--restore"])  # Left by a run that was cut off.
        os.makedirs(os.path.dirname(OURS), mode=0o700, exist_ok=True)
        with open(OURS, "w", encoding="utf-8") as file:
            file.write(f"{self.args.run_id}\n")
        self.tell(tuned=True)
        code, said = run([self.args.command, "tune", *self.cpu()], "not changed")
        if code:
            self.skip("tuning", said)

    def cpu(self) -> list[str]:
        """The CPU that the run is told to measure on."""
        options = self.args.options
        for place, one in enumerate(options):
            if one == "--cpu" and place + 1 < len(options):
                return ["--cpu", options[place + 1]]
            if one.startswith("--cpu="):
                return [one]
        return []


def run(command: list[str], mark: str = "") -> tuple[int, str]:
    """Runs a program; returns its exit code and the last line that it said, or the first with a
    mark. Packages are not installed while a host measures."""
    print("+", " ".join(command), flush=True)
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "IRQCOST_INSTALL": "no", "LC_ALL": "C"},
        )
    except OSError as error:
        return 127, f"{command[0]}: {error.strerror}"
    said = done.stdout.decode("utf-8", "replace")
    print(said, end="", flush=True)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    marked = [line for line in lines if mark and mark in line]
    return done.returncode, (marked or lines[-1:] or [f"{command[0]} said nothing"])[0]


def shortened(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}…"


def put_back(args: argparse.Namespace, job: Job) -> None:
    """Unloads the module that the worker loaded, and restores the settings."""
    if job.module:
        code, said = run(["rmmod", job.module])
        if code:
            job.skipped.append(["unloading", shortened(said)])
    if job.tuned:
        code, said = run([args.command, "tune", "--restore"])
        if code:
            job.skipped.append(["restoring", shortened(said)])
        elif os.path.exists(OURS):
            os.unlink(OURS)


def pack(args: argparse.Namespace, job: Job) -> None:
    """Packs the outcome and, of a run that came to its end, its results."""
    facts: dict[str, Any] = {
        "schema": 1,
        "host": socket.gethostname(),
        "machine": machine(),
        "kernel": os.uname().release,
        "code": job.code,
        "why": job.why,
        "skipped": job.skipped,
    }
    results = RESULTS if job.code == 0 else ()
    try:
        write_packed(args, facts, results)
    except OSError as error:
        facts.update(code=1, why=f"results could not be kept: {error.strerror}")
        for name in RESULTS:
            if os.path.lexists(os.path.join(args.job, name)):
                os.unlink(os.path.join(args.job, name))
        write_packed(args, facts, ())


def write_packed(args: argparse.Namespace, facts: dict[str, Any], results: tuple[str, ...]) -> None:
    partial = os.path.join(args.job, "partial.tar")
    try:
        with tarfile.open(partial, "w") as tar:
            text = json.dumps(facts).encode()
            info = tarfile.TarInfo(OUTCOME)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text))
            for path in (os.path.join(args.job, name) for name in results):
                if os.path.exists(path):
                    tar.add(path, os.path.basename(path))
        give(args, partial)
        os.rename(partial, os.path.join(args.job, PACKED))
    except OSError:
        if os.path.exists(partial):
            os.unlink(partial)
        raise


def code_of(packed: str) -> int | None:
    """How a measurement ended; None where its file cannot be read."""
    try:
        with tarfile.open(packed) as tar:
            file = tar.extractfile(OUTCOME)
            return None if file is None else int(json.load(file)["code"])
    except (OSError, ValueError, KeyError, TypeError, tarfile.TarError):
        return None


def wait(args: argparse.Namespace) -> dict[str, Any]:
    """Waits until the measurement has ended. Asleep, so that it disturbs nothing."""
    if not os.path.isdir(args.job):
        raise Refused("nothing was started here")
    held(os.path.join(args.job, "lock"), wait=True)
    packed = os.path.join(args.job, PACKED)
    if not os.path.exists(packed):
        last = glob.glob(os.path.join(args.job, "log"))
        why = text_of(last[0]).splitlines()[-1:] if last else []
        raise Refused(f"ended without an outcome: {''.join(why) or 'disk full?'}")
    return {"state": "ended", "code": code_of(packed)}


def main() -> None:
    from ansible.module_utils.basic import AnsibleModule

    module = AnsibleModule(
        argument_spec={
            "what": {"choices": ["probe", "start", "wait"], "required": True},
            "now": {"type": "float", "default": 0.0},
            "job": {"type": "str"},
            "run_id": {"type": "str", "default": ""},
            "host": {"type": "str", "default": ""},
            "owner": {"type": "int"},
            "command": {"type": "str"},
            "sources": {"type": "str", "default": ""},
            "limit": {"type": "float", "default": 3600.0},
            "tune": {"type": "bool", "default": True},
            "load": {"type": "bool", "default": True},
            "options": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    args = argparse.Namespace(**module.params)
    if args.what == "start" and module.check_mode:
        module.exit_json(skipped=True)
    try:
        facts = {"probe": probe, "start": start, "wait": wait}[args.what](args)
    except (Refused, OSError) as error:
        module.fail_json(msg=f"irqcost: {shortened(str(error))}")
    module.exit_json(changed=args.what == "start", irqcost=facts)


if __name__ == "__main__":
    main()
