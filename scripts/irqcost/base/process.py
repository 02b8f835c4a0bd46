# SPDX-License-Identifier: GPL-2.0-only
"""Child processes that do not outlive the command that started them."""

import os
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO

from irqcost import ROOT
from irqcost.base.errors import BuildError, IrqcostError

_GRACE_SECONDS = 10
_TAIL_LINES = 30


@contextmanager
def confined(cpus: Collection[int] | None) -> Iterator[None]:
    """Binds this process, and those that it starts meanwhile, to some CPUs; None: to no others than
    before. Raises IrqcostError where the kernel does not let it run there."""
    before = os.sched_getaffinity(0)
    if cpus is not None:
        try:
            os.sched_setaffinity(0, cpus)
        except OSError as error:
            named = ", ".join(map(str, sorted(cpus)))
            raise IrqcostError(
                f"this process may not run on CPUs {named}: {error.strerror}; see the cpuset of "
                "its cgroup"
            ) from error
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def child(
    command: Sequence[str], stderr: IO[str] | int, environment: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """Runs a command in the checkout, its standard output as lines of text in a pipe.

    `environment` of None is this process's own.

    It has ended when the block has: by itself, or, where the block is left by an exception
    (Ctrl-C among them), by SIGTERM and in the end SIGKILL.
    """
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        errors="replace",
    )
    with process:
        try:
            yield process
        except BaseException:
            process.terminate()
            try:
                process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            raise


def output(command: Sequence[str], failure: str) -> str:
    """What a command printed, both streams. Raises BuildError with @failure and the end of it."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-_TAIL_LINES:])
        raise BuildError(f"{failure}:\n{tail}")
    return done.stdout
