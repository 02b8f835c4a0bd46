/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the bodies of the catalogue work on.
 */
#ifndef IRQCOST_OBJECTS_H
#define IRQCOST_OBJECTS_H

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
/* It does not include itself what it needs on PREEMPT_RT. */
#include <linux/local_lock.h>
#include <asm/local.h>
#include <irqcost/body.h>

struct irqcost_cpu_objects;

/**
 * struct irqcost_objects - the memory and the locks of a run
 *
 * There is one run at a time, so the locks are never contended (objects.c).
 */
struct irqcost_objects {
	/** @scratch: what an assembler row finds at (%r15) */
	u8 scratch[IRQCOST_SCRATCH_BYTES] __aligned(16);
	/** @lock: protects nothing; sleeps on PREEMPT_RT */
	spinlock_t lock;
	/** @raw_lock: protects nothing; spins on every kernel */
	raw_spinlock_t raw_lock;
	/** @rwlock: protects nothing; sleeps on PREEMPT_RT */
	rwlock_t rwlock;
	/** @seqlock: protects nothing; its writer sleeps on PREEMPT_RT */
	seqlock_t seqlock;
	/** @mutex: protects nothing */
	struct mutex mutex;
	/** @bits: bit 0 is a lock that protects nothing */
	unsigned long bits;
	/** @word: always 0 */
	unsigned long word;
	/** @pair: always 0 */
	unsigned long pair[2] __aligned(16);
#ifdef IRQCOST_HAS_CMPXCHG128
	/** @wide: always 0 */
	u128 wide;
#endif
	/**
	 * @cpu: irqcost_cpu, as allocated data is reached: what replaces a call of
	 * another by an instruction must not hold an address relative to itself
	 */
	struct irqcost_cpu_objects __percpu *cpu;
	/** @srcu: protects nothing */
	struct srcu_struct srcu;
#ifdef IRQCOST_HAS_SRCU_FAST
	/** @srcu_fast: protects nothing; a structure has readers of one kind */
	struct srcu_struct srcu_fast;
#endif
	/** @atomic: counts for nobody */
	atomic_long_t atomic;
	/** @cache: of objects of 64 bytes */
	struct kmem_cache *cache;
	/** @irq: a requested interrupt that no device raises; 0 where there was none available */
	unsigned int irq;
};

/**
 * struct irqcost_cpu_objects - the same for each CPU
 */
struct irqcost_cpu_objects {
	/** @lock: protects nothing; sleeps on PREEMPT_RT */
	local_lock_t lock;
#ifdef IRQCOST_HAS_LOCAL_TRYLOCK
	/** @trylock: protects nothing; sleeps on PREEMPT_RT */
	local_trylock_t trylock;
#endif
	/** @busy: set while a task works on data that this does not have */
	unsigned char busy;
	/** @count: counts for nobody */
	unsigned long count;
	/** @word: always 0 */
	unsigned long word;
	/** @local: counts for nobody */
	local_t local;
	/** @pair: always 0 */
	unsigned long pair[2] __aligned(16);
#ifdef IRQCOST_HAS_CMPXCHG128
	/** @wide: always 0 */
	u128 wide;
#endif
};

extern struct irqcost_objects irqcost_objects;
DECLARE_PER_CPU(struct irqcost_cpu_objects, irqcost_cpu);
/* Counts for nobody: what the section in situ/percpu updates. */
DECLARE_PER_CPU(unsigned long, irqcost_section_word);

int irqcost_objects_init(void);
void irqcost_objects_serve(u32 context, u32 cpu);
void irqcost_objects_exit(void);

#endif /* IRQCOST_OBJECTS_H */
