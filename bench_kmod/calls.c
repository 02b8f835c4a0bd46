// SPDX-License-Identifier: GPL-2.0-only
/*
 * The windows of the rows that call the kernel's API, compiled as any other
 * code of this kernel: what its headers inline, what they call, and what it
 * patches at boot.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/bottom_half.h>
#include <linux/interrupt.h>
#include <linux/irqflags.h>
#include <linux/kconfig.h>
#include <linux/mutex.h>
#include <linux/objtool.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <asm/local.h>
#include <asm/processor.h>
#include "internal.h"

/*
 * The time stamp of body.h. There it is written for assembler, here it stands
 * between operands, where each '%' would be one: hence by way of a macro.
 */
asm(".macro irqcost_stamp\n\t" IRQCOST_STAMP ".endm\n");

/*
 * Each body is compiled as if it stood alone. What two jumps might reach begins
 * anew for the compiler, and Kbuild turns off the passes that look further and
 * would work out once for all copies what each of them needs. (No jump is made:
 * both are empty.) Kbuild also lifts the limits of what a function may grow to,
 * beyond which gcc would no longer inline in later copies what it inlines in the
 * first ones.
 */
#define ALONE()									\
	do {									\
		__label__ next;							\
										\
		asm goto("" : : : : next);					\
		asm goto("" : : : : next);					\
next:;										\
	} while (0)

/*
 * The two windows of a pair may differ by their bodies alone. So IRQCOST_C_BEGIN()
 * has the padding to a cache line before the time stamp, and what lives on (@start,
 * @loops) is held in registers that calls preserve, by clobbering all others.
 *
 * The arguments of what follows are variadic, as what the API expands to may have commas.
 */
#define REPEAT_1(...) __VA_ARGS__; ALONE();
#define REPEAT_2(...) REPEAT_1(__VA_ARGS__) REPEAT_1(__VA_ARGS__)
#define REPEAT_4(...) REPEAT_2(__VA_ARGS__) REPEAT_2(__VA_ARGS__)
#define REPEAT_8(...) REPEAT_4(__VA_ARGS__) REPEAT_4(__VA_ARGS__)
#define REPEAT_16(...) REPEAT_8(__VA_ARGS__) REPEAT_8(__VA_ARGS__)
#define REPEAT_32(...) REPEAT_16(__VA_ARGS__) REPEAT_16(__VA_ARGS__)
#define REPEAT_64(...) REPEAT_32(__VA_ARGS__) REPEAT_32(__VA_ARGS__)

/*
 * The objects have a fixed address, as a lock of the kernel's own mostly has:
 * to name it is one instruction, wherever in a window.
 */
#define WINDOW(name, ...)							\
	static notrace noinline							\
	unsigned long long name(unsigned int loops, void *scratch)		\
	{									\
		struct irqcost_objects *const o __maybe_unused = &irqcost_objects; \
		unsigned long flags __maybe_unused, inner __maybe_unused;	\
		unsigned long innermost __maybe_unused;				\
		void *object __maybe_unused;					\
		u64 start, end;							\
										\
		IRQCOST_C_BEGIN(start, loops);						\
		__VA_ARGS__							\
		IRQCOST_C_END(end);							\
		return end - start;						\
	}

#define SINGLE_WINDOW(name, ...) WINDOW(name, REPEAT_1(__VA_ARGS__))

/* Said to be unlikely, a further pass leaves this one in order: else some begin in their middle. */
#define LOOP_WINDOW(name, n, ...)						\
	WINDOW(name, do {							\
		REPEAT_##n(__VA_ARGS__)						\
		IRQCOST_C_KEEP(loops);						\
	} while (unlikely(IRQCOST_C_NEXT(loops)));)

/*
 * The section of body.h, of as many cycles as the constant around it says. Its
 * register is one that calls preserve, and named: a variable the compiler would
 * move back and forth, and sometimes out of the way of what the API needs.
 */
#define SECTION() IRQCOST_C_SECTION(section_cycles)

#define IN_SITU_WINDOW(cycles, key, ...)					\
	LOOP_WINDOW(irqcost_##key##_in_situ_##cycles, 1, do {			\
		enum { section_cycles = cycles };				\
										\
		__VA_ARGS__;							\
	} while (0))
#define IN_SITU_WINDOWS(key, ...)						\
	IRQCOST_SECTIONS(IN_SITU_WINDOW, key, __VA_ARGS__)			\
	const irqcost_window_fn irqcost_in_situ_##key[] = IN_SITU_TABLE(key);

/* The update of data of this CPU, in the same register: by way of a macro, as the stamp is. */
asm(IRQCOST_C_PERCPU_UPDATE);
#define UPDATE() asm volatile("irqcost_update" : : : IRQCOST_C_PERCPU_CLOBBERS)

IRQCOST_C_HELPERS

/* What rows need that is no matter of the kernel's headers. */
#define IRQCOST_HAS_NOTHING 1
#define IRQCOST_HAS_IRQ 1

/*
 * Expands @present for a row of which this kernel's headers offer what it needs, else @absent, each
 * with the rest.
 */
#define IF_OFFERED(needs, present, absent, ...)					\
	CONCATENATE(CHOOSE_, __is_defined(IRQCOST_HAS_##needs))(present, absent)(__VA_ARGS__)
#define CHOOSE_1(present, absent) present
#define CHOOSE_0(present, absent) absent
#define NO_WINDOW(...)

SINGLE_WINDOW(irqcost_call_empty_1)
const irqcost_window_fn irqcost_windows_call_empty[] = { irqcost_call_empty_1 };

/* First the windows in which the marker is nothing. */
#define irqcost_section()

/*
 * objtool keeps a stack of 31 for the flags that a function has read and not
 * yet written back, and a restore by test and sti writes none back: the greater
 * windows are more than it can follow. A copy may save the flags three times.
 */
#define IRQCOST_INSN(...)
#define IRQCOST_CALL(id, key, group, where, irqs, needs, code, ...)		\
	IF_OFFERED(needs, WINDOWS, NO_WINDOWS, key, code)
#define NO_WINDOWS(key, ...)							\
	const irqcost_window_fn irqcost_windows_##key[IRQCOST_NR_WINDOWS];	\
	const irqcost_window_fn irqcost_in_situ_##key[NR_SECTIONS];
#define WINDOWS(key, ...)							\
	SINGLE_WINDOW(irqcost_##key##_1, __VA_ARGS__)				\
	LOOP_WINDOW(irqcost_##key##_4, 4, __VA_ARGS__)					\
	LOOP_WINDOW(irqcost_##key##_8, 8, __VA_ARGS__)					\
	LOOP_WINDOW(irqcost_##key##_16, 16, __VA_ARGS__)				\
	LOOP_WINDOW(irqcost_##key##_32, 32, __VA_ARGS__)				\
	LOOP_WINDOW(irqcost_##key##_64, 64, __VA_ARGS__)				\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_16);				\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_32);				\
	STACK_FRAME_NON_STANDARD(irqcost_##key##_64);				\
	const irqcost_window_fn irqcost_windows_##key[IRQCOST_NR_WINDOWS] = {	\
		irqcost_##key##_1, irqcost_##key##_4, irqcost_##key##_8,	\
		irqcost_##key##_16, irqcost_##key##_32, irqcost_##key##_64,	\
	};
#include <irqcost/probes.def>

#undef irqcost_section
#define irqcost_section() UPDATE()

#define IRQCOST_INSN(...)
#define IRQCOST_CALL(id, key, group, where, irqs, needs, code, ...)		\
	IF_OFFERED(needs, PERCPU_WINDOW, NO_WINDOW, key, code)
#define PERCPU_WINDOW(key, ...) LOOP_WINDOW(irqcost_##key##_percpu, 1, __VA_ARGS__)
#include <irqcost/probes.def>

LOOP_WINDOW(irqcost_call_section_percpu, 1, irqcost_section())

#undef irqcost_section
#define irqcost_section() SECTION()

#define IRQCOST_INSN(...)
#define IRQCOST_CALL(id, key, group, where, irqs, needs, code, ...)		\
	IF_OFFERED(needs, IN_SITU_WINDOWS, NO_WINDOW, key, code)
#include <irqcost/probes.def>

IN_SITU_WINDOWS(call_section, irqcost_section())
