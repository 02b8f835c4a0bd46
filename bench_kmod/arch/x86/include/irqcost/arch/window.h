/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x86-64: a timed window (body.h), but for the body.
 *
 * A body may change rax, rcx, rdx, rsi, rdi, r8 to r10 and the arithmetic flags,
 * may use the scratch memory at (%r15), and may leave words on the stack: the
 * window puts rsp back. rbx is 1. It and r12 to r14 belong to the window, r11 to
 * the section.
 */
#ifndef IRQCOST_ARCH_WINDOW_H
#define IRQCOST_ARCH_WINDOW_H

/*
 * How a window returns. The kernel routes returns through a thunk; the
 * including file defines this first where a plain `ret` is not right.
 */
#ifndef IRQCOST_RETURN
#define IRQCOST_RETURN "ret\n\t"
#endif

/*
 * One time stamp in rax (rdx is lost). LFENCE waits until every earlier
 * instruction has completed locally, so nothing older slips into the window or,
 * at its end, out of it. RDTSCP would do no better and not every CPU has it.
 */
#define IRQCOST_STAMP                                                         \
	"lfence\n\t"                                                          \
	"rdtsc\n\t"                                                           \
	"shl $32, %rdx\n\t"                                                   \
	"or %rdx, %rax\n\t"

/* An add of the section. (With an immediate, Golden Cove and later would resolve it at rename.) */
#define IRQCOST_SECTION_ADD "add %rbx, %r11\n\t"

/*
 * Entry: endbr64 for kernels that enforce indirect branch tracking. The second
 * fence keeps the body after the time stamp.
 */
#define IRQCOST_WINDOW_ENTRY                                                  \
	"endbr64\n\t"                                                         \
	"push %rbx\n\t"                                                       \
	"push %r12\n\t"                                                       \
	"push %r13\n\t"                                                       \
	"push %r14\n\t"                                                       \
	"push %r15\n\t"                                                       \
	"mov %edi, %r12d\n\t"                                                 \
	"mov %rsi, %r15\n\t"                                                  \
	"mov %rsp, %r14\n\t"                                                  \
	"mov $1, %ebx\n\t"                                                    \
	IRQCOST_STAMP                                                         \
	"mov %rax, %r13\n\t"                                                  \
	"lfence\n\t"

/* Exit: the time stamp, a fence after it, and the registers as they were. */
#define IRQCOST_WINDOW_EXIT                                                   \
	IRQCOST_STAMP                                                         \
	"lfence\n\t"                                                          \
	"sub %r13, %rax\n\t"                                                  \
	"mov %r14, %rsp\n\t"                                                  \
	"pop %r15\n\t"                                                        \
	"pop %r14\n\t"                                                        \
	"pop %r13\n\t"                                                        \
	"pop %r12\n\t"                                                        \
	"pop %rbx\n\t"                                                        \
	IRQCOST_RETURN

/* The stack pointer is put back after n bodies, which may have left n * 2 words. */
#define IRQCOST_LOOP_NEXT(label)                                              \
	"mov %r14, %rsp\n\t"                                                  \
	"dec %r12d\n\t"                                                       \
	"jnz " label "\n\t"

#endif /* IRQCOST_ARCH_WINDOW_H */
