/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * arm64: a timed window (body.h), but for the body. Never run on silicon yet, only
 * under QEMU.
 *
 * A body may change x0 to x15 and the condition flags, may use the scratch memory at x23, and may
 * leave words on the stack: the window puts sp back. x19 is 1. It and x20 to x23 belong to the
 * window, x24 to the section.
 */
#ifndef IRQCOST_ARCH_WINDOW_H
#define IRQCOST_ARCH_WINDOW_H

#ifndef IRQCOST_RETURN
#define IRQCOST_RETURN "ret\n\t"
#endif

/*
 * One time stamp in x0. The counter may be read ahead of earlier instructions, unless an ISB comes
 * before (Arm Architecture Reference Manual, "The generic timer").
 */
#define IRQCOST_STAMP                                                         \
	"isb\n\t"                                                             \
	"mrs x0, cntvct_el0\n\t"

/*
 * The priorities that let all interrupts in, and no usual one. Some kernels mask by another one:
 * the module says which it is, and elsewhere no row with it runs.
 */
#ifndef IRQCOST_PMR_ON
#define IRQCOST_PMR_ON 0xe0
#define IRQCOST_PMR_OFF 0xc0
#endif
#define IRQCOST_SYMBOL_(name, value) ".set " #name ", " #value "\n\t"
#define IRQCOST_SYMBOL(name, value) IRQCOST_SYMBOL_(name, value)

#define IRQCOST_SECTION_ADD "add x24, x24, x19\n\t"

/* Entry: hint 34 is `bti c`, for kernels that check where indirect calls go. */
#define IRQCOST_WINDOW_ENTRY                                                  \
	IRQCOST_SYMBOL(irqcost_pmr_on, IRQCOST_PMR_ON)                        \
	IRQCOST_SYMBOL(irqcost_pmr_off, IRQCOST_PMR_OFF)                      \
	"hint #34\n\t"                                                        \
	"stp x19, x20, [sp, #-48]!\n\t"                                       \
	"stp x21, x22, [sp, #16]\n\t"                                         \
	"stp x23, x24, [sp, #32]\n\t"                                         \
	"mov w20, w0\n\t"                                                     \
	"mov x23, x1\n\t"                                                     \
	"mov x22, sp\n\t"                                                     \
	"mov x19, #1\n\t"                                                     \
	IRQCOST_STAMP                                                         \
	"mov x21, x0\n\t"                                                     \
	"isb\n\t"

#define IRQCOST_WINDOW_EXIT                                                   \
	IRQCOST_STAMP                                                         \
	"isb\n\t"                                                             \
	"sub x0, x0, x21\n\t"                                                 \
	"mov sp, x22\n\t"                                                     \
	"ldp x23, x24, [sp, #32]\n\t"                                         \
	"ldp x21, x22, [sp, #16]\n\t"                                         \
	"ldp x19, x20, [sp], #48\n\t"                                         \
	IRQCOST_RETURN

#define IRQCOST_LOOP_NEXT(label)                                              \
	"mov sp, x22\n\t"                                                     \
	"subs w20, w20, #1\n\t"                                               \
	"b.ne " label "\n\t"

#endif /* IRQCOST_ARCH_WINDOW_H */
