// SPDX-License-Identifier: GPL-2.0-only
/*
 * The windows of the rows that call the kernel's API, compiled as any other
 * code of this kernel: what its headers inline, what they call, and what it
 * patches at boot.
 */
#include <linux/bottom_half.h>
#include <linux/irqflags.h>
#include <linux/objtool.h>
#include <linux/preempt.h>
#include <linux/spinlock.h>
#include "internal.h"

/*
 * The time stamp of body.h. There it is written for assembler, here it stands
 * between operands, where each '%' would be one: hence by way of a macro.
 */
asm(".macro irqcost_stamp\n\t" IRQCOST_STAMP ".endm\n");

static __always_inline u64 stamp(void)
{
	u64 ticks;

	asm volatile("irqcost_stamp\n\tlfence" : "=a" (ticks) : : "rdx", "cc", "memory");
	return ticks;
}

/* The arguments are variadic, as what the API expands to may have commas. */
#define REPEAT_1(...) __VA_ARGS__;
#define REPEAT_4(...) REPEAT_1(__VA_ARGS__) REPEAT_1(__VA_ARGS__) REPEAT_1(__VA_ARGS__) REPEAT_1(__VA_ARGS__)
#define REPEAT_8(...) REPEAT_4(__VA_ARGS__) REPEAT_4(__VA_ARGS__)
#define REPEAT_16(...) REPEAT_8(__VA_ARGS__) REPEAT_8(__VA_ARGS__)
#define REPEAT_32(...) REPEAT_16(__VA_ARGS__) REPEAT_16(__VA_ARGS__)
#define REPEAT_64(...) REPEAT_32(__VA_ARGS__) REPEAT_32(__VA_ARGS__)

/* As in body.h, function and loop start on a cache line, for both windows of a pair. */
#define WINDOW_HEAD(name)							\
	notrace noinline __aligned(64)						\
	unsigned long long name(unsigned int loops, void *scratch)

#define LOOP_WINDOW(name, n, ...)						\
	static WINDOW_HEAD(name)						\
	{									\
		struct irqcost_objects *o __maybe_unused = scratch;		\
		unsigned long flags __maybe_unused;				\
		u64 start = stamp();						\
										\
		asm volatile(".balign 64");					\
		do {								\
			REPEAT_##n(__VA_ARGS__)					\
		} while (--loops);						\
		return stamp() - start;						\
	}

#define SINGLE_WINDOW(name, ...)						\
	static WINDOW_HEAD(name)							\
	{									\
		struct irqcost_objects *o __maybe_unused = scratch;		\
		unsigned long flags __maybe_unused;				\
		u64 start = stamp();						\
										\
		__VA_ARGS__;							\
		return stamp() - start;						\
	}

SINGLE_WINDOW(irqcost_call_empty_1)
const irqcost_window_fn irqcost_windows_call_empty[] = { irqcost_call_empty_1 };

/*
 * objtool keeps a stack of 31 for the flags that a function has read and not
 * yet written back, and a restore by test and sti writes none back: the greater
 * windows are more than it can follow.
 */
#define IRQCOST_INSN(id, key, group, where, irqs, code, api, summary)
#define IRQCOST_CALL(id, key, group, where, irqs, code, api, summary)		\
	SINGLE_WINDOW(irqcost_##key##_1, code)				\
	LOOP_WINDOW(irqcost_##key##_4, 4, code)					\
	LOOP_WINDOW(irqcost_##key##_8, 8, code)					\
	LOOP_WINDOW(irqcost_##key##_16, 16, code)				\
	LOOP_WINDOW(irqcost_##key##_32, 32, code)				\
	LOOP_WINDOW(irqcost_##key##_64, 64, code)				\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_32);				\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_64);				\
	const irqcost_window_fn irqcost_windows_##key[IRQCOST_NR_WINDOWS] = {	\
		irqcost_##key##_1, irqcost_##key##_4, irqcost_##key##_8,	\
		irqcost_##key##_16, irqcost_##key##_32, irqcost_##key##_64,	\
	};
#include <irqcost/probes.def>
