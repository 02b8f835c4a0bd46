/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUs that contend for a lock: contention.c runs them, locks.c has the locks.
 */
#ifndef IRQCOST_WORKERS_H
#define IRQCOST_WORKERS_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <irqcost/abi.h>
#include "internal.h"

struct contender;
struct workers;

/**
 * struct lock_kind - a lock, and what a CPU does with it in each half of a round
 * @key: of its row
 * @counted: take and release it until the half is over, and count
 * @stamped: the same, and stamp each wait
 * @alone: take and release it once; returns the ticks, and whether it masks
 */
struct lock_kind {
	const char *key;
	void (*counted)(struct contender *c);
	void (*stamped)(struct contender *c);
	u64 (*alone)(struct workers *workers, u32 passes, bool *masks);
};

/**
 * struct contender - a CPU's part in it
 * @result: what its thread has found so far
 * @workers: the run
 * @half: the half that it is in
 * @lock: protects what follows
 * @told: what the caller is told: @result after the last round
 * @closed: that @told changes no more
 */
struct contender {
	struct irqcost_contender result;
	struct workers *workers;
	u32 half;
	raw_spinlock_t lock;
	struct irqcost_contender told;
	bool closed;
} ____cacheline_aligned_in_smp;

/*
 * One run. The caller has a reference to it, and so has each thread: one that gets
 * no CPU outlives the run, and so do the locks, of which it may hold one. What all
 * CPUs write has cache lines of its own: only the lock is to be fought for.
 */
struct workers {
	refcount_t users;
	const struct lock_kind *kind;
	u32 passes;		/* of IRQCOST_HOLD_STEP adds in a section */
	u32 rounds;
	u32 size;		/* CPUs */
	u64 half_ticks;
	u64 timeout;
	bool cancelled;
	u64 deadline;		/* of the half under way */
	u32 begun;		/* halves that all CPUs have come to */
	u32 ended ____cacheline_aligned_in_smp;	/* halves that are over */
	atomic_t arrived ____cacheline_aligned_in_smp;
	spinlock_t spin_lock ____cacheline_aligned_in_smp;
	spinlock_t spin_lock_masking ____cacheline_aligned_in_smp;
	raw_spinlock_t raw_spin_lock_masking ____cacheline_aligned_in_smp;
	struct contender contenders[];
};

/* Whether the half that a CPU is in is over. */
static __always_inline bool half_ended(const struct contender *c)
{
	return READ_ONCE(c->workers->ended) > c->half;
}

/* locks.c */
const struct lock_kind *irqcost_lock_kind(const struct irqcost_row *row);

#endif /* IRQCOST_WORKERS_H */
