// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz: random requests to /dev/irqcost, right and wrong ones, from several
 * processes at once, while signals arrive, processes are killed, the module is
 * unloaded and loaded, memory runs short and a CPU goes and comes back.
 *
 * usage: fuzz MODULE.ko [-s SEED] [-n REQUESTS] [-t SECONDS] [-p N] [-d]
 *
 * N processes; ends after REQUESTS or SECONDS, whichever is first. -d: disturb as
 * well, by memory pressure and hotplug. What is sent follows from SEED; how
 * processes interleave does not.
 *
 * Runs as root in a guest of its own, without the module loaded, and leaves it
 * unloaded. The kernel's log is for the caller to judge, and so is the growth of
 * the kernel's memory, which is printed. Exit code 0 where every answer was one
 * that abi.h allows, and every load and unload did what it must; else 1.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <irqcost/abi.h>
#include <irqcost/body.h>
#include <irqcost/catalogue.h>
#include "rows.h"

#define DEVICE "/dev/" IRQCOST_DEVICE
#define PAGE 4096UL
#define MAX_PROCESSES 64
/* How long the processes run until all are killed and the module is loaded anew. */
#define ROUND_SECONDS 5

/* Greater than any id, number of a mode and index in use: what is beyond must be refused. */
#define ID_BEYOND 256
/* Few, so that many requests are made; a long run is what a signal ends early. */
#define USUAL_SAMPLES 2

/*
 * Memory that the kernel may be given the address of, with an unmapped page
 * behind it; and a page that may be read only.
 */
#define ARENA_BYTES (64 * PAGE)
#define MAX_CONTENDERS 4
/* Room for any structure. */
#define LARGEST (4 * PAGE)
static char *arena, *constant;

/* --- chance ------------------------------------------------------------- */

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

/* --- what a request is made of -------------------------------------------- */

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
		ROW_cli_sti, ROW_save_cli_popf, ROW_local_irq_save_restore,
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

/* --- requests that are right ------------------------------------------------ */

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
		ROW_cli_sti, ROW_save_cli_popf, ROW_local_irq_save_restore,
		ROW_spin_lock_irqsave, ROW_raw_spin_lock_irqsave,
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

/* --- one request ---------------------------------------------------------- */

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

/* --- the processes --------------------------------------------------------- */

static void ignore(int signal)
{
	(void)signal;
}

/* Interrupt what is under way, after a while that differs. */
static void ring_later(void)
{
	struct itimerval timer = { .it_value.tv_usec = 100 + below(20000) };

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void worker(void)
{
	struct sigaction action = { .sa_handler = ignore };
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	int device = -1;

	sigaction(SIGALRM, &action, NULL);
	arena = mmap(NULL, ARENA_BYTES + PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	constant = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (arena == MAP_FAILED || constant == MAP_FAILED ||
	    munmap(arena + ARENA_BYTES, PAGE))
		err(1, "memory");
	bind_to(below(cpus));
	while (__atomic_load_n(&tally->sent, __ATOMIC_RELAXED) < tally->limit) {
		if (device < 0 || one_in(64)) {
			if (device >= 0)
				close(device);
			device = open(DEVICE, O_RDWR);
			if (device < 0)
				err(1, DEVICE);
		}
		if (!nr_runnable)
			ask_what_runs(device);
		if (one_in(64))
			bind_to(below(cpus));
		if (one_in(32))
			ring_later();
		send_one(device);
	}
	exit(0);
}

/* Take half of what memory is free, and give it back, again and again. */
static void press(void)
{
	for (;;) {
		size_t size = sysconf(_SC_AVPHYS_PAGES) * PAGE / 2;
		char *taken = mmap(NULL, size, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		size_t i;

		if (taken != MAP_FAILED) {
			for (i = 0; i < size; i += PAGE)
				taken[i] = 1;
			usleep(1000 * below(100));
			munmap(taken, size);
		}
		usleep(1000 * below(200));
	}
}

static bool set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, value, strlen(value)) > 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

#define SECOND_CPU "/sys/devices/system/cpu/cpu1/online"

/* Take the second CPU away and give it back. A run on it must end, not hang. */
static void plug(void)
{
	for (;;) {
		usleep(1000 * (200 + below(800)));
		set(SECOND_CPU, "0");
		usleep(1000 * below(300));
		set(SECOND_CPU, "1");
	}
}

static pid_t start(void (*body)(void), __u64 seed)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Neighbouring seeds must not begin alike, and none may be 0. */
		state = (seed + 1) * 0x9e3779b97f4a7c15ULL | 1;
		rnd();
		body();
	}
	return child;
}

/* --- the module ------------------------------------------------------------ */

/* Both return an errno, 0 for success. */
static int load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error;

	if (fd < 0)
		err(1, "%s", path);
	error = syscall(SYS_finit_module, fd, "", 0) ? errno : 0;
	close(fd);
	return error;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "irqcost", O_NONBLOCK) ? errno : 0;
}

/* --- the whole --------------------------------------------------------------- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Memory in kB that the kernel holds and cannot give back, with all caches dropped. */
static long kernel_memory(void)
{
	static const char *const kinds[] = {
		"SUnreclaim:", "KernelStack:", "PageTables:", "VmallocUsed:", "Percpu:",
	};
	char name[64];
	FILE *file;
	long sum = 0, value;
	size_t i;

	set("/proc/sys/vm/drop_caches", "3");
	file = fopen("/proc/meminfo", "re");
	if (!file)
		err(1, "/proc/meminfo");
	while (fscanf(file, "%63s %ld%*[^\n]", name, &value) == 2)
		for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
			if (!strcmp(name, kinds[i]))
				sum += value;
	fclose(file);
	return sum;
}

static int failures;

static void expect(bool ok, const char *what, const char *got)
{
	if (ok)
		return;
	failures++;
	printf("# %s: %s\n", what, got);
}

/* One life of the module: load, requests from all sides until @until, unload. */
static void round_of(const char *module, __u64 seed, int processes, bool disturb, double until)
{
	pid_t children[MAX_PROCESSES + 2];
	int nr = 0, i, status, held, error;

	error = load(module);
	expect(!error, "loading the module", strerror(error));
	held = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (held < 0)
		err(1, DEVICE);
	for (i = 0; i < processes; i++)
		children[nr++] = start(worker, seed * MAX_PROCESSES + i);
	if (disturb) {
		children[nr++] = start(press, seed);
		children[nr++] = start(plug, seed);
	}

	while (now() < until && tally->sent < tally->limit) {
		/* A process dies in whatever it does just then, and another begins. */
		i = below(processes);
		usleep(1000 * (50 + below(200)));
		if (one_in(4)) {
			kill(children[i], SIGKILL);
			waitpid(children[i], NULL, 0);
			children[i] = start(worker, rnd());
		}
		error = unload();
		expect(error == EAGAIN || error == EBUSY, "unloading while in use",
		       error ? strerror(error) : "was not refused");
	}

	for (i = 0; i < nr; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], &status, 0);
		/* Done, or killed by us: whatever else ended it is of interest. */
		expect(i >= processes || (WIFEXITED(status) && !WEXITSTATUS(status)) ||
		       (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL),
		       "a process ended early", WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) :
		       "of itself");
	}
	if (disturb)
		set(SECOND_CPU, "1");
	close(held);
	error = unload();
	expect(!error, "unloading the module", strerror(error));
}

/* Return: how many were accepted. */
static __u64 print_answers(void)
{
	__u64 accepted = 0;
	size_t i, j;

	for (i = 0; i < NR_REQUESTS; i++) {
		printf("# %-8s", requests[i].name);
		for (j = 0; j < NR_ALLOWED; j++)
			if (tally->answers[i][j])
				printf(" %s %llu", allowed[j] ? strerrorname_np(allowed[j]) : "ok",
				       (unsigned long long)tally->answers[i][j]);
		putchar('\n');
		/* allowed[0] */
		accepted += tally->answers[i][0];
	}
	return accepted;
}

int main(int argc, char **argv)
{
	__u64 seed = time(NULL), limit = UINT64_MAX;
	int processes = 4, option, rounds = 0;
	double seconds = 1e9, begin = now();
	bool disturb = false;
	long memory = 0;

	while ((option = getopt(argc, argv, "s:n:t:p:d")) != -1) {
		switch (option) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			limit = strtoull(optarg, NULL, 0);
			break;
		case 't':
			seconds = strtod(optarg, NULL);
			break;
		case 'p':
			processes = atoi(optarg);
			break;
		case 'd':
			disturb = true;
			break;
		default:
			return 2;
		}
	}
	if (optind + 1 != argc || processes < 1 || processes > MAX_PROCESSES ||
	    (limit == UINT64_MAX && seconds == 1e9))
		errx(2, "usage: fuzz MODULE.ko [-s SEED] [-n REQUESTS] [-t SECONDS] [-p N] [-d]");
	printf("seed %llu\n", (unsigned long long)seed);

	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	if (tally == MAP_FAILED)
		err(1, "memory");
	tally->limit = limit;
	state = seed | 1;
	while (now() - begin < seconds && tally->sent < limit) {
		double until = now() + ROUND_SECONDS;

		round_of(argv[optind], seed + rounds, processes, disturb,
			 until < begin + seconds ? until : begin + seconds);
		/* The first round warms caches up that stay. */
		if (!rounds++)
			memory = kernel_memory();
	}

	printf("accepted %llu\n", (unsigned long long)print_answers());
	printf("rounds %d\n", rounds);
	printf("memory_growth_kb %ld\n", kernel_memory() - memory);
	printf("requests %llu\n", (unsigned long long)tally->sent);
	printf("failures %llu\n", (unsigned long long)(tally->wrong + failures));
	return tally->wrong || failures;
}
