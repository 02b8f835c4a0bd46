/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the module know of each other.
 */
#ifndef IRQCOST_INTERNAL_H
#define IRQCOST_INTERNAL_H

#include <linux/irqflags.h>
#include <linux/types.h>
#include <irqcost/arch/module.h>
#include <irqcost/abi.h>
#include <irqcost/catalogue.h>

/* On who calls a window: it has no type that a kernel with kCFI could check. Since 5.13. */
#ifndef __nocfi
#define __nocfi
#endif

#include "objects.h"

/**
 * struct irqcost_row - a row of the catalogue with its windows
 * @id: number in the ABI
 * @key: name
 * @assembler: whether it is instructions, not calls of the kernel's API
 * @where: enum irqcost_where
 * @irqs: enum irqcost_irqs
 * @needs: enum irqcost_needs
 * @max_unroll: greatest unroll factor that there are windows for
 * @code: what one operation is
 * @windows: as irqcost_window_index() orders them, up to size 2 * @max_unroll; all NULL where this
 *	kernel does not offer the row
 * @in_situ: as irqcost_section_index() orders them, and PERCPU_SECTION; to be used where @code has
 *	the marker
 * @empty: windows without a body, written in the way of this row's: the single one alone
 * @section: windows of the section alone, written in the way of this row's @in_situ
 */
struct irqcost_row {
	u32 id;
	const char *key;
	bool assembler;
	u32 where;
	u32 irqs;
	u32 needs;
	u32 max_unroll;
	const char *code;
	const irqcost_window_fn *windows;
	const irqcost_window_fn *in_situ;
	const irqcost_window_fn *empty;
	const irqcost_window_fn *section;
};

/* One section more than body.h has: an update of data of this CPU. */
#define PERCPU_SECTION IRQCOST_NR_SECTIONS
#define NR_SECTIONS (IRQCOST_NR_SECTIONS + 1)
#define IN_SITU_TABLE(key) \
	{ IRQCOST_SECTIONS(IRQCOST_IN_SITU_ENTRY, key) irqcost_##key##_percpu }

/* The windows of each row: insn.c, calls.c. A C window exists up to half the greatest size. */
#define IRQCOST_CALL_MAX_UNROLL (IRQCOST_MAX_UNROLL / 2)
#define IRQCOST_INSN(id, key, ...) \
	extern const irqcost_window_fn irqcost_windows_##key[IRQCOST_NR_WINDOWS]; \
	extern const irqcost_window_fn irqcost_in_situ_##key[NR_SECTIONS];
#define IRQCOST_CALL(id, key, ...) \
	extern const irqcost_window_fn irqcost_windows_##key[IRQCOST_NR_WINDOWS]; \
	extern const irqcost_window_fn irqcost_in_situ_##key[NR_SECTIONS];
#include <irqcost/probes.def>
extern const irqcost_window_fn irqcost_in_situ_section[NR_SECTIONS];
extern const irqcost_window_fn irqcost_windows_call_empty[1];
extern const irqcost_window_fn irqcost_in_situ_call_section[NR_SECTIONS];

/* probes.c */
extern const u32 irqcost_nr_rows;
const struct irqcost_row *irqcost_row_at(u32 index);
const struct irqcost_row *irqcost_row_by_id(u32 id);
const char *irqcost_row_unusable(const struct irqcost_row *row, u32 context);
u32 irqcost_row_modes(const struct irqcost_row *row, u32 context);

/* contexts.c */
bool irqcost_context_masks(u32 context);
void irqcost_call_in(u32 context, void (*function)(void *argument), void *argument);
void irqcost_contexts_init(void);
void irqcost_contexts_exit(void);

/**
 * struct irqcost_cycles - the counters of a CPU at one moment
 * @ticks: the clock of the windows
 * @aperf: core cycles while it was not halted
 * @mperf: ticks of the clock while it was not halted
 */
struct irqcost_cycles {
	u64 ticks;
	u64 aperf;
	u64 mperf;
};

#ifndef IRQCOST_TWO_MASKS
/* Without further masks that the kernel does not know of; with them, module.h has these. */
static inline unsigned long irqcost_save_masks(void)
{
	return 0;
}

static inline void irqcost_restore_masks(unsigned long masks)
{
}

static inline void irqcost_mask_for(u32 needs, bool handler)
{
}

static inline bool irqcost_irqs_off(void)
{
	return irqs_disabled();
}
#endif

/* cpu.c of the architecture */
int irqcost_read_cycles(struct irqcost_cycles *cycles);
u32 irqcost_privilege(void);
const char *irqcost_clock_unusable(void);
const char *irqcost_arch_unusable(u32 needs);
void irqcost_clock_start(void);
void irqcost_clock_stop(void);

/* The commands: main.c dispatches to info.c, run.c, contention.c, pending.c and text.c. */
int irqcost_copy_in(void *to, const void __user *from, u32 size);
int irqcost_ioc_info(void __user *arg);
int irqcost_ioc_probe(void __user *arg);
int irqcost_ioc_run(void __user *arg);
int irqcost_ioc_contention(void __user *arg);
int irqcost_ioc_pending(void __user *arg);
int irqcost_ioc_text(void __user *arg);

/* run.c: what every command that measures takes. */
extern struct mutex irqcost_run_lock;

/* cpus.c */
u32 irqcost_interrupts_of(u32 cpu);
bool irqcost_cpu_online(u32 *cpu);
int irqcost_bound_to(u32 *cpu);

/* clock.c: what contention.c and pending.c have in common. */
u64 irqcost_masked_window(irqcost_window_fn window, u32 loops);
u64 irqcost_chain_ticks(void);
u64 irqcost_ticks(u64 ns);

#endif /* IRQCOST_INTERNAL_H */
