// SPDX-License-Identifier: GPL-2.0-only
/*
 * The windows of the assembler rows, the same bytes as in ring 3 (body.h).
 */
#include <linux/objtool.h>
#include "internal.h"

/* A body may leave words on the stack, which objtool cannot follow: body.h puts rsp back. */
#define IRQCOST_INSN(id, key, group, where, irqs, code, api, summary)		\
	IRQCOST_INSN_WINDOWS(key, code)						\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_1);				\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_4);				\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_8);				\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_16);				\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_32);				\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_64);				\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_128);				\
	const irqcost_window_fn irqcost_windows_##key[] = IRQCOST_WINDOW_TABLE(key);
#define IRQCOST_CALL(id, key, group, where, irqs, code, api, summary)
#include <irqcost/probes.def>
