/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the bodies of the catalogue work on.
 */
#ifndef IRQCOST_OBJECTS_H
#define IRQCOST_OBJECTS_H

#include <linux/spinlock.h>
#include <irqcost/body.h>

/**
 * struct irqcost_objects - the memory and the locks of a run
 *
 * There is one run at a time, so the locks are never contended.
 */
struct irqcost_objects {
	/** @scratch: what an assembler row finds at (%r15) */
	u8 scratch[IRQCOST_SCRATCH_BYTES] __aligned(16);
	/** @lock: protects nothing; sleeps on PREEMPT_RT */
	spinlock_t lock;
	/** @raw_lock: protects nothing; spins on every kernel */
	raw_spinlock_t raw_lock;
};

extern struct irqcost_objects irqcost_objects;

#endif /* IRQCOST_OBJECTS_H */
