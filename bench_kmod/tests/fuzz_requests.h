/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Of fuzz: requests that are right, what is spoilt in them, and the answers to them.
 */
#ifndef IRQCOST_TESTS_FUZZ_REQUESTS_H
#define IRQCOST_TESTS_FUZZ_REQUESTS_H

#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "fuzz_fields.h"

/* What may be run, as the module says: rows in the contexts that they have. */
#define MAX_RUNNABLE 1024
static struct irqcost_probe runnable[MAX_RUNNABLE];
static unsigned int nr_runnable;

static void ask_what_runs(int device)
{
	struct irqcost_probe probe;
	unsigned int i;

	for (i = 0, nr_runnable = 0; nr_runnable < MAX_RUNNABLE; i++) {
		probe = (struct irqcost_probe) {
			.size = sizeof(probe), .index = i / IRQCOST_NR_CONTEXTS,
			.context = i % IRQCOST_NR_CONTEXTS,
		};
		if (ioctl(device, IRQCOST_IOC_PROBE, &probe)) {
			if (errno != ENOENT)
				err(1, "probe %u", i);
			break;
		}
		if (!probe.unusable[0] && probe.modes)
			runnable[nr_runnable++] = probe;
	}
	if (!nr_runnable)
		errx(1, "no row can be run");
}

static void right_info(void *place)
{
	struct irqcost_info *info = place;

	info->size = sizeof(*info);
}

static void right_probe(void *place)
{
	struct irqcost_probe *probe = place;

	probe->size = sizeof(*probe);
	probe->index = runnable[below(nr_runnable)].index;
	probe->context = below(IRQCOST_NR_CONTEXTS);
}

static void right_run(void *place)
{
	const struct irqcost_probe *probe;
	struct irqcost_run *run = place;

	/* More in process context than in the others together, which take longer. */
	do {
		probe = &runnable[below(nr_runnable)];
	} while (probe->context != IRQCOST_PROCESS && !one_in(4));
	*run = (struct irqcost_run) {
		.size = sizeof(*run), .probe = probe->id, .context = probe->context,
		.cpu = sched_getcpu(), .loops = loops(0), .chain_loops = loops(0),
		.sensor_loops = loops(0), .samples = 1 + below(USUAL_SAMPLES),
		.buffer = (uintptr_t)arena, .buffer_bytes = ARENA_BYTES,
	};
	do {
		run->mode = below(32);
	} while (!(probe->modes & 1U << run->mode));
	if (run->mode == IRQCOST_IN_SITU)
		run->section = irqcost_sections[below(IRQCOST_NR_SECTIONS)];
	if (run->mode == IRQCOST_THROUGHPUT) {
		run->unroll = probe->min_unroll;
		while (run->unroll < probe->max_unroll && one_in(2))
			run->unroll *= 2;
	}
}

/* By as many CPUs as there are: one of them may be offline. */
static void right_contention(void *place)
{
	static const unsigned int locks[] = {
		ROW_spin_lock, ROW_spin_lock_irqsave, ROW_raw_spin_lock_irqsave,
	};
	struct irqcost_contender *contender = (struct irqcost_contender *)arena;
	const long cpus = sysconf(_SC_NPROCESSORS_CONF);
	struct irqcost_contention *contention = place;
	unsigned int i;

	for (i = 0; i < MAX_CONTENDERS; i++)
		contender[i].cpu = i;
	*contention = (struct irqcost_contention) {
		.size = sizeof(*contention), .probe = locks[below(sizeof(locks) / sizeof(*locks))],
		.section = IRQCOST_HOLD_STEP * below(10), .rounds = 1 + below(2),
		.nr_cpus = cpus < MAX_CONTENDERS ? cpus : MAX_CONTENDERS,
		.contenders = (uintptr_t)arena, .buffer_bytes = ARENA_BYTES,
	};
}

static void right_pending(void *place)
{
	static const unsigned int ways[] = {
		OWN_MASKINGS, ROW_local_irq_save_restore, ROW_spin_lock_irqsave,
		ROW_raw_spin_lock_irqsave,
	};
	struct irqcost_pending *pending = place;

	*pending = (struct irqcost_pending) {
		.size = sizeof(*pending), .probe = ways[below(sizeof(ways) / sizeof(*ways))],
		.cpu = sched_getcpu(), .hold_ns = hold_ns(0), .loops = below(4),
		.samples = 1 + below(USUAL_SAMPLES), .buffer = (uintptr_t)arena,
		.buffer_bytes = ARENA_BYTES,
	};
}

static void right_text(void *place)
{
	struct irqcost_text *text = place;

	text->size = sizeof(*text);
	text->probe = runnable[below(nr_runnable)].id;
	text->number = below(3);
}

/* Nothing is right about a command that does not exist. */
static void right_unknown(void *place)
{
	*(__u32 *)place = 64;
}

/**
 * struct request - a command of the device
 * @name: in the report
 * @command: its number
 * @size: of its structure
 * @weight: how often it is sent, relative to the others; contention takes milliseconds
 * @fields: what it is made of
 * @right: makes one that the module accepts, unless another run is under way
 * @late: EIO is an answer as well: here it says that an interrupt came late, as it may where
 *	a hypervisor takes the CPU away
 */
static const struct request {
	const char *name;
	unsigned long command;
	size_t size;
	unsigned int weight;
	const struct field *fields;
	void (*right)(void *place);
	bool late;
} requests[] = {
	{ "info", IRQCOST_IOC_INFO, sizeof(struct irqcost_info), 8, info_fields, right_info,
	  false },
	{ "probe", IRQCOST_IOC_PROBE, sizeof(struct irqcost_probe), 16, probe_fields, right_probe,
	  false },
	{ "run", IRQCOST_IOC_RUN, sizeof(struct irqcost_run), 128, run_fields, right_run, false },
	{ "contend", IRQCOST_IOC_CONTENTION, sizeof(struct irqcost_contention), 1,
	  contention_fields, right_contention, false },
	{ "pending", IRQCOST_IOC_PENDING, sizeof(struct irqcost_pending), 16, pending_fields,
	  right_pending, true },
	{ "text", IRQCOST_IOC_TEXT, sizeof(struct irqcost_text), 16, text_fields, right_text,
	  false },
	{ "unknown", 0, 64, 8, unknown_fields, right_unknown, false },
};

#define NR_REQUESTS (sizeof(requests) / sizeof(*requests))

/*
 * All that abi.h and text.h say may be answered. EIO, a broken promise, only where a request says
 * so.
 */
static const int allowed[] = {
	0, E2BIG, EINVAL, ENOTTY, ENOENT, EOPNOTSUPP, ENODEV, EXDEV, EDOM, ERANGE, ENOSPC, EBUSY,
	EINTR, EFAULT, ENOMEM, EFBIG, EIO, ENODATA,
};

#define NR_ALLOWED (sizeof(allowed) / sizeof(*allowed))

/**
 * struct tally - what all processes count together
 * @sent: requests
 * @answers: by request and by place in allowed[]
 * @wrong: answers that are not allowed
 * @limit: as many requests, and no more
 */
static struct tally {
	__u64 sent;
	__u64 answers[NR_REQUESTS][NR_ALLOWED];
	__u64 wrong;
	__u64 limit;
} *tally;

static void count(__u64 *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void put(char *place, const struct field *field, __u64 value)
{
	memcpy(place + field->offset, &value, field->bytes);
}

/*
 * Addresses only come from address(): another one could be of this process's
 * own memory, and the module would rightly write there.
 */
static bool is_address(const struct field *field)
{
	return field->usual == address || field->usual == contenders;
}

static bool in_an_address(const struct field *fields, size_t byte)
{
	for (; fields->bytes; fields++)
		if (is_address(fields) && byte >= fields->offset &&
		    byte < fields->offset + fields->bytes)
			return true;
	return false;
}

/*
 * Spoil it in one place or two: another value that the field may well have, one at
 * a limit, or a flipped bit anywhere. No more, or nothing but the first of the
 * module's checks would ever be reached.
 */
static void mutate(char *place, const struct request *request)
{
	static const __u64 limits[] = {
		0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x10000, 0x10001, 0x7fffffff, 0x80000000,
		0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, UINT64_MAX,
	};
	unsigned int n, nr = 0;

	while (request->fields[nr].bytes)
		nr++;
	for (n = 1 + below(2); n; n--) {
		const struct field *field = &request->fields[below(nr)];
		size_t byte = below(request->size);

		switch (below(4)) {
		case 0:
			if (!is_address(field))
				put(place, field, limits[below(sizeof(limits) / sizeof(*limits))]);
			break;
		case 1:
			if (!in_an_address(request->fields, byte))
				place[byte] ^= 1 << below(8);
			break;
		default:
			put(place, field, field->usual(request->size));
		}
	}
}

static void answered(size_t number, int error, const char *place)
{
	size_t i;

	for (i = 0; i < NR_ALLOWED; i++) {
		if (allowed[i] == error && (error != EIO || requests[number].late)) {
			count(&tally->answers[number][i]);
			return;
		}
	}
	count(&tally->wrong);
	printf("# %s: %s is not an answer; the request was", requests[number].name,
	       strerrorname_np(error));
	for (i = 0; i < requests[number].size; i += 4)
		printf(" %08x", *(const uint32_t *)(place + i));
	putchar('\n');
	fflush(stdout);
}

static size_t any_request(void)
{
	unsigned int sum = 0, chosen;
	size_t i;

	for (i = 0; i < NR_REQUESTS; i++)
		sum += requests[i].weight;
	chosen = below(sum);
	for (i = 0; chosen >= requests[i].weight; i++)
		chosen -= requests[i].weight;
	return i;
}

static void bind_to(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	/* It may be offline just now: then the process stays where it is. */
	sched_setaffinity(0, sizeof(set), &set);
}

/* Contention needs the right to run on each of the CPUs; all else is bound to one. */
static int ask(int device, unsigned long command, uintptr_t arg)
{
	const int home = sched_getcpu();
	cpu_set_t set;
	int error;

	if (command == IRQCOST_IOC_CONTENTION && !one_in(8)) {
		memset(&set, 0xff, sizeof(set));
		sched_setaffinity(0, sizeof(set), &set);
	}
	error = ioctl(device, command, arg) ? errno : 0;
	if (command == IRQCOST_IOC_CONTENTION)
		bind_to(home);
	return error;
}

static void send_one(int device)
{
	/* The structure at the start of a page of its own, or where address() points. */
	static _Alignas(4096) char own[LARGEST];
	static _Alignas(8) char sent[LARGEST];
	const size_t number = any_request();
	const struct request *request = &requests[number];
	unsigned long command = request->command;
	const struct field *field;
	uintptr_t to;
	int error;

	/* Half of them as they must be, most others nearly so, and some of mere likelihood. */
	memset(sent, 0, request->size);
	if (one_in(16)) {
		for (field = request->fields; field->bytes; field++)
			put(sent, field, field->usual(request->size));
	} else {
		request->right(sent);
		if (one_in(2))
			mutate(sent, request);
	}
	if (!command)
		command = one_in(2) ? rnd() : _IOC(below(4), IRQCOST_IOC_MAGIC, below(256),
						   below(1 << _IOC_SIZEBITS));
	to = (uintptr_t)own;
	memcpy(own, sent, request->size);
	if (one_in(32)) {
		to = address(0);
		if (to == (uintptr_t)arena)
			memcpy(arena, sent, request->size);
	}
	count(&tally->sent);
	error = ask(device, command, to);
	answered(number, error, sent);
	/* Another process has its run under way: let it go on, should it wait for this CPU. */
	if (error == EBUSY)
		sched_yield();
}

#endif /* IRQCOST_TESTS_FUZZ_REQUESTS_H */
