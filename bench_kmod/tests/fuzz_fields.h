/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Of fuzz: chance, and the values that the fields of a request may have.
 */
#ifndef IRQCOST_TESTS_FUZZ_FIELDS_H
#define IRQCOST_TESTS_FUZZ_FIELDS_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <irqcost/abi.h>
#include <irqcost/body.h>
#include "rows.h"

#define PAGE 4096UL

/* Greater than any id, number of a mode and index in use: what is beyond must be refused. */
#define ID_BEYOND 256
/* Few, so that many requests are made; a long run is what a signal ends early. */
#define USUAL_SAMPLES 2

/*
 * Memory that the kernel may be given the address of, with an unmapped page
 * after it; and a page that may be read only.
 */
#define ARENA_BYTES (64 * PAGE)
#define MAX_CONTENDERS 4
/* Room for any structure. */
#define LARGEST (4 * PAGE)
static char *arena, *constant;

/* xorshift64* (Vigna 2016): small, and the same on every machine. */
static __u64 state;

static __u64 rnd(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dULL;
}

static __u64 below(__u64 n)
{
	return rnd() % n;
}

static bool one_in(unsigned int n)
{
	return below(n) == 0;
}

/* A value that a field may well have. @size: of the structure. */
static __u64 its_size(size_t size)
{
	return size;
}

static __u64 zero(size_t size)
{
	(void)size;
	return 0;
}

static __u64 id(size_t size)
{
	(void)size;
	return below(ID_BEYOND);
}

static __u64 few(size_t size)
{
	(void)size;
	return below(4);
}

static __u64 context(size_t size)
{
	(void)size;
	return one_in(2) ? IRQCOST_PROCESS : below(IRQCOST_NR_CONTEXTS);
}

static __u64 flags(size_t size)
{
	(void)size;
	return one_in(2) ? 0 : 1ULL << below(4);
}

static __u64 this_cpu(size_t size)
{
	(void)size;
	return one_in(8) ? below(4) : (__u64)sched_getcpu();
}

static __u64 unroll(size_t size)
{
	(void)size;
	return one_in(2) ? 0 : 1ULL << below(8);
}

static __u64 loops(size_t size)
{
	(void)size;
	return one_in(256) ? 1 + below(IRQCOST_MAX_LOOPS) : 1 + below(4);
}

static __u64 section(size_t size)
{
	(void)size;
	return one_in(2) ? 0 : irqcost_sections[below(IRQCOST_NR_SECTIONS)];
}

static __u64 nr_samples(size_t size)
{
	(void)size;
	return one_in(64) ? 1 + below(IRQCOST_MAX_SAMPLES) : 1 + below(USUAL_SAMPLES);
}

static __u64 address(size_t size)
{
	(void)size;
	switch (below(16)) {
	case 0:
		return 0;
	case 1:	/* a structure that begins in mapped memory and ends beyond it */
		return (uintptr_t)arena + ARENA_BYTES - 1 - below(256);
	case 2:
		return (uintptr_t)constant;
	case 3:	/* the kernel's */
		return 0xffff800000000000ULL | below(1ULL << 47);
	case 4:	/* nobody's: not canonical */
		return 0x800000000000ULL + below(1ULL << 60);
	default:
		return (uintptr_t)arena;
	}
}

/* Of CPUs that contend, mostly two different ones. */
static __u64 contenders(size_t size)
{
	struct irqcost_contender *contender = (struct irqcost_contender *)arena;
	unsigned int i;

	for (i = 0; i < MAX_CONTENDERS; i++)
		contender[i].cpu = one_in(8) ? below(4) : i;
	return address(size);
}

/* A row that can contend or be masked by. */
static __u64 lock_id(size_t size)
{
	static const unsigned int locks[] = {
		ROW_spin_lock, ROW_spin_lock_irqsave, ROW_raw_spin_lock_irqsave,
		OWN_MASKINGS, ROW_local_irq_save_restore,
	};

	return one_in(8) ? id(size) : locks[below(sizeof(locks) / sizeof(*locks))];
}

static __u64 hold_cycles(size_t size)
{
	(void)size;
	return IRQCOST_HOLD_STEP * below(one_in(8) ? 1000 : 20);
}

static __u64 hold_ns(size_t size)
{
	(void)size;
	return below(one_in(64) ? IRQCOST_MAX_HOLD_NS : 2000);
}

static __u64 bytes(size_t size)
{
	(void)size;
	return one_in(8) ? below(ARENA_BYTES) : ARENA_BYTES;
}

/**
 * struct field - a member of a request
 * @offset: where
 * @bytes: how long: 4 or 8
 * @usual: what it may well be
 *
 * What no field covers is reserved, or is written by the module.
 */
struct field {
	size_t offset;
	size_t bytes;
	__u64 (*usual)(size_t size);
};

#define FIELD(type, member, usual) \
	{ offsetof(struct type, member), sizeof(((struct type *)0)->member), usual }

static const struct field info_fields[] = {
	FIELD(irqcost_info, size, its_size),
	{},
};

static const struct field probe_fields[] = {
	FIELD(irqcost_probe, size, its_size),
	FIELD(irqcost_probe, index, id),
	FIELD(irqcost_probe, context, context),
	{},
};

static const struct field run_fields[] = {
	FIELD(irqcost_run, size, its_size),
	FIELD(irqcost_run, flags, flags),
	FIELD(irqcost_run, probe, id),
	FIELD(irqcost_run, mode, few),
	FIELD(irqcost_run, cpu, this_cpu),
	FIELD(irqcost_run, unroll, unroll),
	FIELD(irqcost_run, loops, loops),
	FIELD(irqcost_run, chain_loops, loops),
	FIELD(irqcost_run, sensor_loops, loops),
	FIELD(irqcost_run, section, section),
	FIELD(irqcost_run, samples, nr_samples),
	FIELD(irqcost_run, buffer, address),
	FIELD(irqcost_run, buffer_bytes, bytes),
	FIELD(irqcost_run, context, context),
	FIELD(irqcost_run, sensor, few),
	{},
};

static const struct field contention_fields[] = {
	FIELD(irqcost_contention, size, its_size),
	FIELD(irqcost_contention, flags, zero),
	FIELD(irqcost_contention, probe, lock_id),
	FIELD(irqcost_contention, section, hold_cycles),
	FIELD(irqcost_contention, rounds, few),
	FIELD(irqcost_contention, nr_cpus, few),
	FIELD(irqcost_contention, contenders, contenders),
	FIELD(irqcost_contention, buffer_bytes, bytes),
	{},
};

static const struct field pending_fields[] = {
	FIELD(irqcost_pending, size, its_size),
	FIELD(irqcost_pending, flags, zero),
	FIELD(irqcost_pending, probe, lock_id),
	FIELD(irqcost_pending, cpu, this_cpu),
	FIELD(irqcost_pending, hold_ns, hold_ns),
	FIELD(irqcost_pending, loops, few),
	FIELD(irqcost_pending, samples, nr_samples),
	FIELD(irqcost_pending, buffer, address),
	FIELD(irqcost_pending, buffer_bytes, bytes),
	{},
};

static const struct field text_fields[] = {
	FIELD(irqcost_text, size, its_size),
	FIELD(irqcost_text, flags, zero),
	FIELD(irqcost_text, probe, id),
	FIELD(irqcost_text, number, few),
	{},
};

/* A command that does not exist, with what looks like a structure. */
static const struct field unknown_fields[] = {
	{ 0, 4, its_size },
	{ 8, 8, zero },
	{},
};

#endif /* IRQCOST_TESTS_FUZZ_FIELDS_H */
