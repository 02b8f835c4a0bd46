/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * arm64: what differs between CPUs, for enum irqcost_needs (catalogue.h).
 *
 * LSE: the atomic instructions of ARMv8.1.
 * DAIF: masking by the CPU's own masks, where the kernel may mask by priority instead.
 * PMR: masking by the priority of interrupts, as the kernel does where pseudo-NMI is on.
 */
#ifndef IRQCOST_ARCH_NEEDS_H
#define IRQCOST_ARCH_NEEDS_H

#define IRQCOST_ARCH_NEEDS                                                    \
	IRQCOST_NEEDS_LSE = 1 << 0,                                           \
	IRQCOST_NEEDS_DAIF = 1 << 1,                                          \
	IRQCOST_NEEDS_PMR = 1 << 2,

/* cmpxchg128() and cmpxchg_double() do without LSE as well. */
#define IRQCOST_ARCH_NEEDS_PAIR 0

#endif /* IRQCOST_ARCH_NEEDS_H */
