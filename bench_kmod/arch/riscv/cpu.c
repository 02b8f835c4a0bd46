// SPDX-License-Identifier: GPL-2.0-only
/*
 * RISC-V: what the module asks of the CPU.
 *
 * The counter of cycles stands still until the firmware starts it (SBI specification, "Performance
 * Monitoring Unit Extension"); the kernel's own driver stops all of them when a CPU comes online.
 */
#include <linux/bits.h>
#include <linux/cpuhotplug.h>
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <asm/sbi.h>
#include "internal.h"

/* So long the counter is compared with the kernel's clock. */
#define CALIBRATION_NS 1000000

static u32 clock_khz;
static int online_state;

/**
 * irqcost_clock_khz() - the rate of the counter of cycles when the module was loaded
 *
 * Return: kHz, 0 where it stands still.
 */
u32 irqcost_clock_khz(void)
{
	return clock_khz;
}

/* Start the counter that the CSR `cycle` shows, on this CPU. */
static int start_counter(unsigned int cpu)
{
	sbi_ecall(SBI_EXT_PMU, SBI_EXT_PMU_COUNTER_CFG_MATCH, 0, BIT(0),
		  SBI_PMU_CFG_FLAG_AUTO_START, SBI_PMU_HW_CPU_CYCLES, 0, 0);
	return 0;
}

static int stop_counter(unsigned int cpu)
{
	sbi_ecall(SBI_EXT_PMU, SBI_EXT_PMU_COUNTER_STOP, 0, BIT(0), SBI_PMU_STOP_FLAG_RESET,
		  0, 0, 0);
	return 0;
}

static u32 calibrated(void)
{
	unsigned long flags;
	u64 cycles, from, ns;

	local_irq_save(flags);
	from = ktime_get_mono_fast_ns();
	cycles = irqcost_now();
	do {
		ns = ktime_get_mono_fast_ns() - from;
	} while (ns < CALIBRATION_NS);
	cycles = irqcost_now() - cycles;
	local_irq_restore(flags);
	return div64_u64(cycles * 1000000, ns);
}

/**
 * irqcost_clock_start() - start the counter on each CPU, and find its rate
 */
void irqcost_clock_start(void)
{
	if (sbi_probe_extension(SBI_EXT_PMU) <= 0)
		return;
	online_state = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "irqcost:clock", start_counter,
					 stop_counter);
	if (online_state > 0)
		clock_khz = calibrated();
}

/**
 * irqcost_clock_stop() - stop the counter on each CPU
 */
void irqcost_clock_stop(void)
{
	if (online_state > 0)
		cpuhp_remove_state(online_state);
}

/**
 * irqcost_read_cycles() - the counters of the current CPU
 * @cycles: where to
 *
 * Return: -EOPNOTSUPP: the clock itself counts cycles.
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
	return clock_khz ? NULL : "the firmware starts no counter of cycles";
}

/**
 * irqcost_arch_unusable() - why a row cannot run on this CPU
 * @needs: enum irqcost_needs
 *
 * Return: NULL: all can.
 */
const char *irqcost_arch_unusable(u32 needs)
{
	return NULL;
}
