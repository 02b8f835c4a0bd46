/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The timed window: the only code between two time stamps, the same bytes in
 * ring 3, in the module and in a guest. docs/method/timed.md argues for every line.
 *
 * A window function returns the ticks of the clock that passed inside it. Its entry and
 * return, and whatever a kernel puts there, lie outside the two time stamps.
 *
 * - A *loop* window of size n runs, @loops times, n copies of the body. Those
 *   of sizes u and 2u differ by loops * u bodies and by nothing else.
 * - A *single* window runs the body once between fences, without a loop. It
 *   and the single window of the row `empty` differ by one body.
 * - An *in situ* window runs, @loops times, one copy of the body around a
 *   section of work. It and the window of the same section alone differ by
 *   @loops bodies.
 *
 * Nothing else is ever subtracted: no constant of overhead is assumed.
 *
 * The windows are written at file scope, so that the compiler has no part in
 * them: no register is chosen, nothing is spilled, and a '%' needs no escape.
 */
#ifndef IRQCOST_BODY_H
#define IRQCOST_BODY_H

/* How many bytes of memory a body may use; window.h of the architecture says where. */
#define IRQCOST_SCRATCH_BYTES 16

/*
 * Where the windows lie: the operands of .pushsection. The including file
 * defines this first where they are to lie apart from other code.
 */
#ifndef IRQCOST_WINDOW_SECTION
#define IRQCOST_WINDOW_SECTION ".text"
#endif

/*
 * Of the architecture: IRQCOST_STAMP, IRQCOST_SECTION_ADD, IRQCOST_WINDOW_ENTRY,
 * IRQCOST_WINDOW_EXIT and IRQCOST_LOOP_NEXT. The including file may define
 * IRQCOST_RETURN first.
 */
#include <irqcost/arch/window.h>

/*
 * The section of an in situ window is a chain of adds, each of which waits for
 * the one before and takes 1 core cycle. The chain goes on from pass to pass: what
 * a body makes wait, it makes wait as well. Where the section has no cycles, as in
 * all other windows, the marker is nothing.
 */
#define IRQCOST_SECTION_BEGIN(cycles)                                         \
	".macro irqcost_section\n\t"                                          \
	".rept " #cycles "\n\t"                                               \
	IRQCOST_SECTION_ADD                                                   \
	".endr\n\t"                                                           \
	".endm\n\t"
#define IRQCOST_SECTION_END ".purgem irqcost_section\n\t"

/* Expands @each(cycles, ...) for every length that a section may have. */
#define IRQCOST_SECTIONS(each, ...)                                           \
	each(0, __VA_ARGS__)                                                  \
	each(20, __VA_ARGS__)                                                 \
	each(100, __VA_ARGS__)                                                \
	each(500, __VA_ARGS__)

#define IRQCOST_SECTION_CYCLES(cycles, ...) cycles,
static const unsigned int irqcost_sections[] = { IRQCOST_SECTIONS(IRQCOST_SECTION_CYCLES) };

#define IRQCOST_SECTION_NAME(cycles, ...) IRQCOST_SECTION_##cycles,
enum irqcost_section { IRQCOST_SECTIONS(IRQCOST_SECTION_NAME) IRQCOST_NR_SECTIONS };

/*
 * The function and its loop start on a cache line, so both windows of a pair run
 * the same padding.
 */
#define IRQCOST_WINDOW_BEGIN(name)                                            \
	".pushsection " IRQCOST_WINDOW_SECTION "\n\t"                         \
	".balign 64\n\t"                                                      \
	".type " #name ", @function\n"                                        \
	#name ":\n\t"                                                         \
	IRQCOST_WINDOW_ENTRY

#define IRQCOST_WINDOW_END(name)                                              \
	IRQCOST_WINDOW_EXIT                                                   \
	".size " #name ", . - " #name "\n\t"                                  \
	".popsection\n"

/**
 * irqcost_window_fn - a window
 * @loops: how often the copies run, at least 1; a single window ignores it
 * @scratch: IRQCOST_SCRATCH_BYTES writable bytes, aligned to 16
 *
 * The caller sets the interrupt flag as the row wants it on entry.
 * Return: ticks inside the window.
 */
typedef unsigned long long (*irqcost_window_fn)(unsigned int loops, void *scratch);

#define IRQCOST_LOOP_WINDOW(name, n, cycles, code)                            \
	IRQCOST_SECTION_WINDOW(name, n, IRQCOST_SECTION_BEGIN(cycles), code)

/* The same with a section of any kind, @section being the begin of its macro. */
#define IRQCOST_SECTION_WINDOW(name, n, section, code)                        \
	unsigned long long name(unsigned int loops, void *scratch);           \
	__asm__(section                                                       \
		IRQCOST_WINDOW_BEGIN(name)                                    \
		".balign 64\n"                                                \
		"770:\n\t"                                                    \
		".rept " #n "\n\t"                                            \
		code "\n\t"                                                   \
		".endr\n\t"                                                   \
		IRQCOST_LOOP_NEXT("770b")                                     \
		IRQCOST_WINDOW_END(name)                                      \
		IRQCOST_SECTION_END)

#define IRQCOST_SINGLE_WINDOW(name, code)                                     \
	unsigned long long name(unsigned int loops, void *scratch);           \
	__asm__(IRQCOST_SECTION_BEGIN(0)                                      \
		IRQCOST_WINDOW_BEGIN(name)                                    \
		code "\n\t"                                                   \
		IRQCOST_WINDOW_END(name)                                      \
		IRQCOST_SECTION_END)

/*
 * All windows of one assembler row: a single one, and loop windows of the
 * sizes that unroll factors 4, 8, 16, 32 and 64 need (u and 2u).
 */
#define IRQCOST_NR_WINDOWS 7
#define IRQCOST_MIN_UNROLL 4
#define IRQCOST_MAX_UNROLL 64

#define IRQCOST_INSN_WINDOWS(key, code)                                       \
	IRQCOST_SINGLE_WINDOW(irqcost_##key##_1, code);                       \
	IRQCOST_LOOP_WINDOW(irqcost_##key##_4, 4, 0, code);                      \
	IRQCOST_LOOP_WINDOW(irqcost_##key##_8, 8, 0, code);                      \
	IRQCOST_LOOP_WINDOW(irqcost_##key##_16, 16, 0, code);                    \
	IRQCOST_LOOP_WINDOW(irqcost_##key##_32, 32, 0, code);                    \
	IRQCOST_LOOP_WINDOW(irqcost_##key##_64, 64, 0, code);                    \
	IRQCOST_LOOP_WINDOW(irqcost_##key##_128, 128, 0, code);

/* The same, as the initialiser of an irqcost_window_fn[IRQCOST_NR_WINDOWS]. */
#define IRQCOST_WINDOW_TABLE(key)                                             \
	{ irqcost_##key##_1, irqcost_##key##_4, irqcost_##key##_8,            \
	  irqcost_##key##_16, irqcost_##key##_32, irqcost_##key##_64,         \
	  irqcost_##key##_128 }

/* Where in such a table the loop window of a size (4, 8 … 128) stands. */
static inline int irqcost_window_index(unsigned int size)
{
	return __builtin_ctz(size) - 1;
}

/* The in situ windows of an assembler row, one for each length. */
#define IRQCOST_IN_SITU_WINDOWS(key, code) IRQCOST_SECTIONS(IRQCOST_IN_SITU_WINDOW, key, code)
#define IRQCOST_IN_SITU_WINDOW(cycles, key, code)                             \
	IRQCOST_LOOP_WINDOW(irqcost_##key##_in_situ_##cycles, 1, cycles, code);

/* The body of their base: the section alone. */
#define IRQCOST_SECTION_ALONE "irqcost_section"

/* The same, as the initialiser of an irqcost_window_fn[IRQCOST_NR_SECTIONS]. */
#define IRQCOST_IN_SITU_TABLE(key) { IRQCOST_SECTIONS(IRQCOST_IN_SITU_ENTRY, key) }
#define IRQCOST_IN_SITU_ENTRY(cycles, key) irqcost_##key##_in_situ_##cycles,

/* Where in such a table the window of a length stands; -1 where there is none. */
static inline int irqcost_section_index(unsigned int cycles)
{
	unsigned int index;

	for (index = 0; index < IRQCOST_NR_SECTIONS; index++)
		if (irqcost_sections[index] == cycles)
			return (int)index;
	return -1;
}

#endif /* IRQCOST_BODY_H */
