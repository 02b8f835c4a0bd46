// SPDX-License-Identifier: GPL-2.0-only
/*
 * arm64: what the module asks of the CPU.
 */
#include <linux/errno.h>
#include <asm/cpufeature.h>
#include <asm/hwcap.h>
#include "internal.h"

/**
 * irqcost_read_cycles() - the counters of the current CPU
 * @cycles: where to
 *
 * PMCCNTR_EL0 belongs to the kernel's perf, which has no interface to lend it.
 *
 * Return: -EOPNOTSUPP.
 */
int irqcost_read_cycles(struct irqcost_cycles *cycles)
{
	return -EOPNOTSUPP;
}

/**
 * irqcost_privilege() - the privilege of the kernel, as rings count it
 *
 * Return: 0: a kernel that runs without privilege is not known here.
 */
u32 irqcost_privilege(void)
{
	return 0;
}

/**
 * irqcost_clock_unusable() - why nothing can be timed
 *
 * Return: the reason, shorter than IRQCOST_NAME_LEN; NULL where all can.
 */
const char *irqcost_clock_unusable(void)
{
	return irqcost_clock_khz() ? NULL : "the firmware says no rate of the generic timer";
}

/**
 * irqcost_arch_unusable() - why a row cannot run on this CPU
 * @needs: enum irqcost_needs
 *
 * Return: the reason, shorter than IRQCOST_NAME_LEN; NULL where it can.
 */
const char *irqcost_arch_unusable(u32 needs)
{
	if (needs & IRQCOST_NEEDS_LSE && !cpu_have_named_feature(ATOMICS))
		return "the CPU has no atomic instructions of ARMv8.1";
	if (!(needs & IRQCOST_NEEDS_PMR))
		return NULL;
	if (!system_uses_irq_prio_masking())
		return "this kernel masks by DAIF, not by priority (pseudo-NMI)";
	/* Some kernels choose it at boot. */
	if (GIC_PRIO_IRQOFF != IRQCOST_PMR_OFF)
		return "this machine masks by another priority";
	return NULL;
}

/* The generic timer runs by itself. */
void irqcost_clock_start(void)
{
}

void irqcost_clock_stop(void)
{
}
