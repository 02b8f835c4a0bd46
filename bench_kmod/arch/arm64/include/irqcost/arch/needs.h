/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * arm64: what differs between CPUs, for enum irqcost_needs (catalogue.h).
 *
 * LSE: the atomic instructions of ARMv8.1.
 */
#ifndef IRQCOST_ARCH_NEEDS_H
#define IRQCOST_ARCH_NEEDS_H

#define IRQCOST_ARCH_NEEDS                                                    \
	IRQCOST_NEEDS_LSE = 1 << 0,

/* cmpxchg128() and cmpxchg_double() do without LSE as well. */
#define IRQCOST_ARCH_NEEDS_PAIR 0

#endif /* IRQCOST_ARCH_NEEDS_H */
