// SPDX-License-Identifier: GPL-2.0-only
/*
 * abuse [--exact]: ask /dev/irqcost for what it must refuse.
 *
 * Every wrong request is wrong in one way only and has its own errno, and after
 * each of them a right request must give a right answer. With --exact, under
 * the instruction clock, right is to the last instruction.
 *
 * Runs as root with the module loaded. Prints TAP; exit code 0 where all is
 * well, 1 where a test failed, 4 where there is no device.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <irqcost/abi.h>
#include <irqcost/body.h>
#include <irqcost/catalogue.h>
#include "rows.h"
#include "tap.h"

#define SAMPLES 8
#define DEVICE "/dev/" IRQCOST_DEVICE

static struct irqcost_sample samples[IRQCOST_MAX_SAMPLES];
static struct irqcost_info info;
static bool exact;
static int home, device;

static int bind_to(int cpu, int other)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	CPU_SET(other, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

/* A request that is right; the tests spoil one field of it. */
static struct irqcost_run good(void)
{
	return (struct irqcost_run) {
		.size = sizeof(struct irqcost_run),
		.probe = ROW_cli_sti,
		.mode = IRQCOST_THROUGHPUT,
		.cpu = home,
		.unroll = 8,
		.loops = 4,
		.chain_loops = 4,
		.sensor_loops = 4,
		.samples = SAMPLES,
		.buffer = (uintptr_t)samples,
		.buffer_bytes = SAMPLES * sizeof(*samples),
	};
}

/*
 * Under the instruction clock: are all undisturbed samples what they must be,
 * and is there one? Elsewhere a window must at least take time.
 */
static bool samples_right(const struct irqcost_run *run, unsigned int instructions)
{
	unsigned int i, undisturbed = 0;

	for (i = 0; i < run->samples; i++) {
		const struct irqcost_sample *s = &samples[i];

		if (!s->start || !s->chain_base || !s->chain_body || !s->sensor ||
		    !s->base || !s->body)
			return false;
		if (s->flags)
			continue;
		undisturbed++;
		if (exact && (s->body - s->base != instructions * run->ops ||
			      s->chain_body - s->chain_base !=
			      run->chain_loops * IRQCOST_CHAIN_UNROLL))
			return false;
	}
	return !exact || undisturbed;
}

/* Core cycles are counted around all windows of a sample, or nowhere. */
static bool spans_right(const struct irqcost_run *run)
{
	unsigned int i;

	for (i = 0; i < run->samples; i++) {
		const struct irqcost_sample *s = &samples[i];
		const __u64 windows = s->chain_base + s->chain_body + s->sensor + s->base + s->body;

		if (info.aperf_errno && (s->span_ticks || s->span_cycles || s->span_mperf))
			return false;
		if (!info.aperf_errno && (s->span_ticks < windows || !s->span_cycles ||
					  !s->span_mperf))
			return false;
	}
	return true;
}

/* A right request gets a right answer: cli and sti are two instructions. */
static bool still_right(void)
{
	struct irqcost_run run = good();

	memset(samples, 0, SAMPLES * sizeof(*samples));
	return !command(device, IRQCOST_IOC_RUN, &run) && run.samples == SAMPLES &&
	       run.ops == (__u64)run.loops * run.unroll && samples_right(&run, 2) &&
	       spans_right(&run) &&
	       run.longest_irqs_off;
}

static void refused(const char *title, int want, int got)
{
	report(got == want, "%s gives %s%s%s", title, name(want),
	       got == want ? "" : ", not ", got == want ? "" : name(got));
	report(still_right(), "after that, a right run is right");
}

static void refused_run(const char *title, int want, struct irqcost_run run)
{
	refused(title, want, command(device, IRQCOST_IOC_RUN, &run));
}

/* One line a rejection: what is wrong, with which errno it comes back, and how to get there. */
#define REFUSED_RUN(title, want, field, value)					\
	do {									\
		struct irqcost_run run = good();				\
										\
		run.field = value;						\
		refused_run(title, want, run);					\
	} while (0)

static void wrong_fields(void)
{
	REFUSED_RUN("size 0", E2BIG, size, 0);
	REFUSED_RUN("size one less", E2BIG, size, sizeof(struct irqcost_run) - 1);
	REFUSED_RUN("size one more", E2BIG, size, sizeof(struct irqcost_run) + 1);
	REFUSED_RUN("flags 1", EINVAL, flags, 1);
	REFUSED_RUN("flags 2^31", EINVAL, flags, 1U << 31);
	REFUSED_RUN("a section in throughput mode", EINVAL, section, 20);
	REFUSED_RUN("mode 4", EINVAL, mode, 4);
	REFUSED_RUN("mode 2^32-1", EINVAL, mode, ~0U);
	REFUSED_RUN("sensor 3", EINVAL, sensor, IRQCOST_NR_SENSORS);
	REFUSED_RUN("context 4", EINVAL, context, IRQCOST_NR_CONTEXTS);
	REFUSED_RUN("context 2^32-1", EINVAL, context, ~0U);
	REFUSED_RUN("cli and sti in a hard interrupt", EOPNOTSUPP, context, IRQCOST_HARDIRQ);
	REFUSED_RUN("cli and sti in a timer", EOPNOTSUPP, context, IRQCOST_TIMER);
	REFUSED_RUN("probe 0", ENOENT, probe, 0);
	REFUSED_RUN("probe 2^32-1", ENOENT, probe, ~0U);
	REFUSED_RUN("throughput of a row that changes the flag", EOPNOTSUPP,
		    probe, ROW_cli_clearing);
	REFUSED_RUN("unroll 0", EDOM, unroll, 0);
	REFUSED_RUN("unroll 2", EDOM, unroll, 2);
	REFUSED_RUN("unroll 12", EDOM, unroll, 12);
	REFUSED_RUN("unroll 128", EDOM, unroll, 128);
	REFUSED_RUN("unroll 2^31", EDOM, unroll, 1U << 31);
	REFUSED_RUN("isolated with an unroll", EDOM, mode, IRQCOST_ISOLATED);
	REFUSED_RUN("in situ with an unroll", EDOM, mode, IRQCOST_IN_SITU);
	REFUSED_RUN("loops 0", EDOM, loops, 0);
	REFUSED_RUN("loops one too many", EDOM, loops, IRQCOST_MAX_LOOPS + 1);
	REFUSED_RUN("loops 2^32-1", EDOM, loops, ~0U);
	REFUSED_RUN("chain_loops 0", EDOM, chain_loops, 0);
	REFUSED_RUN("chain_loops 2^32-1", EDOM, chain_loops, ~0U);
	REFUSED_RUN("sensor_loops 0", EDOM, sensor_loops, 0);
	REFUSED_RUN("sensor_loops 2^32-1", EDOM, sensor_loops, ~0U);
	REFUSED_RUN("samples 0", ERANGE, samples, 0);
	REFUSED_RUN("samples one too many", ERANGE, samples, IRQCOST_MAX_SAMPLES + 1);
	REFUSED_RUN("samples 2^32-1", ERANGE, samples, ~0U);
	REFUSED_RUN("samples 2^63", ERANGE, samples, 1ULL << 63);
	REFUSED_RUN("samples 2^64-1", ERANGE, samples, ~0ULL);
	REFUSED_RUN("a buffer one byte short", ENOSPC,
		    buffer_bytes, SAMPLES * sizeof(*samples) - 1);
	REFUSED_RUN("a buffer of no bytes", ENOSPC, buffer_bytes, 0);
	REFUSED_RUN("CPU 4095", ENODEV, cpu, 4095);
	REFUSED_RUN("CPU 2^32-1", ENODEV, cpu, ~0U);
	REFUSED_RUN("a buffer at 0", EFAULT, buffer, 0);
	REFUSED_RUN("a buffer in the kernel", EFAULT, buffer, 0xffffffff81000000);
}

/* In situ differs from the good request in more than one field, so these go by themselves. */
static void wrong_sections(void)
{
	struct irqcost_run in_situ = good(), isolated = good();
	const __u32 wrong[] = { 1, 19, 21, 501, 1U << 31, ~0U };
	unsigned int i;

	in_situ.mode = IRQCOST_IN_SITU;
	in_situ.unroll = 0;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		in_situ.section = wrong[i];
		refused_run("a section that there is not", EDOM, in_situ);
	}
	in_situ.section = 20;
	in_situ.probe = ROW_cli;
	refused_run("in situ of a row that encloses nothing", EOPNOTSUPP, in_situ);
	in_situ.mode = IRQCOST_IN_SITU_PERCPU;
	refused_run("a section beside per-CPU data", EINVAL, in_situ);
	in_situ.section = 0;
	refused_run("per-CPU data in a row that encloses nothing", EOPNOTSUPP, in_situ);

	isolated.mode = IRQCOST_ISOLATED;
	isolated.unroll = 0;
	isolated.section = 500;
	refused_run("a section in isolated mode", EINVAL, isolated);
}

/* A context that a row does not have, a mode that a context does not have. */
static void wrong_contexts(void)
{
	static const enum row task_only[] = {
		ROW_mutex_lock, ROW_migrate_disable_enable, ROW_disable_enable_irq,
	};
	static const enum row not_hard[] = {
		ROW_mutex_lock, ROW_local_bh_disable_enable, ROW_spin_lock_irq, ROW_sti_nop_cli,
		ROW_popf, ROW_raw_spin_lock_irq, ROW_local_irq_disable_enable,
	};
	struct irqcost_probe probe = { .size = sizeof(probe), .context = IRQCOST_NR_CONTEXTS };
	struct irqcost_run run = good();
	unsigned int i;

	run.context = IRQCOST_SOFTIRQ;
	for (i = 0; i < sizeof(task_only) / sizeof(*task_only); i++) {
		run.probe = task_only[i];
		refused_run("a task's own row in a softirq", EOPNOTSUPP, run);
	}
	run.context = IRQCOST_HARDIRQ;
	for (i = 0; i < sizeof(not_hard) / sizeof(*not_hard); i++) {
		run.probe = not_hard[i];
		refused_run("a row that a hard interrupt must not call", EOPNOTSUPP, run);
	}
	run = good();
	run.context = IRQCOST_SOFTIRQ;
	run.unroll = 0;
	run.mode = IRQCOST_ISOLATED;
	refused_run("isolated in a softirq", EOPNOTSUPP, run);
	run.mode = IRQCOST_IN_SITU_PERCPU;
	refused_run("in situ in a softirq", EOPNOTSUPP, run);
	run = good();
	run.context = IRQCOST_TIMER;
	run.probe = ROW_cli_clearing;
	refused_run("a row without throughput in a timer", EOPNOTSUPP, run);

	refused("PROBE with context 4", EINVAL, command(device, IRQCOST_IOC_PROBE, &probe));
	probe.context = 0;
	probe.reserved = 1;
	refused("PROBE with reserved 1", EINVAL, command(device, IRQCOST_IOC_PROBE, &probe));
}

/* Whatever its length, the section is in base and body alike. */
static void every_section(void)
{
	unsigned int i;

	for (i = 0; i < IRQCOST_NR_SECTIONS; i++) {
		struct irqcost_run run = good();
		int got;

		run.mode = IRQCOST_IN_SITU;
		run.unroll = 0;
		run.section = irqcost_sections[i];
		got = command(device, IRQCOST_IOC_RUN, &run);
		report(!got && run.ops == run.loops && samples_right(&run, 2),
		       "around %u cycles cli and sti are right: %s", run.section, name(got));
	}
}

static void around_percpu_data(void)
{
	struct irqcost_run run = good();
	int got;

	run.mode = IRQCOST_IN_SITU_PERCPU;
	run.unroll = 0;
	got = command(device, IRQCOST_IOC_RUN, &run);
	report(!got && run.ops == run.loops && samples_right(&run, 2),
	       "around an update of per-CPU data cli and sti are right: %s", name(got));
}

static void wrong_memory(void)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	char *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const __u32 size = sizeof(struct irqcost_run);
	struct irqcost_run *run = (void *)two;

	if (two == MAP_FAILED || mprotect(two + page, page, PROT_NONE)) {
		report(false, "mmap and mprotect: %s", name(errno));
		return;
	}
	REFUSED_RUN("a buffer that ends in unmapped memory", EFAULT, buffer,
		    (uintptr_t)two + page - 1);
	refused("a structure at 0", EFAULT, command(device, IRQCOST_IOC_RUN, NULL));
	refused("a structure that ends in unmapped memory", EFAULT,
		command(device, IRQCOST_IOC_RUN,
			memcpy(two + page - sizeof(size), &size, sizeof(size))));
	*run = good();
	mprotect(two, page, PROT_READ);
	refused("a structure that cannot be written", EFAULT,
		command(device, IRQCOST_IOC_RUN, run));
	munmap(two, 2 * page);
}

static void wrong_commands(void)
{
	struct irqcost_probe probe = { .size = sizeof(probe) - 1 };
	struct irqcost_info other = { .size = sizeof(other) + 1 };
	struct irqcost_run run = good();
	int closed = open(DEVICE, O_RDWR);

	refused("an unknown command", ENOTTY, command(device, _IO(IRQCOST_IOC_MAGIC, 99), NULL));
	refused("a command of another size", ENOTTY,
		command(device, _IOWR(IRQCOST_IOC_MAGIC, 2, struct irqcost_probe), &run));
	refused("INFO with another size", E2BIG, command(device, IRQCOST_IOC_INFO, &other));
	refused("INFO at 0", EFAULT, command(device, IRQCOST_IOC_INFO, NULL));
	refused("PROBE with another size", E2BIG, command(device, IRQCOST_IOC_PROBE, &probe));
	refused("PROBE at 0", EFAULT, command(device, IRQCOST_IOC_PROBE, NULL));
	probe.size = sizeof(probe);
	probe.index = info.nr_probes;
	refused("PROBE one behind the last", ENOENT, command(device, IRQCOST_IOC_PROBE, &probe));
	probe.index = ~0U;
	refused("PROBE 2^32-1", ENOENT, command(device, IRQCOST_IOC_PROBE, &probe));
	close(closed);
	refused("a closed file", EBADF, command(closed, IRQCOST_IOC_RUN, &run));
}

static void not_bound(void)
{
	const int cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct irqcost_run run = good();
	int got;

	if (cpus < 2) {
		report(true, "a caller that is not bound gives EXDEV # SKIP needs two CPUs");
		return;
	}
	bind_to(home, home ? 0 : 1);
	got = command(device, IRQCOST_IOC_RUN, &run);
	bind_to(home, home);
	refused("a caller that may run on two CPUs", EXDEV, got);
	REFUSED_RUN("a caller bound to another CPU", EXDEV, cpu, home ? 0 : 1);
}

/* Of the limit, in ticks: five windows are one masked stretch where interrupts are off (abi.h). */
static __u64 share_of_limit(__u32 context)
{
	const __u64 limit = (__u64)info.tsc_khz * info.max_irqs_off_ns / 1000000;

	return context == IRQCOST_HARDIRQ || context == IRQCOST_TIMER ? limit / 5 : limit;
}

/*
 * Throughput of a row on a kernel that checks itself: EDOM where one loop alone
 * masks for too long. How long that takes is asked in process context, of as few
 * copies as there are: the longest that met no interrupt, since where samples do
 * not agree both answers are right; and the least, where each met one.
 */
static bool too_long(const struct irqcost_probe *probe, const struct irqcost_run *refused,
		     __u64 *ticks)
{
	const bool masks = refused->context == IRQCOST_HARDIRQ ||
			   refused->context == IRQCOST_TIMER || probe->irqs != IRQCOST_IF_11;
	struct irqcost_run run = good();
	__u64 longest = 0, least = ~0ULL;
	unsigned int i;

	run.probe = probe->id;
	run.unroll = probe->min_unroll;
	run.loops = 1;
	if (!masks || command(device, IRQCOST_IOC_RUN, &run))
		return false;
	for (i = 0; i < run.samples; i++) {
		if (!samples[i].flags && samples[i].body > longest)
			longest = samples[i].body;
		if (samples[i].body < least)
			least = samples[i].body;
	}
	*ticks = (longest ? longest : least) * refused->unroll / run.unroll;
	return *ticks > share_of_limit(refused->context);
}

static void one_row(const struct irqcost_probe *probe, __u32 mode)
{
	const int want = probe->unusable[0] || !(probe->modes >> mode & 1) ? EOPNOTSUPP : 0;
	struct irqcost_run run = good();
	__u64 ticks;
	int got;

	run.probe = probe->id;
	run.mode = mode;
	run.context = probe->context;
	/* In a masked sample fewer copies of a long row fit. */
	run.unroll = mode != IRQCOST_THROUGHPUT ? 0 :
		     probe->context ? probe->min_unroll : probe->max_unroll;
	got = command(device, IRQCOST_IOC_RUN, &run);
	if (!want && got == EDOM && mode == IRQCOST_THROUGHPUT && too_long(probe, &run, &ticks))
		report(true, "%s in mode 0 and context %u gives EDOM: %llu ticks of %llu",
		       probe->key, probe->context, ticks, share_of_limit(probe->context));
	else
		report(got == want, "%s in mode %u and context %u gives %s", probe->key, mode,
		       probe->context, name(got));
}

/* Rows unusable here or in a context say so, and nothing else does; all others are right. */
static void every_row(void)
{
	struct irqcost_probe probe;
	unsigned int number, mode;

	for (number = 0; number < info.nr_probes * IRQCOST_NR_CONTEXTS; number++) {
		probe = (struct irqcost_probe) {
			.size = sizeof(probe), .index = number / IRQCOST_NR_CONTEXTS,
			.context = number % IRQCOST_NR_CONTEXTS,
		};
		if (command(device, IRQCOST_IOC_PROBE, &probe)) {
			report(false, "PROBE %u", number);
			continue;
		}
		for (mode = 0; mode <= IRQCOST_IN_SITU_PERCPU; mode++)
			one_row(&probe, mode);
	}
	report(still_right(), "after that, a right run is right");
}

/* The greatest request there is: the limits are ones that hold. */
static struct irqcost_run longest_run(void)
{
	struct irqcost_run run = good();

	run.probe = ROW_cli;
	run.unroll = 64;
	run.loops = IRQCOST_MAX_LOOPS;
	run.chain_loops = IRQCOST_MAX_LOOPS;
	run.sensor_loops = IRQCOST_MAX_LOOPS;
	run.samples = IRQCOST_MAX_SAMPLES;
	run.buffer_bytes = sizeof(samples);
	return run;
}

static void limit_on_masking(void)
{
	const __u64 limit = (__u64)info.tsc_khz * info.max_irqs_off_ns / 1000000;
	struct irqcost_run run = longest_run();
	int got;

	run.samples = SAMPLES;
	got = command(device, IRQCOST_IOC_RUN, &run);
	report(!got && run.loops < IRQCOST_MAX_LOOPS && run.chain_loops < IRQCOST_MAX_LOOPS &&
	       run.sensor_loops < IRQCOST_MAX_LOOPS,
	       "the most loops are cut down to the limit: %u, %u, %u", run.loops, run.chain_loops,
	       run.sensor_loops);
	/* A hypervisor may stop the CPU in mid-window; the instruction clock stops with it. */
	if (exact)
		report(run.longest_irqs_off <= limit && run.longest_irqs_off > limit / 4,
		       "longest stretch %llu ticks of %llu", run.longest_irqs_off, limit);
	report(still_right(), "after that, a right run is right");
}

/* In a hard interrupt a whole sample is one masked stretch: the limit is one on all its windows. */
static void limit_in_contexts(void)
{
	const __u64 limit = (__u64)info.tsc_khz * info.max_irqs_off_ns / 1000000;
	struct irqcost_run run;
	__u32 context;
	int got;

	for (context = IRQCOST_SOFTIRQ; context < IRQCOST_NR_CONTEXTS; context++) {
		run = longest_run();
		run.context = context;
		run.samples = SAMPLES;
		got = command(device, IRQCOST_IOC_RUN, &run);
		report(!got && samples_right(&run, 1), "the most loops in context %u are right: %s",
		       context, name(got));
		if (exact)
			report(run.longest_irqs_off <= limit && run.longest_irqs_off > limit / 8,
			       "longest stretch in context %u is %llu ticks of %llu", context,
			       run.longest_irqs_off, limit);
	}
	report(still_right(), "after that, a right run is right");
}

static void nothing(int signal)
{
	(void)signal;
}

static void signal_in_mid_run(void)
{
	const struct itimerval soon = { .it_value.tv_usec = 20000 };
	struct sigaction action = { .sa_handler = nothing };
	struct irqcost_run run = longest_run();
	int got;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	got = command(device, IRQCOST_IOC_RUN, &run);
	report((!got && run.samples && run.samples < IRQCOST_MAX_SAMPLES) || got == EINTR,
	       "a signal ends the run early: %s, %llu samples", name(got),
	       got ? 0 : run.samples);
	report(got || samples_right(&run, 1), "the samples until then are right");
	report(still_right(), "after that, a right run is right");
}

/* While a child measures without end: no second run, no unload; and SIGKILL ends it. */
static void while_another_runs(__u32 context)
{
	int busy = 0, unload = 0, tries, status, fd;
	struct irqcost_run run;
	pid_t child = fork();

	if (!child) {
		fd = open(DEVICE, O_RDWR);
		for (;;) {
			run = longest_run();
			run.context = context;
			command(fd, IRQCOST_IOC_RUN, &run);
		}
	}
	for (tries = 0; tries < 1000 && busy != EBUSY; tries++) {
		sched_yield();
		run = good();
		busy = command(device, IRQCOST_IOC_RUN, &run);
	}
	if (syscall(SYS_delete_module, "irqcost", O_NONBLOCK))
		unload = errno;
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	report(busy == EBUSY, "a second run beside one in context %u gives EBUSY", context);
	report(unload == EWOULDBLOCK, "unloading in mid-run gives EWOULDBLOCK");
	report(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "SIGKILL ends a run");
	report(still_right(), "after that, a right run is right");
}

static long taint_bits(void)
{
	FILE *file = fopen("/proc/sys/kernel/tainted", "r");
	long bits = -1;

	if (file) {
		if (fscanf(file, "%ld", &bits) != 1)
			bits = -1;
		fclose(file);
	}
	return bits;
}

static void kernel_log_is_clean(int kmsg)
{
	static const char *const bad[] = {
		"WARNING", "BUG", "Oops", "Call Trace", "stall", "irqcost",
	};
	char record[8192];
	bool clean = true;
	ssize_t length;
	size_t i;

	/* EPIPE: records were overwritten before they were read; the rest is still there. */
	while ((length = read(kmsg, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		if (length < 0)
			continue;
		record[length] = '\0';
		for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
			if (!strstr(record, bad[i]))
				continue;
			clean = false;
			printf("# %s", record);
			break;
		}
	}
	report(clean, "the kernel log is clean");
}

int main(int argc, char **argv)
{
	const long taint = taint_bits();
	__u32 context;
	int kmsg;

	exact = argc == 2 && !strcmp(argv[1], "--exact");
	if (argc > 2 || (argc == 2 && !exact)) {
		fprintf(stderr, "usage: abuse [--exact]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	device = open(DEVICE, O_RDWR);
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (device < 0 || kmsg < 0) {
		printf("1..0 # SKIP %s or /dev/kmsg: %s\n", DEVICE, strerror(errno));
		return 4;
	}
	lseek(kmsg, 0, SEEK_END);
	home = sched_getcpu();
	bind_to(home, home);

	info.size = sizeof(info);
	report(!command(device, IRQCOST_IOC_INFO, &info) &&
	       info.abi_revision == IRQCOST_ABI_REVISION && info.sample_size == sizeof(*samples) &&
	       info.catalogue_hash == irqcost_catalogue_hash(), "INFO is that of this catalogue");
	report(!info.aperf_errno || info.aperf_errno == EOPNOTSUPP || info.aperf_errno == EIO,
	       "APERF: %s", name(info.aperf_errno));
	report(still_right(), "a right run is right");

	wrong_fields();
	wrong_sections();
	wrong_contexts();
	wrong_memory();
	wrong_commands();
	not_bound();
	every_row();
	every_section();
	around_percpu_data();
	limit_on_masking();
	limit_in_contexts();
	signal_in_mid_run();
	for (context = 0; context < IRQCOST_NR_CONTEXTS; context++)
		while_another_runs(context);

	report(taint_bits() == taint, "the kernel is not tainted further");
	kernel_log_is_clean(kmsg);
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
