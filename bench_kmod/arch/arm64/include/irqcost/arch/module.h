/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * arm64: what the module needs beyond the windows of window.h. docs/ARCHITECTURE.md says what each
 * architecture defines.
 */
#ifndef IRQCOST_ARCH_MODULE_H
#define IRQCOST_ARCH_MODULE_H

#include <linux/irqflags.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/alternative.h>
#include <asm/barrier.h>
#include <asm/cpufeature.h>
#include <asm/ptrace.h>
#include <asm/sysreg.h>
#include <irqcost/catalogue.h>

/* The priorities that this kernel unmasks and masks with (window.h). */
#define IRQCOST_PMR_ON GIC_PRIO_IRQON
#ifdef __GIC_PRIO_IRQOFF
#define IRQCOST_PMR_OFF __GIC_PRIO_IRQOFF
#else
#define IRQCOST_PMR_OFF GIC_PRIO_IRQOFF
#endif

/* The clock of the windows, read where no fence is needed: of the generic timer. */
static __always_inline u64 irqcost_now(void)
{
	return read_sysreg(cntvct_el0);
}

/* The same after all earlier instructions. */
static __always_inline u64 irqcost_now_ordered(void)
{
	isb();
	return read_sysreg(cntvct_el0);
}

/* Its rate. */
static __always_inline u32 irqcost_clock_khz(void)
{
	return read_sysreg(cntfrq_el0) / 1000;
}

/* A dependent multiply and a dependent add of C code. */
#define IRQCOST_MULTIPLY "mul %w0, %w0, %w0"
#define IRQCOST_ADD "add %0, %0, %0"

/* Every register that a call may change; x18 is one unless the kernel keeps a stack there. */
#ifdef CONFIG_SHADOW_CALL_STACK
#define IRQCOST_X18
#else
#define IRQCOST_X18 "x18",
#endif
#define IRQCOST_CALL_CLOBBERS							\
	IRQCOST_X18								\
	"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", \
	"x13", "x14", "x15", "x16", "x17", "x30", "cc", "memory"

/* Begin and end of a window in C, where the macro irqcost_stamp is IRQCOST_STAMP. */
#define IRQCOST_C_BEGIN(start, loops)						\
	asm volatile(".balign 64\n\t"						\
		     "irqcost_stamp\n\t"					\
		     "str x0, %0\n\t"						\
		     "isb"							\
		     : "=m" (start), "+m" (loops) : : IRQCOST_CALL_CLOBBERS)
#define IRQCOST_C_END(end)							\
	asm volatile("irqcost_stamp\n\tisb\n\tmov %0, x0" : "=r" (end) : : "x0", "cc", "memory")

/*
 * At the end of each pass, and to count down the passes. The number is in memory, as the stamp at
 * the beginning is: left to itself, gcc moves either to another register and back in some windows
 * and not in others.
 */
#define IRQCOST_C_KEEP(loops) asm volatile("" : "+m" (loops) : : IRQCOST_CALL_CLOBBERS)
#define IRQCOST_C_NEXT(loops)							\
({										\
	unsigned int irqcost_left;						\
										\
	asm volatile("ldr %w0, %1\n\tsub %w0, %w0, #1\n\tstr %w0, %1"			\
		     : "=r" (irqcost_left), "+m" (loops));			\
	irqcost_left;								\
})

/* The section in C: dependent adds in a register that calls preserve. */
#define IRQCOST_C_SECTION(cycles)						\
	asm volatile(".rept %c0\n\tadd x28, x28, x28\n\t.endr" : : "i" (cycles) : "x28")

/*
 * The update of data of this CPU, which masking makes one: where that lies is in a register of the
 * exception level at which the kernel runs.
 */
#define IRQCOST_PERCPU_UPDATE(macro, cpu, word, value)				\
	".macro " macro "\n\t"							\
	ALTERNATIVE("mrs " cpu ", tpidr_el1", "mrs " cpu ", tpidr_el2",	\
		    ARM64_HAS_VIRT_HOST_EXTN)					\
	"\n\t"									\
	"adrp " word ", irqcost_section_word\n\t"				\
	"add " word ", " word ", :lo12:irqcost_section_word\n\t"		\
	"ldr " value ", [" word ", " cpu "]\n\t"				\
	"add " value ", " value ", #1\n\t"					\
	"str " value ", [" word ", " cpu "]\n\t"				\
	".endm\n\t"
#define IRQCOST_INSN_PERCPU_UPDATE IRQCOST_PERCPU_UPDATE("irqcost_section", "x13", "x14", "x15")
#define IRQCOST_C_PERCPU_UPDATE IRQCOST_PERCPU_UPDATE("irqcost_update", "x26", "x27", "x28")
#define IRQCOST_C_PERCPU_CLOBBERS "x26", "x27", "x28", "memory"

#define IRQCOST_C_HELPERS

/*
 * Where the kernel masks by priority, it does not know of what masks by DAIF: irqs_disabled() is
 * of the priority alone, and no local_irq_*() changes DAIF.
 */
#define IRQCOST_TWO_MASKS

/* The masks of this CPU beside the kernel's own. */
static inline unsigned long irqcost_save_masks(void)
{
	return system_uses_irq_prio_masking() ? read_sysreg(daif) : 0;
}

static inline void irqcost_restore_masks(unsigned long masks)
{
	if (system_uses_irq_prio_masking())
		write_sysreg(masks, daif);
}

/*
 * Interrupts are off. For a row that masks by DAIF, let them be off by that and by nothing else, so
 * that it does here what it does elsewhere; in a @handler they stay off in both ways.
 */
static inline void irqcost_mask_for(u32 needs, bool handler)
{
	if (!(needs & IRQCOST_NEEDS_DAIF) || !system_uses_irq_prio_masking())
		return;
	asm volatile("msr daifset, #3" : : : "memory");
	if (!handler)
		raw_local_irq_enable();
}

/* Whether interrupts are off, in whichever way. */
static inline bool irqcost_irqs_off(void)
{
	return irqs_disabled() || read_sysreg(daif) & PSR_I_BIT;
}

/* Rows of instructions that pending.c masks by: key, mask, unmask. */
#define IRQCOST_ARCH_MASKINGS(each)						\
	each(daifset_daifclr,							\
	     asm volatile("msr daifset, #3" : : : "memory"),			\
	     asm volatile("msr daifclr, #3" : : : "memory"))			\
	each(pmr_off_on,							\
	     write_sysreg_s(IRQCOST_PMR_OFF, SYS_ICC_PMR_EL1),			\
	     write_sysreg_s(IRQCOST_PMR_ON, SYS_ICC_PMR_EL1))

/* A branch in the text of a function is looked for at each multiple of this. */
#define IRQCOST_BRANCH_STEP 4
#define IRQCOST_BRANCH_BYTES 4

/* Where the `bl` or `b` at @bytes, whose address is @at, goes; 0 for other instructions. */
static inline unsigned long irqcost_branch_target(const u8 *bytes, unsigned long at)
{
	u32 insn;

	memcpy(&insn, bytes, sizeof(insn));
	if ((insn & 0x7c000000) != 0x14000000)
		return 0;
	/* A distance in instructions, of 26 bits with a sign. */
	return at + (s64)((s32)(insn << 6) >> 6) * 4;
}

/* All interrupts of this architecture have a line, and are counted there. */
static inline u32 irqcost_arch_interrupts(u32 cpu)
{
	return 0;
}

#endif /* IRQCOST_ARCH_MODULE_H */
