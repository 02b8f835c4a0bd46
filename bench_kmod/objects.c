// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the bodies of the catalogue work on: made when the module is loaded.
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <irqcost/abi.h>
#include "compat.h"
#include "objects.h"

#define OBJECT_BYTES 64

struct irqcost_objects irqcost_objects = {
	.lock = __SPIN_LOCK_UNLOCKED(irqcost_objects.lock),
	.raw_lock = __RAW_SPIN_LOCK_UNLOCKED(irqcost_objects.raw_lock),
	.rwlock = __RW_LOCK_UNLOCKED(irqcost_objects.rwlock),
	.seqlock = __SEQLOCK_UNLOCKED(irqcost_objects.seqlock),
	.mutex = __MUTEX_INITIALIZER(irqcost_objects.mutex),
};

DEFINE_PER_CPU(struct irqcost_cpu_objects, irqcost_cpu) = {
	.lock = INIT_LOCAL_LOCK(lock),
#ifdef IRQCOST_HAS_LOCAL_TRYLOCK
	.trylock = INIT_LOCAL_TRYLOCK(trylock),
#endif
};

DEFINE_PER_CPU(unsigned long, irqcost_section_word);

/*
 * What lock debugging believes a lock to be: one of each in each context, for a
 * lock that an interrupt handler takes must not be taken with interrupts on.
 */
static struct {
	struct lock_class_key lock, raw_lock, rwlock, seqlock, seqcount, cpu_lock, cpu_trylock;
} classes[IRQCOST_NR_CONTEXTS];

/**
 * irqcost_objects_serve() - say from which context the locks are now taken
 * @context: enum irqcost_context
 * @cpu: on which CPU
 *
 * One run at a time takes them, and none holds them between its samples.
 */
void irqcost_objects_serve(u32 context, u32 cpu)
{
	struct irqcost_objects *const o __maybe_unused = &irqcost_objects;

	lockdep_set_class(&o->lock, &classes[context].lock);
	lockdep_set_class(&o->raw_lock, &classes[context].raw_lock);
	lockdep_set_class(&o->rwlock, &classes[context].rwlock);
	lockdep_set_class(&o->seqlock.lock, &classes[context].seqlock);
	lockdep_set_class(&o->seqlock.seqcount.seqcount, &classes[context].seqcount);
	lockdep_set_class(&per_cpu_ptr(&irqcost_cpu, cpu)->lock, &classes[context].cpu_lock);
#ifdef IRQCOST_HAS_LOCAL_TRYLOCK
	lockdep_set_class(&per_cpu_ptr(&irqcost_cpu, cpu)->trylock, &classes[context].cpu_trylock);
#endif
}

/* Of a line that nothing raises. */
static irqreturn_t handler(int irq, void *device)
{
	return IRQ_NONE;
}

/*
 * An interrupt of the module's own: a descriptor in software, with the chip that
 * the kernel has for lines without hardware. It must be requested, as a line
 * that has no handler is off for good, and enable_irq() would only count.
 *
 * The descriptor has no owner: a requested line holds a reference to it, and the
 * module, being the owner, could never be unloaded.
 */
static unsigned int own_irq(void)
{
	int irq = __irq_alloc_descs(-1, 1, 1, NUMA_NO_NODE, NULL, NULL);

	if (irq <= 0)
		return 0;
	irq_set_chip_and_handler_name(irq, &dummy_irq_chip, handle_simple_irq, "irqcost");
	irq_modify_status(irq, IRQ_NOREQUEST, IRQ_NOPROBE);
	if (request_irq(irq, handler, 0, "irqcost", &irqcost_objects)) {
		irq_free_desc(irq);
		return 0;
	}
	return irq;
}

/**
 * irqcost_objects_init() - make what cannot be initialised beforehand
 *
 * Without an interrupt available, its rows are unusable and all others work.
 *
 * Return: 0 or -ENOMEM.
 */
int irqcost_objects_init(void)
{
	int ret;

	irqcost_objects.cache = kmem_cache_create("irqcost", OBJECT_BYTES, OBJECT_BYTES, 0, NULL);
	if (!irqcost_objects.cache)
		return -ENOMEM;
	ret = init_srcu_struct(&irqcost_objects.srcu);
	if (ret)
		goto destroy_cache;
#ifdef IRQCOST_HAS_SRCU_FAST
	ret = irqcost_init_srcu_fast(&irqcost_objects.srcu_fast);
	if (ret)
		goto cleanup_srcu;
#endif
	irqcost_objects.cpu = &irqcost_cpu;
	irqcost_objects.irq = own_irq();
	return 0;

#ifdef IRQCOST_HAS_SRCU_FAST
cleanup_srcu:
	cleanup_srcu_struct(&irqcost_objects.srcu);
#endif
destroy_cache:
	kmem_cache_destroy(irqcost_objects.cache);
	return ret;
}

/**
 * irqcost_objects_exit() - undo irqcost_objects_init()
 */
void irqcost_objects_exit(void)
{
	if (irqcost_objects.irq) {
		free_irq(irqcost_objects.irq, &irqcost_objects);
		irq_free_desc(irqcost_objects.irq);
	}
#ifdef IRQCOST_HAS_SRCU_FAST
	cleanup_srcu_struct(&irqcost_objects.srcu_fast);
#endif
	cleanup_srcu_struct(&irqcost_objects.srcu);
	kmem_cache_destroy(irqcost_objects.cache);
}
