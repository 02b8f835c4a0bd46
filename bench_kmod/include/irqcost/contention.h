/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the contract (abi.h) on contention: several CPUs take one lock.
 */
#ifndef IRQCOST_CONTENTION_H
#define IRQCOST_CONTENTION_H

#include <linux/types.h>

/* Limits of a request. */
#define IRQCOST_MAX_CONTENDERS 1024
#define IRQCOST_MAX_ROUNDS 100
#define IRQCOST_MAX_HOLD_CYCLES 50000
/* Sections are made of passes of so many dependent adds. */
#define IRQCOST_HOLD_STEP 50

/* Each of the two halves of a round takes so long; then the CPU is offered to others. */
#define IRQCOST_ROUND_US 2000

/* A CPU may come so much later than the others to a half; else it ends the run. */
#define IRQCOST_LATE_MS 1000
/* What is left to the threads to end by themselves. */
#define IRQCOST_END_MS 200

/* Milliseconds after which a run is over, whatever the CPUs do: twice its halves, and the above. */
static inline unsigned int irqcost_contention_ms(unsigned int rounds)
{
	return rounds * 4 * IRQCOST_ROUND_US / 1000 + IRQCOST_LATE_MS + IRQCOST_END_MS;
}

/* What @chain is in struct irqcost_contender: so many dependent multiplies (3 core cycles each). */
#define IRQCOST_CONTENTION_CHAIN 3200

/*
 * The histogram of waiting times: a bin for each of the first 32 ticks, from
 * then on 16 bins for each power of two, so a bin is at most 1/16 of its value
 * wide. The last one has everything from 31 * 2^31 ticks on, which no run takes.
 */
#define IRQCOST_WAIT_SUB_BITS 4
#define IRQCOST_WAIT_BINS 528

/* The bin of a waiting time. */
static inline unsigned int irqcost_wait_bin(__u64 ticks)
{
	const unsigned int sub = IRQCOST_WAIT_SUB_BITS;
	unsigned int shift, bin;

	if (ticks < 2U << sub)
		return (unsigned int)ticks;
	shift = 63 - (unsigned int)__builtin_clzll(ticks) - sub;
	bin = (shift << sub) + (unsigned int)(ticks >> shift);
	return bin < IRQCOST_WAIT_BINS ? bin : IRQCOST_WAIT_BINS - 1;
}

/* The least waiting time of a bin; that of the next one is the end of it. */
static inline __u64 irqcost_wait_bin_low(unsigned int bin)
{
	const unsigned int sub = IRQCOST_WAIT_SUB_BITS;
	const unsigned int shift = bin < 2U << sub ? 0 : (bin >> sub) - 1;

	return (__u64)(bin - (shift << sub)) << shift;
}

/**
 * struct irqcost_contender - one CPU of a run
 * @cpu: in: its number; everything else is out
 * @rounds: rounds in which it took part to the end; 0: it has not run
 * @operations: what it did in the counted halves of these rounds, at least one in each
 * @ticks: ticks that these halves took on this CPU
 * @first: clock when its first round began
 * @last: clock when its last round ended
 * @chain: fewest ticks that IRQCOST_CONTENTION_CHAIN dependent multiplies took: its clock
 * @waits: operations in the stamped halves: those that the histogram holds
 * @longest_wait: ticks of the longest of them, from the call until the lock was held
 * @longest_irqs_off: ticks of the longest stretch with interrupts off, from that call until the
 *	lock was released; 0 where the lock leaves them on
 * @preempted: rounds in which another task ran on the CPU
 * @elsewhere: 1 where the kernel took it off @cpu, as when that goes offline: it ended the run
 * @missed: rounds of which it came to a half only when that was over, as a hypervisor may make it:
 *	its one operation there met nobody
 * @reserved: 0
 * @histogram: waiting times, by irqcost_wait_bin()
 */
struct irqcost_contender {
	__u32 cpu;
	__u32 rounds;
	__u64 operations;
	__u64 ticks;
	__u64 first;
	__u64 last;
	__u64 chain;
	__u64 waits;
	__u64 longest_wait;
	__u64 longest_irqs_off;
	__u32 preempted;
	__u32 elsewhere;
	__u32 missed;
	__u32 reserved;
	__u32 histogram[IRQCOST_WAIT_BINS];
};

/**
 * enum irqcost_lock_traits - what a lock is on this kernel
 * @IRQCOST_LOCK_MASKS: whoever waits for it has interrupts off
 * @IRQCOST_LOCK_SLEEPS: whoever waits for it may sleep (PREEMPT_RT)
 */
enum irqcost_lock_traits {
	IRQCOST_LOCK_MASKS = 1 << 0,
	IRQCOST_LOCK_SLEEPS = 1 << 1,
};

/**
 * struct irqcost_contention - let CPUs contend for a lock (IRQCOST_IOC_CONTENTION)
 * @size: in: sizeof(struct irqcost_contention)
 * @flags: in: 0, else EINVAL
 * @probe: in: the lock, by the id of its row: spin_lock, spin_lock_irqsave or
 *	raw_spin_lock_irqsave. ENOENT where the catalogue has no such row, EOPNOTSUPP for others
 * @section: in: dependent adds done while the lock is held, of 1 core cycle each: a multiple of
 *	IRQCOST_HOLD_STEP up to IRQCOST_MAX_HOLD_CYCLES, else EDOM. EDOM, too, where one
 *	operation after the other on all these CPUs would take longer than half of
 *	max_irqs_off_ns: the last of them may wait that long with interrupts off
 * @rounds: in: 1 to IRQCOST_MAX_ROUNDS, else ERANGE; out: those that every CPU took part in
 * @nr_cpus: in: 1 to IRQCOST_MAX_CONTENDERS, else ERANGE
 * @contenders: in: address of nr_cpus * sizeof(struct irqcost_contender) bytes. ENODEV where a
 *	CPU is not online, EXDEV where the caller may not run on it (sched_setaffinity(), cpusets),
 *	EINVAL where one is named twice
 * @buffer_bytes: in: its length; ENOSPC where it is too small
 * @alone: out: fewest ticks that one operation takes where nobody else wants the lock
 * @traits: out: IRQCOST_LOCK_ bits
 * @reserved: in: 0, else EINVAL
 *
 * A round has two halves of IRQCOST_ROUND_US, each begun by all CPUs together.
 * In the first they count, in the second they stamp each wait: a time stamp
 * costs as much as a short section. In each a CPU does at least one operation,
 * until the time is up for all. A CPU that does not come to the start of a
 * half within IRQCOST_LATE_MS ends the run, which still succeeds: its @rounds tell
 * which one it was. So does one that goes offline. In any case the run is over
 * after irqcost_contention_ms(), and at once for a signal that kills.
 *
 * EBUSY: another run is under way, or a thread of one has not ended within
 * IRQCOST_END_MS, as others keep its CPU. EINTR: a signal came before any CPU had
 * finished a round; when it comes later the run ends early. EFAULT: not
 * readable or not writable. ENOMEM.
 */
struct irqcost_contention {
	__u32 size;
	__u32 flags;
	__u32 probe;
	__u32 section;
	__u32 rounds;
	__u32 nr_cpus;
	__u64 contenders;
	__u64 buffer_bytes;
	__u64 alone;
	__u32 traits;
	__u32 reserved;
};

#endif /* IRQCOST_CONTENTION_H */
