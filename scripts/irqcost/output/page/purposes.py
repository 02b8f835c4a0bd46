# SPDX-License-Identifier: GPL-2.0-only
"""Which primitives serve the same purpose, so that choosing among them by cost makes sense."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """A probe of the catalogue, and the condition under which it serves ("": none)."""

    probe: str
    given: str = ""


@dataclass(frozen=True)
class Purpose:
    """What is to be done, after "To", and what does it."""

    words: str
    choices: Sequence[Choice]


_ON = "where interrupts are known to be on"

PURPOSES = (
    Purpose(
        "keep interrupt handlers of this CPU out",
        (
            Choice("local_irq_disable_enable", _ON),
            Choice("local_irq_save_restore"),
        ),
    ),
    Purpose(
        "mask and restore by instruction",
        (
            Choice("cli_sti", _ON),
            Choice("save_cli_test_sti"),
            Choice("save_cli_popf"),
        ),
    ),
    Purpose(
        "lock data that other CPUs use as well",
        (
            Choice("spin_lock", "where no interrupt handler takes the lock"),
            Choice("spin_lock_bh", "where softirqs take it and interrupt handlers do not"),
            Choice("spin_lock_irq", f"{_ON}; no masking on PREEMPT_RT"),
            Choice("spin_lock_irqsave", "no masking on PREEMPT_RT"),
            Choice("raw_spin_lock_irqsave"),
        ),
    ),
    Purpose(
        "keep a task on its CPU without masking interrupts",
        (
            Choice("preempt_disable_enable"),
            Choice("migrate_disable_enable", "while others may run in between"),
            Choice("local_bh_disable_enable", "softirqs kept away as well"),
        ),
    ),
    Purpose(
        "count on this CPU",
        (Choice("this_cpu_add"), Choice("irq_save_this_cpu_add", "by masking")),
    ),
    Purpose(
        "protect data of this CPU in a BPF program",
        (
            Choice("kfunc_preempt_disable_enable", "where no interrupt handler uses them"),
            Choice("irq_save_restore"),
        ),
    ),
    Purpose(
        "lock in a BPF program",
        (
            Choice("res_spin_lock", "where no interrupt handler takes the lock"),
            Choice("res_spin_lock_irqsave"),
            Choice("helper_spin_lock", "which masks as well"),
        ),
    ),
)
