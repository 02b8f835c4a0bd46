/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that the module builds for, from 5.10 on. What
 * can be seen in their headers, Kbuild has looked for there: IRQCOST_HAS_.
 */
#ifndef IRQCOST_COMPAT_H
#define IRQCOST_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/srcu.h>

/**
 * irqcost_init_timer() - get a timer ready
 * @timer: which
 * @function: called when it expires
 * @mode: as for its start
 */
static inline void irqcost_init_timer(struct hrtimer *timer,
				      enum hrtimer_restart (*function)(struct hrtimer *timer),
				      enum hrtimer_mode mode)
{
#ifdef IRQCOST_HAS_HRTIMER_SETUP
	hrtimer_setup(timer, function, CLOCK_MONOTONIC, mode);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, mode);
	timer->function = function;
#endif
}

#ifdef IRQCOST_HAS_SRCU_FAST
/**
 * irqcost_init_srcu_fast() - make a structure for readers of srcu_read_lock_fast()
 * @srcu: which
 *
 * In the first releases that have such readers every structure may have them.
 *
 * Return: 0 or -ENOMEM.
 */
static inline int irqcost_init_srcu_fast(struct srcu_struct *srcu)
{
#ifdef IRQCOST_HAS_SRCU_FAST_INIT
	return init_srcu_struct_fast(srcu);
#else
	return init_srcu_struct(srcu);
#endif
}
#endif

/**
 * irqcost_exit_thread() - end a thread that has a reference to the module, and give that back
 */
static inline void __noreturn irqcost_exit_thread(void)
{
#ifdef module_put_and_kthread_exit
	module_put_and_kthread_exit(0);
#else
	module_put_and_exit(0);
#endif
}

#endif /* IRQCOST_COMPAT_H */
