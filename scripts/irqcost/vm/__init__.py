# SPDX-License-Identifier: GPL-2.0-only
"""Ring 0 on any machine: Debian kernels under QEMU, with the module and the harness in them."""
