// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of rows, and what this CPU and this kernel make of them.
 */
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/string.h>
#include "internal.h"

#define IRQCOST_INSN(id, key, group, where, irqs, needs, code, ...)		\
	{ id, #key, true, IRQCOST_##where, IRQCOST_##irqs, IRQCOST_NEEDS_##needs, \
	  IRQCOST_MAX_UNROLL, code, irqcost_windows_##key, irqcost_in_situ_##key, \
	  irqcost_windows_empty, irqcost_in_situ_section },
#define IRQCOST_CALL(id, key, group, where, irqs, needs, code, ...)		\
	{ id, #key, false, IRQCOST_##where, IRQCOST_##irqs, IRQCOST_NEEDS_##needs, \
	  IRQCOST_CALL_MAX_UNROLL, #code, irqcost_windows_##key, irqcost_in_situ_##key, \
	  irqcost_windows_call_empty, irqcost_in_situ_call_section },
static const struct irqcost_row rows[] = {
#include <irqcost/probes.def>
};

const u32 irqcost_nr_rows = ARRAY_SIZE(rows);

/**
 * irqcost_row_at() - the row at a place in the table
 * @index: 0 to irqcost_nr_rows - 1
 *
 * Return: the row, NULL where there is none.
 */
const struct irqcost_row *irqcost_row_at(u32 index)
{
	if (index >= irqcost_nr_rows)
		return NULL;
	return &rows[array_index_nospec(index, irqcost_nr_rows)];
}

/**
 * irqcost_row_by_id() - the row of an id
 * @id: as in the catalogue
 *
 * Return: the row, NULL where there is none.
 */
const struct irqcost_row *irqcost_row_by_id(u32 id)
{
	u32 i;

	for (i = 0; i < irqcost_nr_rows; i++)
		if (rows[i].id == id)
			return &rows[i];
	return NULL;
}

/**
 * irqcost_row_modes() - the modes that the row has
 * @row: the row
 * @context: enum irqcost_context
 *
 * Return: a bit for each enum irqcost_mode.
 */
u32 irqcost_row_modes(const struct irqcost_row *row, u32 context)
{
	u32 modes = 1 << IRQCOST_ISOLATED;

	if (context != IRQCOST_PROCESS)
		return IRQCOST_REPEATABLE(row->irqs) ? 1 << IRQCOST_THROUGHPUT : 0;

	if (IRQCOST_REPEATABLE(row->irqs))
		modes |= 1 << IRQCOST_THROUGHPUT;
	if (IRQCOST_REPEATABLE(row->irqs) && strstr(row->code, IRQCOST_SECTION_MARKER))
		modes |= 1 << IRQCOST_IN_SITU | 1 << IRQCOST_IN_SITU_PERCPU;
	return modes;
}

/**
 * irqcost_row_unusable() - why the row cannot run on this CPU and kernel in a context
 * @row: the row
 * @context: enum irqcost_context
 *
 * Return: the reason, shorter than IRQCOST_NAME_LEN; NULL where it can run.
 */
const char *irqcost_row_unusable(const struct irqcost_row *row, u32 context)
{
	const bool masked = irqcost_context_masks(context);
	const char *reason;

	reason = irqcost_clock_unusable();
	if (reason)
		return reason;
	if (!(row->where & IRQCOST_RING0))
		return "not a row for ring 0";
	if (!row->windows[0])
		return "this kernel does not offer it";
	reason = irqcost_arch_unusable(row->needs);
	if (reason)
		return reason;
	if (row->assembler && !(row->where & IRQCOST_RING3) && irqcost_privilege())
		return "the kernel runs in ring 3, where this instruction traps";
	if (row->needs & IRQCOST_NEEDS_IRQ && !irqcost_objects.irq)
		return "the kernel had no interrupt number to give";
	if (row->where & IRQCOST_TASK && context != IRQCOST_PROCESS)
		return "belongs to a task: in process context only";
	if (row->where & IRQCOST_UNMASKS && masked)
		return "unmasks: a handler must leave interrupts off";
	if (row->where & IRQCOST_SOFTIRQS && masked)
		return "may run softirqs: not in an interrupt handler";
	if (IS_ENABLED(CONFIG_PREEMPT_RT) && row->where & IRQCOST_RT_SLEEPS &&
	    (row->irqs != IRQCOST_IF_11 || masked))
		return "may sleep on PREEMPT_RT: not with interrupts masked";
	return NULL;
}
