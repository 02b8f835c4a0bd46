# SPDX-License-Identifier: GPL-2.0-only
"""Many machines over SSH: what Ansible is asked for, and what becomes of its answers."""
