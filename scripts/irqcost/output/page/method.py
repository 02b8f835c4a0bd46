# SPDX-License-Identifier: GPL-2.0-only
"""How results are measured, for somebody who has read nothing else; docs/METHOD.md has more."""

METHOD = (
    (
        "Throughput",
        "A primitive is repeated back to back in two loops, one of which has twice as many copies. "
        "The difference of the two times, divided by the copies between them, is the cost: what "
        "both loops have in common cancels.",
    ),
    ("Isolated", "One operation between two fences, minus the fences alone."),
    (
        "In situ",
        "What a primitive adds to a critical section of 0, 20, 100 or 500 dependent cycles of "
        "work, which may overlap with it.",
    ),
    (
        "Core cycles",
        "A chain of dependent multiplications is timed beside each sample; its length in cycles is "
        "calibrated in each process. A cycle is one of the core's own clock, whatever its "
        "frequency.",
    ),
    (
        "Clean samples",
        "Each sample has a sensor that slows down when another thread shares the core. Only clean "
        "samples count; contaminated ones are reported.",
    ),
    (
        "Interval",
        "A run starts fresh processes again and again. A result is the median over them, with the "
        "95 % interval of this median by order statistics, for any distribution.",
    ),
    (
        "Controls",
        "Each run measures what is known: nothing costs 0, a dependent add 1. If these are off, "
        "the results beside them are unreliable.",
    ),
    (
        "Backends",
        "ring3 is user mode; kmod calls from a kernel module, bpf from a BPF program, kvm from a "
        "guest of its own. A bpf result includes the calls from BPF.",
    ),
    (
        "Paravirtual kernels",
        "A kernel in a guest may mask with calls instead of cli and sti. The instructions that ran "
        "show it. Such results are no cost of the CPU's masking and have a table of their own.",
    ),
    (
        "Instruction counts",
        "An emulated CPU, whose clock ticks once an instruction, counts exactly. Counts say "
        "nothing about time.",
    ),
)
