// SPDX-License-Identifier: GPL-2.0-only
/*
 * The windows of the assembler rows, the same bytes as in ring 3 (body.h).
 */
#include <linux/objtool.h>
#include "internal.h"

/* A body may leave words on the stack, which objtool cannot follow: the window puts sp back. */
#define IN_SITU_WINDOWS(key, code)						\
	IRQCOST_IN_SITU_WINDOWS(key, code)					\
	IRQCOST_SECTIONS(IN_SITU_NON_STANDARD, key)				\
	IRQCOST_SECTION_WINDOW(irqcost_##key##_percpu, 1,			\
			       IRQCOST_INSN_PERCPU_UPDATE, code);	\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_percpu);			\
	const irqcost_window_fn irqcost_in_situ_##key[] = IN_SITU_TABLE(key);
#define IN_SITU_NON_STANDARD(cycles, key)					\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_in_situ_##cycles);

#define IRQCOST_INSN(id, key, group, where, irqs, needs, code, ...)		\
	IRQCOST_INSN_WINDOWS(key, code)						\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_1);				\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_4);				\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_8);				\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_16);				\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_32);				\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_64);				\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_128);				\
	const irqcost_window_fn irqcost_windows_##key[] = IRQCOST_WINDOW_TABLE(key); \
	IN_SITU_WINDOWS(key, code)
#define IRQCOST_CALL(...)
#include <irqcost/probes.def>

IN_SITU_WINDOWS(section, IRQCOST_SECTION_ALONE)
