/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that the module builds for, from 5.10 on. What
 * can be seen in their headers, Kbuild has looked for there: IRQCOST_HAS_.
 */
#ifndef IRQCOST_COMPAT_H
#define IRQCOST_COMPAT_H

#include <linux/hardirq.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/srcu.h>

/**
 * irqcost_arch_interrupts() - interrupts that have no line of their own
 * @cpu: the CPU that took them, since boot
 *
 * The local APIC's own and NMIs. Only differences of it mean anything: it wraps.
 *
 * Return: their number.
 */
static inline u32 irqcost_arch_interrupts(u32 cpu)
{
	const irq_cpustat_t *stat = &per_cpu(irq_stat, cpu);
#ifdef IRQCOST_HAS_IRQ_COUNTS
	u32 i, sum = 0;

	for (i = 0; i < IRQ_COUNT_MAX; i++)
		sum += stat->counts[i];
	/* Shootdowns are counted as calls as well. */
	sum -= stat->counts[IRQ_COUNT_TLB];
#ifdef CONFIG_X86_LOCAL_APIC
	sum -= stat->counts[IRQ_COUNT_ICR_READ_RETRY];
#endif
#ifdef CONFIG_X86_MCE
	sum -= stat->counts[IRQ_COUNT_MCE_POLL];
#endif
#else
	u32 sum = stat->__nmi_count + stat->x86_platform_ipis +
		  stat->apic_perf_irqs + stat->apic_irq_work_irqs;

#ifdef CONFIG_X86_LOCAL_APIC
	sum += stat->apic_timer_irqs + stat->irq_spurious_count;
#endif
#ifdef CONFIG_SMP
	sum += stat->irq_resched_count + stat->irq_call_count;
#endif
#ifdef CONFIG_X86_THERMAL_VECTOR
	sum += stat->irq_thermal_count;
#endif
#ifdef CONFIG_X86_MCE_THRESHOLD
	sum += stat->irq_threshold_count;
#endif
#ifdef CONFIG_X86_MCE_AMD
	sum += stat->irq_deferred_error_count;
#endif
#ifdef CONFIG_X86_HV_CALLBACK_VECTOR
	sum += stat->irq_hv_callback_count;
#endif
#if IS_ENABLED(CONFIG_HYPERV)
	sum += stat->irq_hv_reenlightenment_count + stat->hyperv_stimer0_count;
#endif
#ifdef CONFIG_X86_POSTED_MSI
	sum += stat->posted_msi_notification_count;
#endif
#endif
	return sum;
}

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
