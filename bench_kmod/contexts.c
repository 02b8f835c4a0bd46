// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contexts from which a sample may be taken, other than the caller's own:
 * abi.h, enum irqcost_context, says what each is.
 */
#include <linux/bottom_half.h>
#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/ktime.h>
#include "compat.h"
#include "internal.h"

/* From the start of the timer to its expiry: long enough to be programmed, not missed. */
#define TIMER_DELAY_NS 2000

/*
 * The caller polls so often whether the call is over before it sleeps: an idle
 * CPU would slow its clock down and let its caches cool. Milliseconds: no
 * context is that late unless the kernel has handed it to a thread.
 */
#define POLLS 65536

static void from_softirq(struct tasklet_struct *tasklet);
static void from_hardirq(struct irq_work *work);
static enum hrtimer_restart from_timer_expiry(struct hrtimer *expired);

/**
 * struct call - a function to be called from a context
 * @function: what is to be called
 * @argument: with what
 * @done: completed after it
 */
struct call {
	void (*function)(void *argument);
	void *argument;
	struct completion done;
};

/* There is one at a time, as there is one run. */
static struct call call;
static struct tasklet_struct tasklet;
static struct hrtimer timer;

/*
 * PREEMPT_RT moves handlers to threads unless they say that they are hard. All
 * others run them in the interrupt anyway, and may check of those that say so
 * that they keep to what PREEMPT_RT allows.
 */
#ifdef CONFIG_PREEMPT_RT
#define TIMER_MODE HRTIMER_MODE_REL_PINNED_HARD
static struct irq_work work = IRQ_WORK_INIT_HARD(from_hardirq);
#else
#define TIMER_MODE HRTIMER_MODE_REL_PINNED
static DEFINE_IRQ_WORK(work, from_hardirq);
#endif

static void make_call(void)
{
	call.function(call.argument);
	complete(&call.done);
}

static void from_softirq(struct tasklet_struct *unused)
{
	make_call();
}

static void from_hardirq(struct irq_work *unused)
{
	make_call();
}

static enum hrtimer_restart from_timer_expiry(struct hrtimer *unused)
{
	make_call();
	return HRTIMER_NORESTART;
}

/**
 * irqcost_context_masks() - whether a context has interrupts off
 * @context: enum irqcost_context
 *
 * Return: true for those of hard interrupts.
 */
bool irqcost_context_masks(u32 context)
{
	return context == IRQCOST_HARDIRQ || context == IRQCOST_TIMER;
}

/**
 * irqcost_call_in() - call a function from a context, on this CPU, and wait for its end
 * @context: enum irqcost_context, but IRQCOST_PROCESS
 * @function: what to call
 * @argument: with what
 *
 * The caller is bound to its CPU. Where that goes offline meanwhile, the kernel
 * makes the call on another one.
 */
void irqcost_call_in(u32 context, void (*function)(void *argument), void *argument)
{
	u32 polls;

	call.function = function;
	call.argument = argument;
	reinit_completion(&call.done);
	switch (context) {
	case IRQCOST_SOFTIRQ:
		/* It runs at the end of the section, not in the thread of softirqs. */
		local_bh_disable();
		tasklet_schedule(&tasklet);
		local_bh_enable();
		break;
	case IRQCOST_HARDIRQ:
		irq_work_queue(&work);
		break;
	case IRQCOST_TIMER:
		hrtimer_start(&timer, ns_to_ktime(TIMER_DELAY_NS), TIMER_MODE);
		break;
	}
	for (polls = 0; polls < POLLS && !completion_done(&call.done); polls++)
		cpu_relax();
	wait_for_completion(&call.done);
}

/**
 * irqcost_contexts_init() - get the contexts ready
 */
void irqcost_contexts_init(void)
{
	init_completion(&call.done);
	tasklet_setup(&tasklet, from_softirq);
	irqcost_init_timer(&timer, from_timer_expiry, TIMER_MODE);
}

/**
 * irqcost_contexts_exit() - wait until no context is in the module's code any more
 *
 * No call is under way, but the last one may be on its way back to the kernel.
 */
void irqcost_contexts_exit(void)
{
	tasklet_kill(&tasklet);
	irq_work_sync(&work);
	hrtimer_cancel(&timer);
}
