// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86-64: what the module asks of the CPU.
 *
 * Core cycles by the CPU's own counters, APERF and MPERF: read around a sample
 * and never in a timed window, to be compared with the chain of multiplies.
 */
#include <linux/errno.h>
#include <linux/irqflags.h>
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
	cycles->ticks = irqcost_now();
	ret = read_counter(MSR_IA32_APERF, &cycles->aperf);
	if (!ret)
		ret = read_counter(MSR_IA32_MPERF, &cycles->mperf);
	local_irq_restore(flags);
	return ret;
}

/**
 * irqcost_privilege() - the ring in which the kernel runs
 *
 * Return: 0 to 3; a test of what depends on it defines IRQCOST_PRIVILEGE as another one.
 */
u32 irqcost_privilege(void)
{
#ifdef IRQCOST_PRIVILEGE
	return IRQCOST_PRIVILEGE;
#else
	u32 cs;

	asm("mov %%cs, %0" : "=r" (cs));
	return cs & 3;
#endif
}

/**
 * irqcost_clock_unusable() - why nothing can be timed
 *
 * Return: the reason, shorter than IRQCOST_NAME_LEN; NULL where all can.
 */
const char *irqcost_clock_unusable(void)
{
	if (!boot_cpu_has(X86_FEATURE_TSC) || !tsc_khz)
		return "the kernel knows no rate of the time stamp counter";
	return NULL;
}

/**
 * irqcost_arch_unusable() - why a row cannot run on this CPU
 * @needs: enum irqcost_needs
 *
 * Return: the reason, shorter than IRQCOST_NAME_LEN; NULL where it can.
 */
const char *irqcost_arch_unusable(u32 needs)
{
	if (needs & IRQCOST_NEEDS_CX16 && !boot_cpu_has(X86_FEATURE_CX16))
		return "the CPU has no cmpxchg16b";
	if (needs & IRQCOST_NEEDS_RDTSCP && !boot_cpu_has(X86_FEATURE_RDTSCP))
		return "the CPU has no rdtscp";
	if (needs & IRQCOST_NEEDS_LAHF && !boot_cpu_has(X86_FEATURE_LAHF_LM))
		return "the CPU has no lahf and sahf in 64-bit mode";
	return NULL;
}

/* The TSC runs by itself. */
void irqcost_clock_start(void)
{
}

void irqcost_clock_stop(void)
{
}
