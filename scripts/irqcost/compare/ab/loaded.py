# SPDX-License-Identifier: GPL-2.0-only
"""The module in the running kernel, for as long as something is measured through it."""

import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path

from irqcost.base.errors import IrqcostError
from irqcost.vm.kernels import Kernel

NAME = "irqcost"


def running_kernel(root: Path = Path("/")) -> Kernel:
    """The kernel that runs, as one that modules are built for and loaded into. Raises
    IrqcostError, which says what is missing."""
    release = platform.release()
    headers = root / "lib/modules" / release / "build"
    if not (root / "proc/modules").exists():
        raise IrqcostError(f"kernel {release} loads no modules: compare them in a guest, with --vm")
    if not headers.is_dir():
        raise IrqcostError(
            f"{headers} is missing: install the headers of kernel {release} "
            "(linux-headers-amd64), or compare in a guest, with --vm"
        )
    if os.geteuid():
        raise IrqcostError("only root may load modules: use sudo, or compare in a guest, with --vm")
    if (root / "sys/module" / NAME).exists():
        raise IrqcostError(f"the module is loaded already: rmmod {NAME}, and run this again")
    return Kernel("running", release, root / "boot" / f"vmlinuz-{release}", headers)


@contextmanager
def loaded(module: Path) -> Iterator[None]:
    """Loads a module, and unloads it when the block ends, however it ends. Raises IrqcostError
    where the kernel refuses either."""
    with ExitStack() as stack:
        # An interrupt may come while insmod is about to end: then nobody knows whether it is in.
        known = False

        def unload() -> None:
            with nullcontext() if known else suppress(IrqcostError):
                _run("rmmod", NAME)

        stack.callback(unload)
        try:
            _run("insmod", str(module))
        except IrqcostError:
            stack.pop_all()  # What was refused is not unloaded.
            raise
        known = True
        yield


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    except FileNotFoundError as error:
        raise IrqcostError(f"{command[0]} is not installed (package kmod)") from error
    if done.returncode:
        said = done.stderr.strip() or f"status {done.returncode}"
        raise IrqcostError(f"`{' '.join(command)}` failed: {said}")
