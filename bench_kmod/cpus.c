// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the commands ask of CPUs.
 */
#include <linux/cpumask.h>
#include <linux/hardirq.h>
#include <linux/kernel_stat.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include "compat.h"
#include "internal.h"

/**
 * irqcost_interrupts_of() - all that a CPU took since boot
 * @cpu: its number
 *
 * Return: interrupts of devices and of the local APIC, and NMIs.
 */
u32 irqcost_interrupts_of(u32 cpu)
{
	return kstat_cpu_irqs_sum(cpu) + irqcost_arch_interrupts(cpu);
}

/**
 * irqcost_cpu_online() - check the number of a CPU
 * @cpu: as the caller gave it; from then on an index also where the CPU speculates
 *
 * Return: whether it is online.
 */
bool irqcost_cpu_online(u32 *cpu)
{
	if (*cpu >= nr_cpu_ids)
		return false;
	*cpu = array_index_nospec(*cpu, nr_cpu_ids);
	return cpu_online(*cpu);
}

/**
 * irqcost_bound_to() - check that the caller stays on the CPU that it names
 * @cpu: its number, as for irqcost_cpu_online()
 *
 * Return: 0; -ENODEV where the CPU is not online; -EXDEV where the caller may run elsewhere.
 */
int irqcost_bound_to(u32 *cpu)
{
	if (!irqcost_cpu_online(cpu))
		return -ENODEV;
	return cpumask_equal(current->cpus_ptr, cpumask_of(*cpu)) ? 0 : -EXDEV;
}
