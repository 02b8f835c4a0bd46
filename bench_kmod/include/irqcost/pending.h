/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the contract (abi.h) on what masking costs later: an interrupt
 * that was raised while it was masked.
 */
#ifndef IRQCOST_PENDING_H
#define IRQCOST_PENDING_H

#include <linux/types.h>

/* Longest stretch that may be asked for; what is left to the limit is for raising and ending. */
#define IRQCOST_MAX_HOLD_NS 90000

/* One loop of the masked work: so many dependent adds, and so many nops. */
#define IRQCOST_PENDING_ADDS 64
#define IRQCOST_PENDING_NOPS 128

/**
 * enum irqcost_pending_flags - what happened to a sample; flagged, never dropped
 * @IRQCOST_PENDING_INTERRUPTED: the CPU took another interrupt as well
 * @IRQCOST_PENDING_PREEMPTED: another task ran on the CPU meanwhile
 * @IRQCOST_PENDING_LATE: the interrupt came only after the stamp after the unmasking, so
 *	@back is that stamp and tells nothing of the handler
 */
enum irqcost_pending_flags {
	IRQCOST_PENDING_INTERRUPTED = 1 << 0,
	IRQCOST_PENDING_PREEMPTED = 1 << 1,
	IRQCOST_PENDING_LATE = 1 << 2,
};

/**
 * struct irqcost_pending_sample - two masked stretches, the second with an interrupt pending
 * @start: clock before the first
 * @chain: ticks of IRQCOST_CONTENTION_CHAIN dependent multiplies: the clock
 * @quiet_add: ticks of loops * IRQCOST_PENDING_ADDS dependent adds, masked, nothing pending
 * @quiet_nop: ticks of loops * IRQCOST_PENDING_NOPS nops, likewise
 * @pending_add: ticks of the same adds while an interrupt was pending
 * @pending_nop: ticks of the same nops, likewise
 * @masked: ticks from before the masking to before the unmasking
 * @handler: ticks from before the unmasking to the first instruction of the handler
 * @back: ticks from there to the instruction after the return, from before the unmasking
 * @flags: IRQCOST_PENDING_ bits
 * @interrupts: interrupts that the CPU took from masking to the end, our own among them
 */
struct irqcost_pending_sample {
	__u64 start;
	__u64 chain;
	__u64 quiet_add;
	__u64 quiet_nop;
	__u64 pending_add;
	__u64 pending_nop;
	__u64 masked;
	__u64 handler;
	__u64 back;
	__u32 flags;
	__u32 interrupts;
};

/**
 * struct irqcost_pending - raise interrupts while masked (IRQCOST_IOC_PENDING)
 * @size: in: sizeof(struct irqcost_pending)
 * @flags: in: 0, else EINVAL
 * @probe: in: the way of masking, by the id of its row: cli_sti, save_cli_popf,
 *	local_irq_save_restore, spin_lock_irqsave or raw_spin_lock_irqsave. ENOENT where the
 *	catalogue has no such row. EOPNOTSUPP for others, for spin_lock_irqsave on PREEMPT_RT,
 *	where it masks nothing, and on a CPU without a local APIC
 * @cpu: in: the CPU, as in struct irqcost_run: ENODEV, EXDEV
 * @hold_ns: in: how long to stay masked, up to IRQCOST_MAX_HOLD_NS, else ERANGE
 * @loops: in: up to max_loops of the masked work, else EDOM; out: what was used: as many as
 *	fit into half of @hold_ns. 0: no masked work was measured
 * @samples: in: 1 to max_samples, else ERANGE; out: how many were taken
 * @buffer: in: address of samples * sizeof(struct irqcost_pending_sample) bytes
 * @buffer_bytes: in: its length; ENOSPC where it is too small
 * @reserved: in: 0, else EINVAL
 *
 * EBUSY, EINTR, EFAULT, ENOMEM: as with struct irqcost_run. EIO: the interrupt
 * did not come within 10 ms, or came while it was masked; nothing is returned.
 */
struct irqcost_pending {
	__u32 size;
	__u32 flags;
	__u32 probe;
	__u32 cpu;
	__u32 hold_ns;
	__u32 loops;
	__u32 samples;
	__u32 reserved;
	__u64 buffer;
	__u64 buffer_bytes;
};

#endif /* IRQCOST_PENDING_H */
