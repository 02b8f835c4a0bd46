/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between the module and ring 3: /dev/irqcost.
 *
 * Every structure begins with its own size, set by the caller; another size
 * than the module's is refused with E2BIG. Reserved fields and unknown flags
 * must be zero, else EINVAL. An unknown command gives ENOTTY. A structure whose
 * meaning changes gets a new command number.
 */
#ifndef IRQCOST_ABI_H
#define IRQCOST_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include "contention.h"
#include "pending.h"
#include "text.h"

#define IRQCOST_DEVICE "irqcost"
#define IRQCOST_ABI_REVISION 4

/* Limits. INFO reports them, so a harness need not trust its own header. */
#define IRQCOST_MAX_SAMPLES 65536
#define IRQCOST_MAX_LOOPS 65536
/* Interrupts are never kept off longer than this by one window. */
#define IRQCOST_MAX_IRQS_OFF_NS 100000

#define IRQCOST_NAME_LEN 64

/**
 * enum irqcost_config - how the kernel was built, as far as masking depends on it
 */
enum irqcost_config {
	IRQCOST_CONFIG_PREEMPT_RT = 1 << 0,
	IRQCOST_CONFIG_PREEMPT = 1 << 1,	/* CONFIG_PREEMPTION */
	IRQCOST_CONFIG_PREEMPT_DYNAMIC = 1 << 2,
	IRQCOST_CONFIG_PREEMPT_COUNT = 1 << 3,
	IRQCOST_CONFIG_PARAVIRT = 1 << 4,
	IRQCOST_CONFIG_PARAVIRT_XXL = 1 << 5,
	IRQCOST_CONFIG_PARAVIRT_SPINLOCKS = 1 << 6,
	IRQCOST_CONFIG_TRACE_IRQFLAGS = 1 << 7,
	IRQCOST_CONFIG_LOCKDEP = 1 << 8,
	IRQCOST_CONFIG_DEBUG_SPINLOCK = 1 << 9,
	IRQCOST_CONFIG_DEBUG_PREEMPT = 1 << 10,
	IRQCOST_CONFIG_KASAN = 1 << 11,
	IRQCOST_CONFIG_RETPOLINE = 1 << 12,
	IRQCOST_CONFIG_RETHUNK = 1 << 13,
	IRQCOST_CONFIG_SMP = 1 << 14,
};

/**
 * struct irqcost_info - what this module is (IRQCOST_IOC_INFO)
 * @size: in: sizeof(struct irqcost_info)
 * @abi_revision: IRQCOST_ABI_REVISION
 * @catalogue_hash: irqcost_catalogue_hash() of the rows it was built from
 * @nr_probes: rows that may run in ring 0
 * @max_samples: most samples in one run
 * @max_loops: most loops in one window
 * @max_irqs_off_ns: longest that one window keeps interrupts off
 * @sample_size: sizeof(struct irqcost_sample)
 * @tsc_khz: rate of the clock that time stamps are of, in kHz; 0 where the kernel knows none
 * @config: IRQCOST_CONFIG_ bits
 * @release: the kernel release that the module was built for
 * @aperf_errno: why samples count no core cycles on the CPU that asked: EOPNOTSUPP where CPUID does
 *	not have APERF and MPERF (leaf 6, ECX bit 0), EIO where reading them faults; 0 where they do
 * @privilege: the ring in which the kernel runs, from CS: 0, or 3 as a guest of Xen PV or PVM,
 *	whose kernel masks by a store and not by cli. There the assembler rows that only ring 0 may
 *	run are unusable: they would trap, and tell what the hypervisor makes of that
 * @compiler: what compiled the module, as it calls itself; cut off where it is longer
 */
struct irqcost_info {
	__u32 size;
	__u32 abi_revision;
	__u64 catalogue_hash;
	__u32 nr_probes;
	__u32 max_samples;
	__u32 max_loops;
	__u32 max_irqs_off_ns;
	__u32 sample_size;
	__u32 tsc_khz;
	__u64 config;
	char release[IRQCOST_NAME_LEN];
	__u32 aperf_errno;
	__u32 privilege;
	char compiler[IRQCOST_NAME_LEN];
};

/**
 * struct irqcost_probe - one row as this module has it (IRQCOST_IOC_PROBE)
 * @size: in: sizeof(struct irqcost_probe)
 * @index: in: 0 to nr_probes - 1; anything else gives ENOENT
 * @context: in: enum irqcost_context, which @modes and @unusable are for; else EINVAL
 * @reserved: in: 0, else EINVAL
 * @id: the row's id
 * @where: enum irqcost_where
 * @irqs: enum irqcost_irqs
 * @modes: bit m set: enum irqcost_mode m can run
 * @min_unroll: least unroll factor of throughput mode (a power of two)
 * @max_unroll: greatest one
 * @key: the row's name
 * @unusable: why it cannot run on this CPU or kernel, or in this context; empty where it can
 */
struct irqcost_probe {
	__u32 size;
	__u32 index;
	__u32 context;
	__u32 reserved;
	__u32 id;
	__u32 where;
	__u32 irqs;
	__u32 modes;
	__u32 min_unroll;
	__u32 max_unroll;
	char key[IRQCOST_NAME_LEN];
	char unusable[IRQCOST_NAME_LEN];
};

/**
 * enum irqcost_context - from where the kernel calls the windows of a sample
 * @IRQCOST_PROCESS: the caller's system call, preemptible
 * @IRQCOST_SOFTIRQ: a tasklet, on the caller's way out of local_bh_disable(). Interrupts are on.
 *	On PREEMPT_RT it runs in the caller's thread, preemptible, with softirqs held off
 * @IRQCOST_HARDIRQ: an irq_work, which the CPU's interrupt to itself runs; interrupts are off.
 *	On PREEMPT_RT one that stays in the interrupt (IRQ_WORK_HARD_IRQ)
 * @IRQCOST_TIMER: a high resolution timer that expires in its hard interrupt, interrupts off.
 *	On PREEMPT_RT by HRTIMER_MODE_REL_PINNED_HARD, elsewhere all timers of that kind do
 *
 * All but process context have throughput mode only.
 */
enum irqcost_context {
	IRQCOST_PROCESS = 0,
	IRQCOST_SOFTIRQ = 1,
	IRQCOST_HARDIRQ = 2,
	IRQCOST_TIMER = 3,
};

#define IRQCOST_NR_CONTEXTS 4

/**
 * enum irqcost_mode - what the two windows of a sample are (body.h)
 * @IRQCOST_THROUGHPUT: base: loops * unroll bodies; body: twice as many
 * @IRQCOST_ISOLATED: base: `loops` single windows of an empty body, summed; body: those of the row
 * @IRQCOST_IN_SITU: base: `loops` sections of work; body: the same, each enclosed by the row
 * @IRQCOST_IN_SITU_PERCPU: the same, where a section is an update of data of this CPU: a load, an
 *	add and a store, which an interrupt could divide
 */
enum irqcost_mode {
	IRQCOST_THROUGHPUT = 0,
	IRQCOST_ISOLATED = 1,
	IRQCOST_IN_SITU = 2,
	IRQCOST_IN_SITU_PERCPU = 3,
};

/**
 * enum irqcost_sensor - what the window is made of that shows a neighbour on the core
 * @IRQCOST_SENSOR_NOP: row nop, bound by issue width
 * @IRQCOST_SENSOR_ZERO_IDIOM: row zero_idiom, bound by rename width
 * @IRQCOST_SENSOR_PUSH_POP: row push_pop, bound by load and store ports
 */
enum irqcost_sensor {
	IRQCOST_SENSOR_NOP = 0,
	IRQCOST_SENSOR_ZERO_IDIOM = 1,
	IRQCOST_SENSOR_PUSH_POP = 2,
};

#define IRQCOST_NR_SENSORS 3

/**
 * enum irqcost_sample_flags - what happened to a sample; flagged, never dropped
 * @IRQCOST_SAMPLE_INTERRUPTED: the CPU took an interrupt while it ran
 * @IRQCOST_SAMPLE_PREEMPTED: another task ran on the CPU meanwhile
 * @IRQCOST_SAMPLE_MIGRATED: it did not start and end on the CPU asked for
 */
enum irqcost_sample_flags {
	IRQCOST_SAMPLE_INTERRUPTED = 1 << 0,
	IRQCOST_SAMPLE_PREEMPTED = 1 << 1,
	IRQCOST_SAMPLE_MIGRATED = 1 << 2,
};

/**
 * struct irqcost_sample - one round: five windows, one after the other
 * @start: the clock before the first window
 * @chain_base: ticks of chain_loops * 32 dependent multiplies
 * @chain_body: ticks of chain_loops * 64 of them: the clock. How many core cycles each takes is
 *	the harness's to find (bench_user/measure/calibration.h)
 * @sensor: ticks of sensor_loops * 128 operations of the sensor: is the core shared just now?
 * @base: ticks of the smaller window
 * @body: ticks of the greater window
 * @flags: IRQCOST_SAMPLE_ bits
 * @interrupts: interrupts that the CPU took during base and body
 * @span_ticks: ticks from before the first window to after the last; 0 where the CPU
 *	has no counter of core cycles
 * @span_cycles: core cycles in that span, by the CPU's counter: APERF; in ring 3 a hardware event
 * @span_mperf: what MPERF grew by in it: ticks of the clock in which the CPU was not halted;
 *	in ring 3 always 0
 *
 * Cost of one operation in ticks: (body - base) / ops. In core cycles: that
 * divided by (chain_body - chain_base) / (chain_loops * 32 * latency of a multiply).
 * The same record is used in ring 3, where @interrupts is always 0.
 */
struct irqcost_sample {
	__u64 start;
	__u64 chain_base;
	__u64 chain_body;
	__u64 sensor;
	__u64 base;
	__u64 body;
	__u32 flags;
	__u32 interrupts;
	__u64 span_ticks;
	__u64 span_cycles;
	__u64 span_mperf;
};

/* The windows of the chain (row dep_imul) and of the sensor (enum irqcost_sensor). */
#define IRQCOST_CHAIN_UNROLL 32
#define IRQCOST_SENSOR_SIZE 128

/**
 * struct irqcost_run - measure one row (IRQCOST_IOC_RUN)
 * @size: in: sizeof(struct irqcost_run)
 * @flags: in: 0
 * @probe: in: a row's id; ENOENT where it is not in the catalogue, EOPNOTSUPP
 *	where it cannot run here, not in this mode or not in this context
 * @mode: in: enum irqcost_mode, else EINVAL
 * @cpu: in: the CPU to measure on. ENODEV where it is not online, EXDEV where
 *	the caller is not bound to it and to it alone (sched_setaffinity())
 * @unroll: in: throughput: a power of two between the row's limits; else 0. EDOM
 * @loops: in: 1 to max_loops (EDOM); out: what was used: fewer where base or
 *	body would take more than half of max_irqs_off_ns, whether it masks or
 *	not. EDOM, too, where one loop alone masks for longer than all of it.
 *	In a context with interrupts off all five windows of a sample are one
 *	masked stretch, so each has a fifth of this
 * @chain_loops: in, out: the same for the chain
 * @sensor_loops: in, out: the same for the sensor
 * @section: in: in situ: dependent core cycles of work, one of irqcost_sections (body.h), else
 *	EDOM; other modes: 0, else EINVAL
 * @context: in: enum irqcost_context, else EINVAL
 * @sensor: in: enum irqcost_sensor, else EINVAL
 * @samples: in: 1 to max_samples, else ERANGE; out: how many were taken
 * @buffer: in: address of samples * sizeof(struct irqcost_sample) bytes
 * @buffer_bytes: in: its length; ENOSPC where it is too small for the samples
 * @ops: out: operations that body has more than base
 * @interrupted: out: samples with IRQCOST_SAMPLE_INTERRUPTED
 * @preempted: out: samples with IRQCOST_SAMPLE_PREEMPTED
 * @migrated: out: samples with IRQCOST_SAMPLE_MIGRATED
 * @longest_irqs_off: out: ticks of the longest stretch with interrupts off
 *
 * EBUSY: another run is under way. EINTR: a signal came before the first
 * sample; when it comes later the run ends early, with @samples below what was
 * asked. EFAULT: buffer or structure not writable. ENOMEM. EIO: the probe left
 * the interrupt flag or the preempt count other than its row says; nothing it
 * measured is returned.
 */
struct irqcost_run {
	__u32 size;
	__u32 flags;
	__u32 probe;
	__u32 mode;
	__u32 cpu;
	__u32 unroll;
	__u32 loops;
	__u32 chain_loops;
	__u32 sensor_loops;
	__u32 section;
	__u32 context;
	__u32 sensor;
	__u64 samples;
	__u64 buffer;
	__u64 buffer_bytes;
	__u64 ops;
	__u64 interrupted;
	__u64 preempted;
	__u64 migrated;
	__u64 longest_irqs_off;
};

#define IRQCOST_IOC_MAGIC 0xCE
#define IRQCOST_IOC_INFO _IOWR(IRQCOST_IOC_MAGIC, 0, struct irqcost_info)
#define IRQCOST_IOC_PROBE _IOWR(IRQCOST_IOC_MAGIC, 1, struct irqcost_probe)
#define IRQCOST_IOC_RUN _IOWR(IRQCOST_IOC_MAGIC, 2, struct irqcost_run)
#define IRQCOST_IOC_CONTENTION _IOWR(IRQCOST_IOC_MAGIC, 16, struct irqcost_contention)
#define IRQCOST_IOC_PENDING _IOWR(IRQCOST_IOC_MAGIC, 17, struct irqcost_pending)
#define IRQCOST_IOC_TEXT _IOWR(IRQCOST_IOC_MAGIC, 18, struct irqcost_text)

#ifdef __cplusplus
#define IRQCOST_ASSERT_SIZE(type, bytes) static_assert(sizeof(type) == (bytes))
#else
#define IRQCOST_ASSERT_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type)
#endif
IRQCOST_ASSERT_SIZE(struct irqcost_info, 184);
IRQCOST_ASSERT_SIZE(struct irqcost_probe, 168);
IRQCOST_ASSERT_SIZE(struct irqcost_sample, 80);
IRQCOST_ASSERT_SIZE(struct irqcost_run, 112);
IRQCOST_ASSERT_SIZE(struct irqcost_contender, 2200);
IRQCOST_ASSERT_SIZE(struct irqcost_contention, 56);
IRQCOST_ASSERT_SIZE(struct irqcost_pending_sample, 80);
IRQCOST_ASSERT_SIZE(struct irqcost_pending, 48);
IRQCOST_ASSERT_SIZE(struct irqcost_text_target, 128);
IRQCOST_ASSERT_SIZE(struct irqcost_text, 8344);

#endif /* IRQCOST_ABI_H */
