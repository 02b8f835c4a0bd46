/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x86-64: what the module needs beyond the windows of window.h. docs/ARCHITECTURE.md says
 * what each architecture defines.
 */
#ifndef IRQCOST_ARCH_MODULE_H
#define IRQCOST_ARCH_MODULE_H

#include <linux/hardirq.h>
#include <linux/linkage.h>
#include <linux/percpu.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#ifndef CONFIG_X86_64
#error "irqcost measures x86-64 instructions: build it for a 64-bit x86 kernel"
#endif

/* A return as this kernel wants it: through a thunk, or with a trap after it. */
#define IRQCOST_RETURN ASM_RET

/* The clock of the windows, read where no fence is needed. */
static __always_inline u64 irqcost_now(void)
{
	return rdtsc();
}

/* The same after all earlier instructions. */
static __always_inline u64 irqcost_now_ordered(void)
{
	return rdtsc_ordered();
}

/* Its rate, 0 where the kernel knows none. */
static __always_inline u32 irqcost_clock_khz(void)
{
	return tsc_khz;
}

/* A dependent multiply and a dependent add of C code. */
#define IRQCOST_MULTIPLY "imul %0, %0"
#define IRQCOST_ADD "add %0, %0"

/* Every register that a call may change. */
#define IRQCOST_CALL_CLOBBERS							\
	"rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc", "memory"

/* Begin and end of a window in C, where the macro irqcost_stamp is IRQCOST_STAMP. */
#define IRQCOST_C_BEGIN(start, loops)						\
	asm volatile(".balign 64\n\t"						\
		     "irqcost_stamp\n\t"					\
		     "mov %%rax, %0\n\t"					\
		     "lfence"							\
		     : "=r" (start), "+r" (loops) : : IRQCOST_CALL_CLOBBERS)
#define IRQCOST_C_END(end)							\
	asm volatile("irqcost_stamp\n\tlfence" : "=a" (end) : : "rdx", "cc", "memory")

/* At the end of each pass: what lives on is where calls leave it alone. */
#define IRQCOST_C_KEEP(loops) asm volatile("" : "+r" (loops) : : IRQCOST_CALL_CLOBBERS)

/* Count down the loops of such a window. */
#define IRQCOST_C_NEXT(loops) (--(loops))

/* The section in C: dependent adds in a register that calls preserve. */
#define IRQCOST_C_SECTION(cycles)						\
	asm volatile(".rept %c0\n\tadd %%r15, %%r15\n\t.endr" : : "i" (cycles) : "r15")

/*
 * The update of data of this CPU, which masking makes one though it is three
 * instructions. Per-CPU data lies at the same distance from gs on each CPU.
 */
#ifdef CONFIG_SMP
#define IRQCOST_PERCPU_WORD "%gs:irqcost_section_word"
#else
#define IRQCOST_PERCPU_WORD "irqcost_section_word"
#endif
#define IRQCOST_PERCPU_UPDATE(macro, register)					\
	".macro " macro "\n\t"							\
	"mov " IRQCOST_PERCPU_WORD ", " register "\n\t"				\
	"inc " register "\n\t"							\
	"mov " register ", " IRQCOST_PERCPU_WORD "\n\t"				\
	".endm\n\t"
#define IRQCOST_INSN_PERCPU_UPDATE IRQCOST_PERCPU_UPDATE("irqcost_section", "%r11")
#define IRQCOST_C_PERCPU_UPDATE IRQCOST_PERCPU_UPDATE("irqcost_update", "%r15")
#define IRQCOST_C_PERCPU_CLOBBERS "r15", "cc", "memory"

/*
 * The kernel has it built in and not exported: what a CPU without cmpxchg16b calls in place of
 * that. No row gets there (irqcost_arch_unusable()).
 */
#if defined(IRQCOST_HAS_CMPXCHG_DOUBLE) || defined(IRQCOST_HAS_CMPXCHG128)
#define IRQCOST_C_HELPERS							\
	asm(".pushsection .text\n\t"						\
		".type this_cpu_cmpxchg16b_emu, @function\n"			\
		"this_cpu_cmpxchg16b_emu:\n\t"					\
		"ud2\n\t"							\
		".size this_cpu_cmpxchg16b_emu, . - this_cpu_cmpxchg16b_emu\n\t" \
		".popsection\n");
#else
#define IRQCOST_C_HELPERS
#endif

/* Rows of instructions that pending.c masks by: key, mask, unmask. */
#define IRQCOST_ARCH_MASKINGS(each)						\
	each(cli_sti,								\
	     asm volatile("cli" : : : "memory"),				\
	     asm volatile("sti" : : : "memory"))				\
	each(save_cli_popf,							\
	     asm volatile("pushfq; pop %0; cli" : "=r" (flags) : : "memory"),	\
	     asm volatile("push %0; popfq" : : "r" (flags) : "memory", "cc"))

/* A branch in the text of a function is looked for at each multiple of this. */
#define IRQCOST_BRANCH_STEP 1
#define IRQCOST_BRANCH_BYTES 5

/*
 * Where the call or jump of 32-bit distance at @bytes, whose address is @at, goes: its opcode, and
 * then the distance from its end. 0 for other instructions.
 */
static inline unsigned long irqcost_branch_target(const u8 *bytes, unsigned long at)
{
	s32 distance;

	if (bytes[0] != 0xe8 && bytes[0] != 0xe9)
		return 0;
	memcpy(&distance, bytes + 1, sizeof(distance));
	return at + IRQCOST_BRANCH_BYTES + distance;
}

/**
 * irqcost_arch_interrupts() - interrupts that have no line of their own
 * @cpu: the CPU that took them, since boot
 *
 * The local APIC's own and NMIs. Only differences of it mean anything: it wraps.
 *
 * Return: their number.
 */
static inline u32 irqcost_arch_interrupts(u32 cpu)
{
	const irq_cpustat_t *stat = &per_cpu(irq_stat, cpu);
#ifdef IRQCOST_HAS_IRQ_COUNTS
	u32 i, sum = 0;

	for (i = 0; i < IRQ_COUNT_MAX; i++)
		sum += stat->counts[i];
	/* Shootdowns are counted as calls as well. */
	sum -= stat->counts[IRQ_COUNT_TLB];
#ifdef CONFIG_X86_LOCAL_APIC
	sum -= stat->counts[IRQ_COUNT_ICR_READ_RETRY];
#endif
#ifdef CONFIG_X86_MCE
	sum -= stat->counts[IRQ_COUNT_MCE_POLL];
#endif
#else
	u32 sum = stat->__nmi_count + stat->x86_platform_ipis +
		  stat->apic_perf_irqs + stat->apic_irq_work_irqs;

#ifdef CONFIG_X86_LOCAL_APIC
	sum += stat->apic_timer_irqs + stat->irq_spurious_count;
#endif
#ifdef CONFIG_SMP
	sum += stat->irq_resched_count + stat->irq_call_count;
#endif
#ifdef CONFIG_X86_THERMAL_VECTOR
	sum += stat->irq_thermal_count;
#endif
#ifdef CONFIG_X86_MCE_THRESHOLD
	sum += stat->irq_threshold_count;
#endif
#ifdef CONFIG_X86_MCE_AMD
	sum += stat->irq_deferred_error_count;
#endif
#ifdef CONFIG_X86_HV_CALLBACK_VECTOR
	sum += stat->irq_hv_callback_count;
#endif
#if IS_ENABLED(CONFIG_HYPERV)
	sum += stat->irq_hv_reenlightenment_count + stat->hyperv_stimer0_count;
#endif
#ifdef CONFIG_X86_POSTED_MSI
	sum += stat->posted_msi_notification_count;
#endif
#endif
	return sum;
}

#endif /* IRQCOST_ARCH_MODULE_H */
