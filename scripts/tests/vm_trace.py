# SPDX-License-Identifier: GPL-2.0-only
"""How many instructions each row really executes: counted in a trace, without any time stamp.

QEMU executes the guest's kernel one instruction at a time and writes each down while vm_trace.c
runs every row. Windows are found by their time stamps (`lfence; rdtsc`), and what was executed
between two is counted. That is independent of the TSC, of the module's arithmetic, of the ABI and
of the estimate, which is what the exact figures are compared with.

The trace is gigabytes of text, so it is read through a pipe while QEMU writes it, and only windows
are kept.
"""

import errno
import os
import re
import socket
import threading
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from irqcost.model.machine_code.executed import Executed
from irqcost.vm.architectures import X86, Architecture

# Each run takes four trial samples in process context, and then those that it was asked for; each
# sample is five windows (abi.h). In throughput mode windows of one copy, of 4, and so on to the
# unroll factor are tried before, four of each.
_TRIALS = 4
_WINDOWS = ("chain_base", "chain_body", "sensor", "base", "body")

# Where x86-64 kernels map modules (Documentation/x86/x86_64/mm.rst).
_MODULES = 0xFFFFFFFFC0000000

# Bytes are apart where an instruction may have any number of them.
_INSTRUCTION = re.compile(r"^0x([0-9a-f]+):  (?:(?:[0-9a-f]{2} )+|[0-9a-f]{4,8} ) *(.*)$")
# Of an executed instruction: `Trace CPU: HOST [CS/ADDRESS/FLAGS/...`, the address in 16 digits.
_EXECUTED = "Trace "
_DIGITS = 16


@dataclass(frozen=True)
class Step:
    """An instruction that was executed. @stamp: its mnemonic, if it is the module's own."""

    address: int
    text: str
    stamp: str


# What was executed between two time stamps.
Window = tuple[Step, ...]


@dataclass(frozen=True)
class Run:
    """A run of one row: the least instructions of base and body in its samples, in process context
    those of the trial among them.

    Least, because a timer interrupt may have come into a window that leaves interrupts on.
    """

    key: str
    mode: str
    unroll: int
    base: int
    body: int
    path: tuple[Step, ...]

    @property
    def per_operation(self) -> float:
        """Instructions that body has more than base, per operation."""
        return (self.body - self.base) / (self.unroll or 1)


class Tracer(threading.Thread):
    """Turns QEMU's trace on when the guest says "begin" on its third serial port, off at "end"."""

    def __init__(self, directory: Path, architecture: Architecture = X86) -> None:
        super().__init__(daemon=True)
        self._architecture = architecture
        self._log = directory / "trace"
        self._monitor = directory / "monitor"
        self._control = directory / "control"
        self._over = threading.Event()
        self._windows: list[Window] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        # QEMU waits until both sockets are connected, so nothing that the guest says is lost.
        self.arguments = (
            *("-chardev", f"socket,id=monitor,path={self._monitor},server=on,wait=on"),
            *("-mon", "chardev=monitor,mode=readline"),
            *("-chardev", f"socket,id=control,path={self._control},server=on,wait=on"),
            *architecture.serial("chardev:control", ""),
            *("-D", str(self._log)),
        )

    def stop(self) -> list[Window]:
        """End the threads, also where no guest came. Return: the windows of the trace."""
        self._over.set()
        self.join()
        try:
            # Where QEMU has never opened it, the reader still waits for somebody to write.
            os.close(os.open(self._log, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
        self._reader.join()
        return self._windows

    def run(self) -> None:
        """The thread."""
        os.mkfifo(self._log)
        self._reader.start()
        monitor, control = self._connect(self._monitor), self._connect(self._control)
        if not (monitor and control):
            return
        with monitor, control:
            self._command(monitor)
            self._await(control, b"begin\n")
            self._command(monitor, "log in_asm,exec,nochain", "singlestep on")
            control.sendall(b"\n")
            self._await(control, b"end\n")
            self._command(monitor, "log none", "singlestep off")
            control.sendall(b"\n")
            # Left open until the guest is over: QEMU would say on its console that it closed.
            self._over.wait()

    def _read(self) -> None:
        # Most are the same, and there are gigabytes of them.
        known: dict[bytes, Window] = {}
        with self._log.open(encoding="utf-8", errors="replace") as lines:
            for window in self._windows_of(lines):
                way = array("Q", (step.address for step in window)).tobytes()
                self._windows.append(known.setdefault(way, window))

    def _windows_of(self, lines: Iterable[str]) -> Iterator[Window]:
        if self._architecture is X86:
            return _windows(_steps(lines, _MODULES))
        return _bodies(_steps(lines), *_STAMPS[self._architecture.name])

    def _connect(self, path: Path) -> socket.socket | None:
        connection = socket.socket(socket.AF_UNIX)
        while not self._over.is_set():
            try:
                connection.connect(str(path))
                return connection
            except OSError:
                time.sleep(0.05)
        connection.close()
        return None

    def _await(self, connection: socket.socket, word: bytes) -> None:
        heard = b""
        connection.settimeout(0.2)
        while word not in heard and not self._over.is_set():
            try:
                heard += connection.recv(4096)
            except TimeoutError:
                pass

    def _command(self, monitor: socket.socket, *commands: str) -> None:
        """Give commands; each is done when the prompt is back."""
        for command in commands or ("",):
            monitor.sendall(command.encode() + b"\n")
            self._await(monitor, b"(qemu) ")


def _steps(lines: Iterable[str], modules: int = 0) -> Iterator[Step]:
    """The executed instructions of QEMU's log, in order; stamps are at addresses from @modules."""
    known: dict[str, Step] = {}
    announced: Step | None = None
    for line in lines:
        if line.startswith(_EXECUTED):
            if announced is not None:
                yield announced
            digits = line.split("/", 2)[1]
            announced = known.get(digits)
            if announced is None:
                # QEMU translated it before the trace was on; never a part of the module.
                announced = known[digits] = Step(int(digits, 16), "?", "")
        elif line.startswith("Stopped execution"):
            # What was announced last was not executed: an interrupt or a timer is first.
            announced = None
        elif instruction := _INSTRUCTION.match(line):
            address, text = int(instruction[1], 16), instruction[2].strip()
            stamp = text.split(maxsplit=1)[0] if address >= modules else ""
            known[instruction[1].zfill(_DIGITS)] = Step(address, text, stamp)


def _windows(steps: Iterable[Step]) -> Iterator[Window]:
    """What was executed from each rdtsc that opens a window to the one that closes it."""
    window: list[Step] = []
    within = False
    before, last = "", ""
    for step in steps:
        # The whole stamp, because in row rdtsc one follows a fence as well.
        if step.stamp == "shlq" and last == "rdtsc" and before == "lfence":
            if within:
                yield tuple(window[:-1])
            window = window[-1:]
            within = not within
        if not within:
            window.clear()
        window.append(step)
        before, last = last, step.stamp


# The mnemonics that begin a window on other architectures, and those that end it: the whole, as a
# row may be a part of it. The kernel's own reads of the counter look otherwise.
_STAMPS = {
    "arm64": (("isb", "mrs", "keep", "isb"), ("isb", "mrs", "isb")),
    "riscv64": (("fence", "rdcycle", "keep", "fence"), ("fence", "rdcycle", "fence")),
}
# How a stamp is kept: in a register or in memory. One is subtracted at the end.
_KEPT = {"mov": "keep", "mv": "keep", "str": "keep", "sd": "keep", "sub": "keep"}


def _bodies(
    steps: Iterable[Step], begin: tuple[str, ...], end: tuple[str, ...]
) -> Iterator[Window]:
    """What was executed between the stamps of each window, without them."""
    window: list[Step] = []
    within = False
    last: tuple[str, ...] = ("",) * 4
    for step in steps:
        last = (*last[1:], _KEPT.get(step.stamp, step.stamp))
        window.append(step)
        if not within and last == begin:
            within = True
            window.clear()
        elif within and last == (*end, "keep") and len(window) >= len(last):
            within = False
            yield tuple(window[: -len(last)])
        elif not within:
            window.clear()


def read_trace(windows: Sequence[Window], runs: str) -> list[Run]:
    """The runs of a trace; @runs is what vm_trace.c printed."""
    found = []
    names = [line.split() for line in runs.splitlines()]
    tried = [
        _TRIALS * (int(unroll).bit_length() - 1) if int(unroll) else 0 for *_, unroll, _ in names
    ]
    each = [(_TRIALS + int(samples)) * len(_WINDOWS) for *_, samples in names]
    expected = sum(tried) + sum(each)
    assert len(windows) == expected, f"{len(windows)} windows of {len(names)} runs, not {expected}"
    for (key, mode, unroll, samples), skipped, length in zip(names, tried, each):
        mine, windows = windows[skipped : skipped + length], windows[skipped + length :]
        if mode.startswith("throughput/"):
            mine = mine[-int(samples) * len(_WINDOWS) :]
        bases, bodies = mine[3 :: len(_WINDOWS)], mine[4 :: len(_WINDOWS)]
        path = min(bodies, key=len)
        found.append(Run(key, mode, int(unroll), min(map(len, bases)), len(path), path))
    return found


# Of a window in front of the body: the rest of the stamp (rdtsc, shl, or), where it is kept, and a
# fence; after it the fence of the next stamp.
_BEFORE, _BEHIND = 5, 1

# What differs from one build or boot to the next: addresses, and distances to them.
_PLACE = re.compile(r"-?0x[0-9a-f]+(?=\(%rip\))|-?0x[0-9a-f]{9,}|(?<=\$)-0x[0-9a-f]{8}")


def code_of(runs: Iterable[Run]) -> dict[str, Executed]:
    """By row its instructions, one line each, those outside of the module indented, and their
    number in other contexts. Addresses are left out."""
    code: dict[str, tuple[str, ...]] = {}
    contexts: dict[str, dict[str, int]] = {}
    for run in runs:
        if run.mode == "isolated":
            steps = run.path[_BEFORE:-_BEHIND]
            assert len(steps) == run.per_operation, run
            code[run.key] = tuple(map(_line, steps))
        elif run.mode.startswith("throughput/"):
            context = run.mode.split("/")[1]
            contexts.setdefault(run.key, {})[context] = round(run.per_operation)
    return {key: Executed(len(lines), contexts.get(key, {}), lines) for key, lines in code.items()}


def _line(step: Step) -> str:
    text = " ".join(_PLACE.sub("…", step.text.partition("#")[0]).split())
    return text if step.address >= _MODULES else f"  {text}"
