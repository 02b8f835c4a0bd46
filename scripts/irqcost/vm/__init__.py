# SPDX-License-Identifier: GPL-2.0-only
"""Ring 0 on any machine: Debian kernels under QEMU, with the module and the harness in them."""


class VmError(Exception):
    """Something that keeps a guest from being prepared or used; the text says what would help."""

    exit_code = 2


class GuestDied(VmError):
    """The guest panicked, hung, or ended without bringing its results back."""

    exit_code = 255
