// SPDX-License-Identifier: GPL-2.0-only
/*
 * The locks that CPUs may contend for, and what a CPU does with one.
 */
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/stringify.h>
#include "workers.h"

/* Operations between two checks of the clock, which costs as much as a short section. */
#define CHECK_EVERY 16

/* Of 1 core cycle an add; the loop around them runs beside the chain. */
static __always_inline unsigned long section(unsigned long work, u32 passes)
{
	for (; passes; passes--)
		asm volatile(".rept " __stringify(IRQCOST_HOLD_STEP) "\n\t"
			     IRQCOST_ADD "\n\t"
			     ".endr" : "+r" (work) : : "cc");
	return work;
}

/*
 * Whether the half is over, after so many operations: so each CPU does at least
 * one. Whoever sees that the time is up ends the half for all, so all end at once.
 */
static __always_inline bool over(const struct contender *c, u64 operations)
{
	if (operations % CHECK_EVERY == 0 && !half_ended(c) &&
	    irqcost_now() >= c->workers->deadline)
		WRITE_ONCE(c->workers->ended, c->half + 1);
	return half_ended(c);
}

static void note_wait(struct contender *c, u64 wait, u64 irqs_off)
{
	struct irqcost_contender *result = &c->result;

	result->waits++;
	result->histogram[irqcost_wait_bin(wait)]++;
	result->longest_wait = max_t(u64, result->longest_wait, wait);
	result->longest_irqs_off = max_t(u64, result->longest_irqs_off, irqs_off);
}

/* Written out for each lock: a call by pointer would stand between the stamps, and be counted. */
#define LOCK_KIND(name, acquire, release)					\
static void name##_counted(struct contender *c)					\
{										\
	unsigned long flags __maybe_unused, work = 1;				\
	struct workers *const workers = c->workers;					\
	const u32 passes = workers->passes;					\
	u64 operations = 0;							\
										\
	do {									\
		acquire;							\
		work = section(work, passes);					\
		release;							\
		operations++;							\
	} while (!over(c, operations));						\
	c->result.operations += operations;					\
}										\
										\
static void name##_stamped(struct contender *c)					\
{										\
	unsigned long flags __maybe_unused, work = 1;				\
	struct workers *const workers = c->workers;					\
	const u32 passes = workers->passes;					\
	u64 called, held, released, operations = 0;				\
	bool masked;								\
										\
	do {									\
		called = irqcost_now_ordered();					\
		acquire;							\
		held = irqcost_now_ordered();						\
		masked = irqs_disabled();					\
		work = section(work, passes);					\
		release;							\
		released = irqcost_now_ordered();					\
		note_wait(c, held - called, masked ? released - called : 0);	\
		operations++;							\
	} while (!over(c, operations));						\
}										\
										\
static u64 name##_alone(struct workers *workers, u32 passes, bool *masks)	\
{										\
	unsigned long flags __maybe_unused;					\
	u64 start = irqcost_now_ordered();						\
										\
	acquire;								\
	*masks = irqs_disabled();						\
	section(1, passes);							\
	release;								\
	return irqcost_now_ordered() - start;						\
}

LOCK_KIND(spin_lock, spin_lock(&workers->spin_lock), spin_unlock(&workers->spin_lock))
LOCK_KIND(spin_lock_irqsave, spin_lock_irqsave(&workers->spin_lock_masking, flags),
	  spin_unlock_irqrestore(&workers->spin_lock_masking, flags))
LOCK_KIND(raw_spin_lock_irqsave, raw_spin_lock_irqsave(&workers->raw_spin_lock_masking, flags),
	  raw_spin_unlock_irqrestore(&workers->raw_spin_lock_masking, flags))

#define KIND(name) { #name, name##_counted, name##_stamped, name##_alone }
static const struct lock_kind kinds[] = {
	KIND(spin_lock),
	KIND(spin_lock_irqsave),
	KIND(raw_spin_lock_irqsave),
};

/**
 * irqcost_lock_kind() - the lock of a row
 * @row: the row
 *
 * Return: the lock, NULL where the row is of none that CPUs can contend for.
 */
const struct lock_kind *irqcost_lock_kind(const struct irqcost_row *row)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].key, row->key))
			return &kinds[i];
	return NULL;
}
