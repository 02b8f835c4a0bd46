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
		.probe = ROW_OWN_PAIR,
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
 * Under the instruction clock: are all clean samples what they must be,
 * and is there one? Elsewhere a window must at least take time.
 */
static bool samples_right(const struct irqcost_run *run, unsigned int instructions)
{
	unsigned int i, clean = 0;

	for (i = 0; i < run->samples; i++) {
		const struct irqcost_sample *s = &samples[i];

		if (!s->start || !s->chain_base || !s->chain_body || !s->sensor ||
		    !s->base || !s->body)
			return false;
		if (s->flags)
			continue;
		clean++;
		if (exact && (s->body - s->base != instructions * run->ops ||
			      s->chain_body - s->chain_base !=
			      run->chain_loops * IRQCOST_CHAIN_UNROLL))
			return false;
	}
	return !exact || clean;
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

/* A right request gets a right answer: to mask and to unmask are two instructions. */
static bool still_right(void)
{
	struct irqcost_run run = good();

	memset(samples, 0, SAMPLES * sizeof(*samples));
	return !command(device, IRQCOST_IOC_RUN, &run) && run.samples == SAMPLES &&
	       run.ops == (__u64)run.loops * run.unroll && samples_right(&run, 2) &&
	       spans_right(&run) &&
	       run.longest_irqs_off;
}

#include "abuse_wrong.h"

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

	run.probe = ROW_OWN_MASK;
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
