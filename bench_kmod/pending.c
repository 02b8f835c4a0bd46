// SPDX-License-Identifier: GPL-2.0-only
/*
 * What masking costs later: an interrupt that this CPU sends itself while it has
 * masked (IRQCOST_IOC_PENDING), by irq_work, which is the kernel's own way to do so.
 */
#include <linux/cpumask.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/time64.h>
#include <linux/uaccess.h>
#include <asm/irq_work.h>
#include "internal.h"

/* Samples that determine the length of the masked work; the least counts (run.c). */
#define TRIALS 4

/* An interrupt that has not come after this will not come. */
#define TIMEOUT_NS (10 * NSEC_PER_MSEC)

/* The interrupt of the one run under way, and the clock at the first instruction of its handler. */
static struct irq_work raised;
static u64 handled;

static notrace void handler(struct irq_work *work)
{
	WRITE_ONCE(handled, irqcost_now_ordered());
}

/**
 * struct stretch - a masked stretch
 * @raise: in: whether an interrupt is to become pending
 * @loops: in: of the work; 0: none
 * @hold: in: ticks to stay masked
 * @start: out: clock before masking
 * @add: out: ticks of the dependent adds
 * @nop: out: ticks of the nops
 * @before: out: clock before unmasking
 * @after: out: clock after it
 * @early: out: clock at which the interrupt came all the same; 0: it did not
 */
struct stretch {
	bool raise;
	u32 loops;
	u64 hold;
	u64 start;
	u64 add;
	u64 nop;
	u64 before;
	u64 after;
	u64 early;
};

static __nocfi void work_masked(struct stretch *s)
{
	if (s->raise)
		irq_work_queue(&raised);
	if (s->loops) {
		const int adds = irqcost_window_index(IRQCOST_PENDING_ADDS);
		const int nops = irqcost_window_index(IRQCOST_PENDING_NOPS);

		s->add = irqcost_windows_dep_add[adds](s->loops, irqcost_objects.scratch);
		s->nop = irqcost_windows_nop[nops](s->loops, irqcost_objects.scratch);
	}
	while (irqcost_now() - s->start < s->hold)
		;
	s->early = READ_ONCE(handled);
}

/*
 * Written out for each way of masking, so that nothing stands between the stamps
 * but the unmasking. The nop is the instruction after sti, before which no
 * interrupt is taken: it comes before the second stamp, not after.
 */
#define MASKING(name, mask, unmask)						\
static void name##_stretch(struct stretch *s)					\
{										\
	unsigned long flags __maybe_unused;					\
										\
	s->start = irqcost_now_ordered();						\
	mask;									\
	work_masked(s);								\
	s->before = irqcost_now_ordered();						\
	unmask;									\
	asm volatile("nop" : : : "memory");					\
	s->after = irqcost_now_ordered();						\
}

/* Protect nothing. */
static DEFINE_SPINLOCK(lock);
static DEFINE_RAW_SPINLOCK(raw_lock);

IRQCOST_ARCH_MASKINGS(MASKING)
MASKING(local_irq_save_restore, local_irq_save(flags), local_irq_restore(flags))
MASKING(spin_lock_irqsave,
	spin_lock_irqsave(&lock, flags),
	spin_unlock_irqrestore(&lock, flags))
MASKING(raw_spin_lock_irqsave,
	raw_spin_lock_irqsave(&raw_lock, flags),
	raw_spin_unlock_irqrestore(&raw_lock, flags))

/**
 * struct masking - a way to mask and unmask
 * @key: of its row
 * @run: a stretch masked in that way
 */
struct masking {
	const char *key;
	void (*run)(struct stretch *s);
};

#define WAY(name) { #name, name##_stretch }
#define WAY_OF(name, ...) WAY(name),
static const struct masking ways[] = {
	IRQCOST_ARCH_MASKINGS(WAY_OF)
	WAY(local_irq_save_restore),
	WAY(spin_lock_irqsave),
	WAY(raw_spin_lock_irqsave),
};

static const struct masking *masking_of(const struct irqcost_row *row)
{
	u32 i;

	/* A lock that sleeps masks nothing. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT) && row->where & IRQCOST_RT_SLEEPS)
		return NULL;
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		if (!strcmp(ways[i].key, row->key))
			return &ways[i];
	return NULL;
}

/* Return: 0, or -EIO where it did not come when it should have. */
static int await_handler(const struct stretch *s)
{
	const u64 timeout = irqcost_ticks(TIMEOUT_NS);

	if (s->early)
		return -EIO;
	while (!READ_ONCE(handled)) {
		if (irqcost_now() - s->after > timeout)
			return -EIO;
		cpu_relax();
	}
	return 0;
}

static int take_sample(const struct masking *masking, const struct irqcost_pending *request,
		       u32 loops, struct irqcost_pending_sample *sample)
{
	struct stretch quiet = { .loops = loops, .hold = irqcost_ticks(request->hold_ns) };
	struct stretch pending = quiet;
	unsigned long switches = current->nvcsw + current->nivcsw;
	u32 interrupts;
	int ret;

	*sample = (struct irqcost_pending_sample) { .start = irqcost_now() };
	sample->chain = irqcost_chain_ticks();
	interrupts = irqcost_interrupts_of(request->cpu);

	/* Some mask in a way that the kernel does not know of: it must not switch tasks then. */
	WRITE_ONCE(handled, 0);
	preempt_disable();
	masking->run(&quiet);

	pending.raise = true;
	masking->run(&pending);
	preempt_enable();
	if (READ_ONCE(handled) == 0)
		sample->flags |= IRQCOST_PENDING_LATE;
	ret = await_handler(&pending);
	if (ret)
		return ret;

	sample->interrupts = irqcost_interrupts_of(request->cpu) - interrupts;
	if (sample->interrupts > 1)
		sample->flags |= IRQCOST_PENDING_INTERRUPTED;
	if (current->nvcsw + current->nivcsw != switches)
		sample->flags |= IRQCOST_PENDING_PREEMPTED;
	sample->quiet_add = quiet.add;
	sample->quiet_nop = quiet.nop;
	sample->pending_add = pending.add;
	sample->pending_nop = pending.nop;
	sample->masked = pending.before - pending.start;
	sample->handler = handled - pending.before;
	sample->back = pending.after - pending.before;
	return 0;
}

/* As many loops of the work as fit into half of the stretch. */
static u32 fitting_loops(const struct masking *masking, const struct irqcost_pending *request)
{
	struct stretch trial = { .loops = 1 };
	u64 least = U64_MAX;
	u32 i;

	if (!request->loops)
		return 0;
	for (i = 0; i < TRIALS; i++) {
		preempt_disable();
		masking->run(&trial);
		preempt_enable();
		least = min(least, trial.add + trial.nop);
	}
	return min_t(u64, request->loops,
		     div64_u64(irqcost_ticks(request->hold_ns) / 2, max_t(u64, least, 1)));
}

static int measure(struct irqcost_pending *request, const struct masking *masking,
		   struct irqcost_pending_sample *samples)
{
	const u32 loops = fitting_loops(masking, request);
	u32 n;
	int ret;

#ifdef IRQ_WORK_INIT_HARD
	/* On PREEMPT_RT the others run in a thread. */
	raised = IRQ_WORK_INIT_HARD(handler);
#else
	init_irq_work(&raised, handler);
#endif
	for (n = 0; n < request->samples && !signal_pending(current); n++) {
		cond_resched();
		ret = take_sample(masking, request, loops, &samples[n]);
		if (ret) {
			irq_work_sync(&raised);
			return ret;
		}
	}
	irq_work_sync(&raised);
	if (!n)
		return -EINTR;
	request->samples = n;
	request->loops = loops;
	return 0;
}

static int check(struct irqcost_pending *request, const struct irqcost_row *row)
{
	if (request->flags || request->reserved)
		return -EINVAL;
	if (!row)
		return -ENOENT;
	if (!masking_of(row) || irqcost_row_unusable(row, IRQCOST_PROCESS) ||
	    !arch_irq_work_has_interrupt())
		return -EOPNOTSUPP;
	if (request->loops > IRQCOST_MAX_LOOPS)
		return -EDOM;
	if (request->hold_ns > IRQCOST_MAX_HOLD_NS)
		return -ERANGE;
	if (!request->samples || request->samples > IRQCOST_MAX_SAMPLES)
		return -ERANGE;
	if (request->buffer_bytes < request->samples * sizeof(struct irqcost_pending_sample))
		return -ENOSPC;
	return irqcost_bound_to(&request->cpu);
}

/**
 * irqcost_ioc_pending() - IRQCOST_IOC_PENDING
 * @arg: the caller's struct irqcost_pending
 *
 * Return: 0 or a negative errno as pending.h has it.
 */
int irqcost_ioc_pending(void __user *arg)
{
	struct irqcost_pending_sample *samples;
	struct irqcost_pending request;
	const struct irqcost_row *row;
	int ret;

	ret = irqcost_copy_in(&request, arg, sizeof(request));
	if (ret)
		return ret;
	row = irqcost_row_by_id(request.probe);
	ret = check(&request, row);
	if (ret)
		return ret;

	if (!mutex_trylock(&irqcost_run_lock))
		return -EBUSY;
	/* For this run alone, and the caller's control group pays for it. */
	samples = kvmalloc_array(request.samples, sizeof(*samples), GFP_KERNEL_ACCOUNT);
	ret = samples ? measure(&request, masking_of(row), samples) : -ENOMEM;
	mutex_unlock(&irqcost_run_lock);

	if (!ret && (copy_to_user(u64_to_user_ptr(request.buffer), samples,
				  request.samples * sizeof(*samples)) ||
		     copy_to_user(arg, &request, sizeof(request))))
		ret = -EFAULT;
	kvfree(samples);
	return ret;
}
