/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RISC-V, 64 bits: what the module needs beyond the windows of window.h. docs/ARCHITECTURE.md says
 * what each architecture defines.
 */
#ifndef IRQCOST_ARCH_MODULE_H
#define IRQCOST_ARCH_MODULE_H

#include <linux/stringify.h>
#include <linux/types.h>
#include <asm/asm-offsets.h>
#include <asm/csr.h>

#ifndef CONFIG_64BIT
#error "irqcost measures 64-bit RISC-V kernels"
#endif

/* The clock of the windows: core cycles of this CPU, which cpu.c starts and finds the rate of. */
static __always_inline u64 irqcost_now(void)
{
	return csr_read(CSR_CYCLE);
}

/* The same after all earlier loads and stores. */
static __always_inline u64 irqcost_now_ordered(void)
{
	asm volatile("fence" : : : "memory");
	return csr_read(CSR_CYCLE);
}

/* Its rate, 0 where it cannot be started. */
u32 irqcost_clock_khz(void);

/* A dependent multiply and a dependent add of C code. */
#define IRQCOST_MULTIPLY "mulw %0, %0, %0"
#define IRQCOST_ADD "add %0, %0, %0"

/* Every register that a call may change. */
#define IRQCOST_CALL_CLOBBERS							\
	"ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a0", "a1", "a2", "a3", "a4", "a5", "a6", \
	"a7", "memory"

/* Begin and end of a window in C, where the macro irqcost_stamp is IRQCOST_STAMP. */
#define IRQCOST_C_BEGIN(start, loops)						\
	asm volatile(".balign 64\n\t"						\
		     "irqcost_stamp\n\t"					\
		     "sd a0, %0\n\t"						\
		     "fence"							\
		     : "=m" (start), "+m" (loops) : : IRQCOST_CALL_CLOBBERS)
#define IRQCOST_C_END(end)							\
	asm volatile("irqcost_stamp\n\tfence\n\tmv %0, a0" : "=r" (end) : : "a0", "memory")

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
	asm volatile("lw %0, %1\n\taddiw %0, %0, -1\n\tsw %0, %1"			\
		     : "=r" (irqcost_left), "+m" (loops));			\
	irqcost_left;								\
})

/* The section in C: dependent adds in a register that calls preserve. */
#define IRQCOST_C_SECTION(cycles)						\
	asm volatile(".rept %c0\n\tadd s11, s11, s11\n\t.endr" : : "i" (cycles) : "s11")

/* The update of data of this CPU, which masking makes one: the way there is by the CPU's number. */
#ifdef CONFIG_SMP
#define IRQCOST_PERCPU_BASE(cpu, word)						\
	"lw " cpu ", " __stringify(TASK_TI_CPU) "(tp)\n\t"			\
	"slli " cpu ", " cpu ", 3\n\t"						\
	"la " word ", __per_cpu_offset\n\t"					\
	"add " cpu ", " cpu ", " word "\n\t"					\
	"ld " cpu ", (" cpu ")\n\t"						\
	"la " word ", irqcost_section_word\n\t"					\
	"add " word ", " word ", " cpu "\n\t"
#else
#define IRQCOST_PERCPU_BASE(cpu, word) "la " word ", irqcost_section_word\n\t"
#endif
#define IRQCOST_PERCPU_UPDATE(macro, cpu, word, value)				\
	".macro " macro "\n\t"							\
	IRQCOST_PERCPU_BASE(cpu, word)						\
	"ld " value ", (" word ")\n\t"						\
	"addi " value ", " value ", 1\n\t"					\
	"sd " value ", (" word ")\n\t"						\
	".endm\n\t"
#define IRQCOST_INSN_PERCPU_UPDATE IRQCOST_PERCPU_UPDATE("irqcost_section", "t4", "t5", "t6")
#define IRQCOST_C_PERCPU_UPDATE IRQCOST_PERCPU_UPDATE("irqcost_update", "s9", "s10", "s11")
#define IRQCOST_C_PERCPU_CLOBBERS "s9", "s10", "s11", "memory"

#define IRQCOST_C_HELPERS

/* Rows of instructions that pending.c masks by: key, mask, unmask. */
#define IRQCOST_ARCH_MASKINGS(each)						\
	each(csrci_csrsi,							\
	     asm volatile("csrci sstatus, 2" : : : "memory"),			\
	     asm volatile("csrsi sstatus, 2" : : : "memory"))

/* A branch in the text of a function is looked for at each multiple of this. */
#define IRQCOST_BRANCH_STEP 2
#define IRQCOST_BRANCH_BYTES 8

/*
 * Where the `jal` at @bytes, whose address is @at, goes, or the pair of `auipc` and `jalr`, as
 * modules call the kernel; 0 for other instructions.
 */
static inline unsigned long irqcost_branch_target(const u8 *bytes, unsigned long at)
{
	u32 first = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (u32)bytes[3] << 24;
	u32 second = bytes[4] | bytes[5] << 8 | bytes[6] << 16 | (u32)bytes[7] << 24;
	s32 distance;

	if ((first & 0x7f) == 0x6f) {
		distance = (first >> 20 & 0x7fe) | (first >> 9 & 0x800) | (first & 0xff000);
		if (first >> 31)
			distance -= 0x100000;
		return at + distance;
	}
	/* The register that the one sets is the one that the other uses. */
	if ((first & 0x7f) == 0x17 && (second & 0x707f) == 0x67 &&
	    (first >> 7 & 0x1f) == (second >> 15 & 0x1f))
		return at + (s32)(first & 0xfffff000) + ((s32)second >> 20);
	return 0;
}

/* All interrupts of this architecture have a line, and are counted there. */
static inline u32 irqcost_arch_interrupts(u32 cpu)
{
	return 0;
}

#endif /* IRQCOST_ARCH_MODULE_H */
