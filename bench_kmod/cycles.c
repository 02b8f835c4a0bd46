// SPDX-License-Identifier: GPL-2.0-only
/*
 * Core cycles by the CPU's own counters, APERF and MPERF: read around a sample
 * and never in a timed window, to be compared with the chain of multiplies.
 */
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/timex.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include "internal.h"

/* A hypervisor may hand down the CPUID bit and not the MSR, so that reading it faults. */
static int read_counter(u32 msr, u64 *value)
{
	u32 low, high;

	if (rdmsr_safe(msr, &low, &high))
		return -EIO;
	*value = (u64)high << 32 | low;
	return 0;
}

/**
 * irqcost_read_cycles() - the counters of the current CPU
 * @cycles: where to
 *
 * Interrupts are masked meanwhile, so that the three are of one moment; always
 * in the same order, so that each includes the same cost of reading.
 *
 * Return: 0, -EOPNOTSUPP where CPUID has no such counters, -EIO where reading faults.
 */
int irqcost_read_cycles(struct irqcost_cycles *cycles)
{
	unsigned long flags;
	int ret;

	if (!boot_cpu_has(X86_FEATURE_APERFMPERF))
		return -EOPNOTSUPP;
	local_irq_save(flags);
	cycles->ticks = get_cycles();
	ret = read_counter(MSR_IA32_APERF, &cycles->aperf);
	if (!ret)
		ret = read_counter(MSR_IA32_MPERF, &cycles->mperf);
	local_irq_restore(flags);
	return ret;
}
