/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RISC-V, 64 bits: a timed window (body.h), but for the body. Never run on silicon
 * yet, only under QEMU.
 *
 * A body may change a0 to a7 and t0 to t6, may use the scratch memory at s5, and may leave words on
 * the stack: the window puts sp back. s1 is 1. It and s2 to s5 belong to the window, s6 to the
 * section.
 */
#ifndef IRQCOST_ARCH_WINDOW_H
#define IRQCOST_ARCH_WINDOW_H

#ifndef IRQCOST_RETURN
#define IRQCOST_RETURN "ret\n\t"
#endif

/*
 * One time stamp in a0. There is no instruction that waits for all earlier ones; a fence waits for
 * their loads and stores, and a CPU sees its accesses to CSRs in program order.
 */
#ifdef __KERNEL__
#define IRQCOST_CLOCK "cycle"
#else
#define IRQCOST_CLOCK "time" /* Linux may keep the counter of cycles from user mode. */
#endif
#define IRQCOST_STAMP                                                         \
	"fence\n\t"                                                           \
	"csrr a0, " IRQCOST_CLOCK "\n\t"

#define IRQCOST_SECTION_ADD "add s6, s6, s1\n\t"

#define IRQCOST_WINDOW_ENTRY                                                  \
	"addi sp, sp, -48\n\t"                                                \
	"sd s1, 0(sp)\n\t"                                                    \
	"sd s2, 8(sp)\n\t"                                                    \
	"sd s3, 16(sp)\n\t"                                                   \
	"sd s4, 24(sp)\n\t"                                                   \
	"sd s5, 32(sp)\n\t"                                                   \
	"sd s6, 40(sp)\n\t"                                                   \
	"mv s2, a0\n\t"                                                       \
	"mv s5, a1\n\t"                                                       \
	"mv s4, sp\n\t"                                                       \
	"li s1, 1\n\t"                                                        \
	IRQCOST_STAMP                                                         \
	"mv s3, a0\n\t"                                                       \
	"fence\n\t"

#define IRQCOST_WINDOW_EXIT                                                   \
	IRQCOST_STAMP                                                         \
	"fence\n\t"                                                           \
	"sub a0, a0, s3\n\t"                                                  \
	"mv sp, s4\n\t"                                                       \
	"ld s6, 40(sp)\n\t"                                                   \
	"ld s5, 32(sp)\n\t"                                                   \
	"ld s4, 24(sp)\n\t"                                                   \
	"ld s3, 16(sp)\n\t"                                                   \
	"ld s2, 8(sp)\n\t"                                                    \
	"ld s1, 0(sp)\n\t"                                                    \
	"addi sp, sp, 48\n\t"                                                 \
	IRQCOST_RETURN

/*
 * A conditional branch reaches 4 KiB, a jump 1 MiB: always the same three instructions, so that
 * windows of all sizes have the same loop.
 */
#define IRQCOST_LOOP_NEXT(label)                                              \
	"mv sp, s4\n\t"                                                       \
	"addiw s2, s2, -1\n\t"                                                \
	"beqz s2, 779f\n\t"                                                   \
	"j " label "\n"                                                       \
	"779:\n\t"

#endif /* IRQCOST_ARCH_WINDOW_H */
