/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a catalogue row means, and one hash over all rows.
 *
 * Shared by the module (C) and the harness (C++). The hash lets the harness
 * refuse a module that was built from another catalogue: the same id could
 * then mean another instruction.
 */
#ifndef IRQCOST_CATALOGUE_H
#define IRQCOST_CATALOGUE_H

#include <linux/types.h>
#include <irqcost/arch/needs.h>

/**
 * enum irqcost_where - the contexts in which a row may run
 * @IRQCOST_RING3: legal in user mode
 * @IRQCOST_RING0: legal in the kernel
 * @IRQCOST_RT_SLEEPS: may sleep on a PREEMPT_RT kernel
 * @IRQCOST_BPF_ONLY: as a BPF program has it, and, where the bit stands alone, only so
 * @IRQCOST_UNMASKS: interrupts are on in it or after it even where they were off
 *	before: not in a handler that runs with interrupts off
 * @IRQCOST_SOFTIRQS: may run softirqs: not in a hard interrupt handler
 * @IRQCOST_TASK: belongs to a task: in process context only
 *
 * All others are values of the column, made of these bits.
 */
enum irqcost_where {
	IRQCOST_RING3 = 1 << 0,
	IRQCOST_RING0 = 1 << 1,
	IRQCOST_RT_SLEEPS = 1 << 2,
	IRQCOST_BPF_ONLY = 1 << 3,
	IRQCOST_UNMASKS = 1 << 4,
	IRQCOST_SOFTIRQS = 1 << 5,
	IRQCOST_TASK = 1 << 6,
	IRQCOST_ANY = IRQCOST_RING3 | IRQCOST_RING0,
	IRQCOST_ANY_BPF = IRQCOST_ANY | IRQCOST_BPF_ONLY,
	IRQCOST_ANY_UNMASKS = IRQCOST_ANY | IRQCOST_UNMASKS,
	IRQCOST_RING0_UNMASKS = IRQCOST_RING0 | IRQCOST_UNMASKS,
	IRQCOST_RING0_TASK = IRQCOST_RING0 | IRQCOST_TASK,
	IRQCOST_RING0_RT_SLEEPS = IRQCOST_RING0 | IRQCOST_RT_SLEEPS,
	IRQCOST_RING0_RT_SLEEPS_UNMASKS = IRQCOST_RING0_RT_SLEEPS | IRQCOST_UNMASKS,
	IRQCOST_RING0_RT_SLEEPS_SOFTIRQS = IRQCOST_RING0_RT_SLEEPS | IRQCOST_SOFTIRQS,
};

/**
 * enum irqcost_irqs - the interrupt flag in ring 0, before (high bit) and after (low bit)
 * @IRQCOST_IF_00: masked throughout
 * @IRQCOST_IF_01: unmasked by the row
 * @IRQCOST_IF_10: masked by the row
 * @IRQCOST_IF_11: on at entry and at exit
 */
enum irqcost_irqs {
	IRQCOST_IF_00 = 0,
	IRQCOST_IF_01 = 1,
	IRQCOST_IF_10 = 2,
	IRQCOST_IF_11 = 3,
};

/**
 * enum irqcost_needs - what differs between CPUs, kernels or privilege levels
 * @IRQCOST_NEEDS_NOTHING: the architecture itself suffices
 * @IRQCOST_NEEDS_IRQ: an interrupt line of the module's own
 * @IRQCOST_NEEDS_LOCAL_TRYLOCK: local_trylock() of the kernel
 * @IRQCOST_NEEDS_NESTED_BH: its local_lock_nested_bh()
 * @IRQCOST_NEEDS_LOCAL_INTERRUPT: its local_interrupt_disable(), and the locks made with it
 * @IRQCOST_NEEDS_SRCU_FAST: its srcu_read_lock_fast()
 * @IRQCOST_NEEDS_CMPXCHG_DOUBLE: its cmpxchg_double(), an instruction on two words
 * @IRQCOST_NEEDS_CMPXCHG128: its cmpxchg128(), an instruction on two words
 *
 * What CPUs differ in is in IRQCOST_ARCH_NEEDS (needs.h of the architecture), with the bits that
 * are free here. For what a kernel offers, Kbuild defines IRQCOST_HAS_ and the name.
 */
enum irqcost_needs {
	IRQCOST_NEEDS_NOTHING = 0,
	IRQCOST_ARCH_NEEDS
	IRQCOST_NEEDS_IRQ = 1 << 4,
	IRQCOST_NEEDS_LOCAL_TRYLOCK = 1 << 6,
	IRQCOST_NEEDS_NESTED_BH = 1 << 7,
	IRQCOST_NEEDS_LOCAL_INTERRUPT = 1 << 8,
	IRQCOST_NEEDS_SRCU_FAST = 1 << 9,
	IRQCOST_NEEDS_CMPXCHG_DOUBLE = 1 << 10 | IRQCOST_ARCH_NEEDS_PAIR,
	IRQCOST_NEEDS_CMPXCHG128 = 1 << 11 | IRQCOST_ARCH_NEEDS_PAIR,
};

/* A row that leaves the flag as it found it can be repeated, so it has a throughput. */
#define IRQCOST_REPEATABLE(irqs) ((irqs) == IRQCOST_IF_00 || (irqs) == IRQCOST_IF_11)

/* The marker in the code of a row that encloses a critical section: it has an in situ mode. */
#define IRQCOST_SECTION_MARKER "irqcost_section"

/*
 * One line of text a row, in file order: together the input of the hash. The
 * columns are taken as they are written, so any change of a row changes the hash.
 */
#define IRQCOST_INSN(id, key, group, where, irqs, needs, code, api, title, summary, use) \
	"insn|" #id "|" #key "|" #group "|" #where "|" #irqs "|" #needs "|" code "|" api "\n",
#define IRQCOST_CALL(id, key, group, where, irqs, needs, code, api, title, summary, use) \
	"call|" #id "|" #key "|" #group "|" #where "|" #irqs "|" #needs "|" #code "|" api "\n",
#define IRQCOST_FAULT(id, key, group, where, irqs, needs, code, api, title, summary, use) \
	"fault|" #id "|" #key "|" #group "|" #where "|" #irqs "|" #needs "|" code "|" api "\n",
#define IRQCOST_BPF(id, key, group, where, irqs, needs, code, api, title, summary, use) \
	"bpf|" #id "|" #key "|" #group "|" #where "|" #irqs "|" #needs "|" #code "|" api "\n",
static const char *const irqcost_catalogue_text[] = {
#include "probes.def"
};

/**
 * irqcost_catalogue_hash() - 64-bit FNV-1a over the rows (parameters of the
 * hash as its authors publish them: Fowler, Noll, Vo).
 */
static inline __u64 irqcost_catalogue_hash(void)
{
	__u64 hash = 0xcbf29ce484222325ULL;
	const char *c;
	unsigned int row;

	for (row = 0; row < sizeof(irqcost_catalogue_text) / sizeof(*irqcost_catalogue_text); row++)
		for (c = irqcost_catalogue_text[row]; *c; c++)
			hash = (hash ^ (unsigned char)*c) * 0x100000001b3ULL;
	return hash;
}

#endif /* IRQCOST_CATALOGUE_H */
