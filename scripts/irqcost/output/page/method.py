# SPDX-License-Identifier: GPL-2.0-only
"""How the figures came about, for somebody who has read nothing else; docs/METHOD.md has more."""

METHOD = (
    (
        "Throughput",
        "A primitive is repeated back to back in two loops, one of which holds twice as many "
        "copies. The difference of the two times, by the copies between them, is the cost: "
        "what both loops have in common cancels.",
    ),
    ("Latency", "One operation between two fences, less the fences alone."),
    (
        "In situ",
        "What a primitive adds to a critical section of 0, 20, 100 or 500 dependent cycles of "
        "work, which may hide a part of it.",
    ),
    (
        "Core cycles",
        "Beside each sample a chain of dependent multiplications is timed, which take 3 core "
        "cycles each. So a cycle is one of the core's own clock, whatever its frequency.",
    ),
    (
        "Free and disturbed",
        "Each sample carries a sensor that slows down when another thread shares the core. "
        "Only samples that nothing disturbed make a figure; the others are counted.",
    ),
    (
        "Interval",
        "A run starts fresh processes again and again. The figure is the median over them, "
        "and the 95 % interval that of this median by order statistics, whatever the "
        "distribution.",
    ),
    (
        "Controls",
        "Each run measures what is known: nothing costs 0, a dependent add 1, a dependent "
        "multiply 3. Where these are off, all figures beside them are marked.",
    ),
    (
        "Backends",
        "ring3 is user mode; kmod calls from a kernel module, bpf from a BPF program, kvm from a "
        "guest of its own. A bpf figure holds the calls from BPF.",
    ),
    (
        "What masks",
        "A kernel in a paravirtualised guest may mask by calls in place of cli and sti. The "
        "instructions that ran tell which; such figures are no cost of the CPU's masking, and have "
        "no ratio to those that are.",
    ),
    (
        "Instructions",
        "Counts come from an emulated CPU whose clock ticks once an instruction. They are "
        "exact and say nothing about time.",
    ),
)
