/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the contract (abi.h) on what was measured: the instructions of a
 * row, as they are in the kernel's memory.
 */
#ifndef IRQCOST_TEXT_H
#define IRQCOST_TEXT_H

#include <linux/types.h>

/* Longest text in bytes: a window or a function beyond this is not returned. */
#define IRQCOST_MAX_TEXT 4096
#define IRQCOST_MAX_TARGETS 32
#define IRQCOST_SYMBOL_LEN 124

/**
 * struct irqcost_text_target - a call or jump out of a text
 * @offset: of its opcode in the text
 * @symbol: the function that begins where it goes, cut off where it is longer
 */
struct irqcost_text_target {
	__u32 offset;
	char symbol[IRQCOST_SYMBOL_LEN];
};

/**
 * struct irqcost_text - read what is measured (IRQCOST_IOC_TEXT)
 * @size: in: sizeof(struct irqcost_text)
 * @flags: in: 0, else EINVAL
 * @probe: in: a row's id; ENOENT where it is not in the catalogue
 * @number: in: 0: the row's single window (body.h), one operation between two time stamps; k: the
 *	k-th of the functions that it calls or jumps to, in the order in which they are first
 *	called. ERANGE where it has fewer
 * @length: out: of @bytes
 * @nr_targets: out: of @targets
 * @symbol: out: the text's own, cut off where it is longer
 * @reserved: in: 0, else EINVAL
 * @targets: out: by offset, the first IRQCOST_MAX_TARGETS of those that leave the text for the
 *	start of a function
 * @bytes: out: the text up to the next symbol, with the padding before that
 *
 * The bytes are those that the CPU executes: after alternatives, paravirt, static branches and
 * return thunks were patched. They are not decoded: what looks like a call or jump of 32-bit
 * distance and goes to the start of a function is taken for one.
 *
 * EPERM: the caller lacks CAP_SYSLOG. No address is told, but some instructions have the kernel's
 * addresses as operands, and whoever may not see those in /proc/kallsyms may not see them here.
 * ENODATA: the kernel does not offer the row. EOPNOTSUPP: it was built without CONFIG_KALLSYMS, so
 * where a text ends is not known.
 * EFBIG: longer than IRQCOST_MAX_TEXT. EIO: it cannot be read. EFAULT, ENOMEM.
 */
struct irqcost_text {
	__u32 size;
	__u32 flags;
	__u32 probe;
	__u32 number;
	__u32 length;
	__u32 nr_targets;
	char symbol[IRQCOST_SYMBOL_LEN];
	__u32 reserved;
	struct irqcost_text_target targets[IRQCOST_MAX_TARGETS];
	__u8 bytes[IRQCOST_MAX_TEXT];
};

#endif /* IRQCOST_TEXT_H */
