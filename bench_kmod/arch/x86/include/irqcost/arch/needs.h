/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x86-64: what differs between CPUs or privilege levels, for enum irqcost_needs (catalogue.h).
 *
 * RDTSCP: the instruction rdtscp. LAHF: lahf and sahf in 64-bit mode. POPF: popf, which does more
 * at CPL 0, where it may change the interrupt flag. CR8: the task priority register; a guest
 * without a local APIC exits for it. CX16: the instruction cmpxchg16b.
 */
#ifndef IRQCOST_ARCH_NEEDS_H
#define IRQCOST_ARCH_NEEDS_H

#define IRQCOST_ARCH_NEEDS                                                    \
	IRQCOST_NEEDS_RDTSCP = 1 << 0,                                        \
	IRQCOST_NEEDS_LAHF = 1 << 1,                                          \
	IRQCOST_NEEDS_POPF = 1 << 2,                                          \
	IRQCOST_NEEDS_CR8 = 1 << 3,                                           \
	IRQCOST_NEEDS_CX16 = 1 << 5,

/* The instruction of cmpxchg128() and cmpxchg_double(). */
#define IRQCOST_ARCH_NEEDS_PAIR IRQCOST_NEEDS_CX16

#endif /* IRQCOST_ARCH_NEEDS_H */
