// SPDX-License-Identifier: GPL-2.0-only
/*
 * What contention.c and pending.c have in common: windows of the catalogue run
 * by themselves, and the clock that they make.
 */
#include <linux/irqflags.h>
#include <linux/math64.h>
#include <linux/time64.h>
#include "internal.h"

/* Loops of the clock: 6,400 multiplies, which take 20 us even at 1 GHz. */
#define CHAIN_LOOPS (IRQCOST_CONTENTION_CHAIN / IRQCOST_CHAIN_UNROLL)

/**
 * irqcost_masked_window() - a loop window with interrupts off
 * @window: which
 * @loops: how often its copies run
 *
 * Return: the ticks that it took.
 */
u64 __nocfi irqcost_masked_window(irqcost_window_fn window, u32 loops)
{
	unsigned long flags;
	u64 ticks;

	local_irq_save(flags);
	ticks = window(loops, irqcost_objects.scratch);
	local_irq_restore(flags);
	return ticks;
}

static u64 chain_window(u32 size)
{
	return irqcost_masked_window(irqcost_windows_dep_imul[irqcost_window_index(size)],
				     CHAIN_LOOPS);
}

/**
 * irqcost_chain_ticks() - the clock that converts ticks to core cycles
 *
 * Return: what IRQCOST_CONTENTION_CHAIN dependent multiplies take, as the difference
 * of two windows; 0 where something disturbed the smaller one.
 */
u64 irqcost_chain_ticks(void)
{
	u64 base = chain_window(IRQCOST_CHAIN_UNROLL);
	u64 body = chain_window(2 * IRQCOST_CHAIN_UNROLL);

	return body > base ? body - base : 0;
}

/**
 * irqcost_ticks() - a duration in ticks of the clock
 * @ns: the duration, below 10 s
 */
u64 irqcost_ticks(u64 ns)
{
	return div_u64(ns * irqcost_clock_khz(), USEC_PER_SEC);
}
