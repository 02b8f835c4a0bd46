# SPDX-License-Identifier: GPL-2.0-only
"""Ctrl-C and its likes at any moment: a sentence, the promised code, no traceback."""

import ast
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from irqcost import ROOT
from irqcost.base.errors import Exit
from results import path

_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


def _as_from_a_terminal() -> None:
    """Whatever runs the tests may have them ignored, or blocked."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)


def _started(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        arguments,
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts"), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_as_from_a_terminal,
    )


def _ended(process: "subprocess.Popen[str]") -> None:
    _, said = process.communicate(timeout=300)
    assert "Traceback" not in said and "Error" not in said, said
    # The front itself, before it has started anything, ends as every shell script does.
    assert process.returncode in (Exit.INTERRUPTED, *(-number for number in _SIGNALS)), said


@pytest.mark.parametrize("number", _SIGNALS)
@pytest.mark.parametrize("module", ["signal", "irqcost.base.errors", "irqcost.cli", "argparse"])
def test_while_modules_are_loaded(number: signal.Signals, module: str, tmp_path: Path) -> None:
    """The signal comes in the middle of an import: of one that Python itself loads, too, for which
    the front has it wait."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}:\n"
        f"            sys.meta_path.remove(self); os.kill(os.getpid(), {int(number)})\n"
        "sys.meta_path.insert(0, Finder())\n"
    )
    process = _started(str(ROOT / "irqcost"), "--no-install", "probes", PYTHONPATH=str(tmp_path))
    _ended(process)


@pytest.mark.parametrize("number", _SIGNALS)
def test_while_processes_load_their_libraries(number: signal.Signals, tmp_path: Path) -> None:
    """A terminal sends it to all processes at once."""
    script = (
        "import os, sys, signal; from irqcost.base import executors\n"
        "from irqcost.base.safety import interrupts\n"
        "executors.os.sched_getaffinity = lambda _: {0, 1}\n"
        "def work():\n"
        "    with executors.processes(2, ['irqcost.output.charts.style']) as pool:\n"
        "        pool.submit(os.getpid); print(flush=True); pool.submit(os.getpid).result()\n"
        "        pool.submit(__import__('time').sleep, 600).result()\n"
        "if __name__ == '__main__':\n"
        "    interrupts.end_at_once(); sys.exit(interrupts.guarded(work))\n"
    )
    file = tmp_path / "script.py"
    file.write_text(script)
    process = subprocess.Popen(
        [sys.executable, str(file)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_as_from_a_terminal,
        process_group=0,
    )
    assert process.stdout is not None
    process.stdout.readline()
    if number == signal.SIGTERM:  # That one is for one process.
        process.send_signal(number)
    else:
        os.killpg(process.pid, number)
    _ended(process)


def test_a_second_one_does_not_stop_what_cleans_up() -> None:
    script = (
        "import os, signal, sys; from irqcost.base.safety import interrupts\n"
        "def work():\n"
        "    try: os.kill(os.getpid(), signal.SIGINT)\n"
        "    finally:\n"
        "        os.kill(os.getpid(), signal.SIGINT); os.kill(os.getpid(), signal.SIGTERM)\n"
        "        print('cleaned up')\n"
        "sys.exit(interrupts.guarded(work))"
    )
    process = _started(sys.executable, "-c", script)
    out, said = process.communicate(timeout=300)
    assert (process.returncode, out) == (Exit.INTERRUPTED, "cleaned up\n")
    assert said == "irqcost: interrupted; nothing was kept\n"


def test_what_is_ignored_stays_ignored() -> None:
    script = (
        "import os, signal, sys; from irqcost.base.safety import interrupts\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN); interrupts.end_at_once()\n"
        "def work(): os.kill(os.getpid(), signal.SIGHUP); return 0\n"
        "sys.exit(interrupts.guarded(work))"
    )
    process = _started(sys.executable, "-c", script)
    assert process.communicate(timeout=300) == ("", "")
    assert process.returncode == 0


def test_a_command_at_any_moment(tmp_path: Path) -> None:
    """At times that have nothing to do with what it is at."""
    for number, delay in ((signal.SIGINT, 0.02), (signal.SIGINT, 0.3), (signal.SIGHUP, 0.15)):
        process = _started(
            *(str(ROOT / "irqcost"), "--no-install", "compare", str(path("alpha"))),
            *("--out", str(tmp_path / "chart")),
            XDG_CACHE_HOME=str(tmp_path),
        )
        time.sleep(delay)
        process.send_signal(number)
        _, said = process.communicate(timeout=300)
        assert "Traceback" not in said
        assert process.returncode in (Exit.OK, Exit.INTERRUPTED, -number), said
    assert not list(tmp_path.glob("*.partial"))


def test_an_older_python_says_one_sentence() -> None:
    for name in ("__init__.py", "__main__.py"):
        source = (ROOT / "scripts" / "irqcost" / name).read_text(encoding="utf-8")
        ast.parse(source, feature_version=(3, 6))
    script = (
        "import runpy, sys; sys.version_info = (3, 9, 2, 'final', 0)\n"
        "runpy.run_module('irqcost', run_name='__main__')"
    )
    process = _started(sys.executable, "-c", script)
    _, said = process.communicate(timeout=300)
    assert process.returncode == Exit.UNUSABLE
    assert said == f"irqcost: needs Python 3.11 or newer; {sys.executable} is 3.9\n"
