// SPDX-License-Identifier: GPL-2.0-only
/*
 * abuse_contention [--exact]: ask /dev/irqcost for contention and for deferred
 * interrupts, rightly and wrongly.
 *
 * Every wrong request is wrong in one way only and has its own errno, and after
 * each of them a right request must give a right answer. Under the instruction
 * clock (--exact) masked code must cost the same to the instruction with and
 * without an interrupt pending after it; when that interrupt then comes is the
 * emulator's choice, so only the order of the stamps is tested.
 *
 * Runs as root with the module loaded. Prints TAP; exit code 0 where all is
 * well, 1 where a test failed, 4 where there is no device.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <irqcost/abi.h>
#include <irqcost/body.h>
#include "rows.h"
#include "tap.h"

#define DEVICE "/dev/" IRQCOST_DEVICE
#define SAMPLES 32
#define HOLD_NS 20000

static struct irqcost_contender contenders[IRQCOST_MAX_CONTENDERS];
static struct irqcost_pending_sample samples[SAMPLES];
static struct irqcost_info info;
static bool exact, realtime;
static int home, cpus, device;

static int bind_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static void bind_to_all(void)
{
	cpu_set_t set;

	memset(&set, 0xff, sizeof(set));
	sched_setaffinity(0, sizeof(set), &set);
}

/*
 * Requests that are right, from where this process is then bound to; the tests
 * spoil one field of them.
 */
static struct irqcost_contention good_contention(void)
{
	int cpu;

	bind_to_all();
	memset(contenders, 0xa5, sizeof(contenders));
	for (cpu = 0; cpu < cpus; cpu++)
		contenders[cpu].cpu = cpu;
	return (struct irqcost_contention) {
		.size = sizeof(struct irqcost_contention),
		.probe = ROW_raw_spin_lock_irqsave,
		.section = IRQCOST_HOLD_STEP,
		.rounds = 1,
		.nr_cpus = cpus,
		.contenders = (uintptr_t)contenders,
		.buffer_bytes = cpus * sizeof(*contenders),
	};
}

static struct irqcost_pending good_pending(void)
{
	bind_to(home);
	memset(samples, 0xa5, sizeof(samples));
	return (struct irqcost_pending) {
		.size = sizeof(struct irqcost_pending),
		.probe = ROW_OWN_PAIR,
		.cpu = home,
		.hold_ns = HOLD_NS,
		.loops = 16,
		.samples = SAMPLES,
		.buffer = (uintptr_t)samples,
		.buffer_bytes = sizeof(samples),
	};
}

#include "abuse_contention_right.h"

static bool still_right(void)
{
	struct irqcost_contention contention = good_contention();
	struct irqcost_pending pending;

	if (command(device, IRQCOST_IOC_CONTENTION, &contention) || !contended_told(&contention))
		return false;
	pending = good_pending();
	return !command(device, IRQCOST_IOC_PENDING, &pending) && pending_right(&pending) &&
	       pending.samples == SAMPLES;
}

static void refused(const char *title, int want, int got)
{
	report(got == want, "%s gives %s%s%s", title, name(want), got == want ? "" : ", not ",
	       got == want ? "" : name(got));
	report(still_right(), "after that, right requests are right");
}

/* One line a rejection: what is wrong, with which errno it comes back, and how to get there. */
#define REFUSED(kind, cmd, title, want, field, value)				\
	do {									\
		struct irqcost_##kind run = good_##kind();			\
										\
		run.field = value;						\
		refused(#kind ": " title, want, command(device, cmd, &run));	\
	} while (0)
#define REFUSED_CONTENTION(...) REFUSED(contention, IRQCOST_IOC_CONTENTION, __VA_ARGS__)
#define REFUSED_PENDING(...) REFUSED(pending, IRQCOST_IOC_PENDING, __VA_ARGS__)

static void wrong_contention(void)
{
	REFUSED_CONTENTION("size 0", E2BIG, size, 0);
	REFUSED_CONTENTION("size one less", E2BIG, size, sizeof(struct irqcost_contention) - 1);
	REFUSED_CONTENTION("size one more", E2BIG, size, sizeof(struct irqcost_contention) + 1);
	REFUSED_CONTENTION("flags 1", EINVAL, flags, 1);
	REFUSED_CONTENTION("flags 2^31", EINVAL, flags, 1U << 31);
	REFUSED_CONTENTION("reserved 1", EINVAL, reserved, 1);
	REFUSED_CONTENTION("probe 0", ENOENT, probe, 0);
	REFUSED_CONTENTION("probe 2^32-1", ENOENT, probe, ~0U);
	REFUSED_CONTENTION("a row that is no lock", EOPNOTSUPP, probe, ROW_OWN_PAIR);
	REFUSED_CONTENTION("a lock of another kind", EOPNOTSUPP, probe, ROW_spin_lock_irq);
	REFUSED_CONTENTION("section 1", EDOM, section, 1);
	REFUSED_CONTENTION("a section one step too long", EDOM,
			   section, IRQCOST_MAX_HOLD_CYCLES + IRQCOST_HOLD_STEP);
	REFUSED_CONTENTION("section 2^32-46", EDOM, section, ~0U - 45);
	REFUSED_CONTENTION("rounds 0", ERANGE, rounds, 0);
	REFUSED_CONTENTION("one round too many", ERANGE, rounds, IRQCOST_MAX_ROUNDS + 1);
	REFUSED_CONTENTION("rounds 2^32-1", ERANGE, rounds, ~0U);
	REFUSED_CONTENTION("no CPU", ERANGE, nr_cpus, 0);
	REFUSED_CONTENTION("one CPU too many", ERANGE, nr_cpus, IRQCOST_MAX_CONTENDERS + 1);
	REFUSED_CONTENTION("2^32-1 CPUs", ERANGE, nr_cpus, ~0U);
	REFUSED_CONTENTION("a buffer one byte short", ENOSPC,
			   buffer_bytes, cpus * sizeof(*contenders) - 1);
	REFUSED_CONTENTION("a buffer of no bytes", ENOSPC, buffer_bytes, 0);
	REFUSED_CONTENTION("a buffer at 0", EFAULT, contenders, 0);
	REFUSED_CONTENTION("a buffer in the kernel", EFAULT, contenders, 0xffffffff81000000);
}

/* Wrong in what the buffer holds. */
static void wrong_cpus(void)
{
	struct irqcost_contention run = good_contention();

	contenders[0].cpu = 4095;
	refused("contention: CPU 4095", ENODEV, command(device, IRQCOST_IOC_CONTENTION, &run));
	run = good_contention();
	contenders[0].cpu = ~0U;
	refused("contention: CPU 2^32-1", ENODEV, command(device, IRQCOST_IOC_CONTENTION, &run));
	run = good_contention();
	run.nr_cpus = 2;
	run.buffer_bytes = sizeof(contenders);
	contenders[1].cpu = contenders[0].cpu;
	refused("contention: a CPU named twice", EINVAL,
		command(device, IRQCOST_IOC_CONTENTION, &run));
	run = good_contention();
	run.nr_cpus = IRQCOST_MAX_CONTENDERS;
	run.buffer_bytes = sizeof(contenders);
	refused("contention: more CPUs than there are", ENODEV,
		command(device, IRQCOST_IOC_CONTENTION, &run));
}

static void wrong_pending(void)
{
	REFUSED_PENDING("size 0", E2BIG, size, 0);
	REFUSED_PENDING("size one less", E2BIG, size, sizeof(struct irqcost_pending) - 1);
	REFUSED_PENDING("size one more", E2BIG, size, sizeof(struct irqcost_pending) + 1);
	REFUSED_PENDING("flags 1", EINVAL, flags, 1);
	REFUSED_PENDING("flags 2^31", EINVAL, flags, 1U << 31);
	REFUSED_PENDING("reserved 1", EINVAL, reserved, 1);
	REFUSED_PENDING("probe 0", ENOENT, probe, 0);
	REFUSED_PENDING("probe 2^32-1", ENOENT, probe, ~0U);
	REFUSED_PENDING("a row that masks nothing", EOPNOTSUPP, probe, ROW_spin_lock);
	REFUSED_PENDING("loops one too many", EDOM, loops, IRQCOST_MAX_LOOPS + 1);
	REFUSED_PENDING("loops 2^32-1", EDOM, loops, ~0U);
	REFUSED_PENDING("1 ns too long", ERANGE, hold_ns, IRQCOST_MAX_HOLD_NS + 1);
	REFUSED_PENDING("2^32-1 ns", ERANGE, hold_ns, ~0U);
	REFUSED_PENDING("samples 0", ERANGE, samples, 0);
	REFUSED_PENDING("samples one too many", ERANGE, samples, IRQCOST_MAX_SAMPLES + 1);
	REFUSED_PENDING("samples 2^32-1", ERANGE, samples, ~0U);
	REFUSED_PENDING("a buffer one byte short", ENOSPC, buffer_bytes, sizeof(samples) - 1);
	REFUSED_PENDING("CPU 4095", ENODEV, cpu, 4095);
	REFUSED_PENDING("CPU 2^32-1", ENODEV, cpu, ~0U);
	REFUSED_PENDING("a buffer at 0", EFAULT, buffer, 0);
	REFUSED_PENDING("a buffer in the kernel", EFAULT, buffer, 0xffffffff81000000);
	if (cpus > 1)
		REFUSED_PENDING("a caller bound to another CPU", EXDEV, cpu, home ? 0 : 1);
	if (realtime)
		REFUSED_PENDING("a lock that sleeps", EOPNOTSUPP, probe, ROW_spin_lock_irqsave);
}

/* The structure itself where it cannot be read, or not be written. */
static void wrong_memory(unsigned long cmd, const void *good, size_t size, const char *kind)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	char *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char title[80];

	if (two == MAP_FAILED || mprotect(two + page, page, PROT_NONE)) {
		report(false, "mmap and mprotect: %s", name(errno));
		return;
	}
	snprintf(title, sizeof(title), "%s: a structure at 0", kind);
	refused(title, EFAULT, command(device, cmd, NULL));
	snprintf(title, sizeof(title), "%s: a structure that ends in unmapped memory", kind);
	memcpy(two + page - sizeof(__u32), good, sizeof(__u32));
	refused(title, EFAULT, command(device, cmd, two + page - sizeof(__u32)));
	if (cmd == IRQCOST_IOC_CONTENTION)
		bind_to_all();
	snprintf(title, sizeof(title), "%s: a structure that cannot be written", kind);
	memcpy(two, good, size);
	mprotect(two, page, PROT_READ);
	refused(title, EFAULT, command(device, cmd, two));
	munmap(two, 2 * page);
}

/* Each lock, by 1 CPU to all. */
static void every_lock(void)
{
	static const struct {
		__u32 row;
		const char *name;
		bool raw;
	} locks[] = {
		{ ROW_spin_lock, "spin_lock", false },
		{ ROW_spin_lock_irqsave, "spin_lock_irqsave", false },
		{ ROW_raw_spin_lock_irqsave, "raw_spin_lock_irqsave", true },
	};
	static const __u32 sections[] = { 0, 50, 500 };
	unsigned int i, section;
	int count, got;

	for (i = 0; i < 3; i++) {
		for (count = 1; count <= cpus; count++) {
			for (section = 0; section < 3; section++) {
				struct irqcost_contention run = good_contention();
				const bool sleeps = realtime && !locks[i].raw;
				const bool masks = !sleeps && locks[i].row != ROW_spin_lock;
				const __u32 traits = (masks ? IRQCOST_LOCK_MASKS : 0) |
						     (sleeps ? IRQCOST_LOCK_SLEEPS : 0);

				run.probe = locks[i].row;
				run.nr_cpus = count;
				run.section = sections[section];
				run.rounds = 2;
				got = command(device, IRQCOST_IOC_CONTENTION, &run);
				report(!got && run.rounds == 2 && run.traits == traits &&
				       contended_told(&run),
				       "%s by %d CPUs around %u cycles: %s", locks[i].name, count,
				       run.section, name(got));
			}
		}
	}
}

/* Whether this kernel and this CPU have a row. */
static bool offered(__u32 row)
{
	struct irqcost_probe probe;
	__u32 index;

	for (index = 0; index < info.nr_probes; index++) {
		probe = (struct irqcost_probe) { .size = sizeof(probe), .index = index };
		if (!command(device, IRQCOST_IOC_PROBE, &probe) && probe.id == row)
			return !probe.unusable[0];
	}
	return false;
}

static void every_masking(void)
{
	static const __u32 rows[] = {
		OWN_MASKINGS, ROW_local_irq_save_restore, ROW_spin_lock_irqsave,
		ROW_raw_spin_lock_irqsave,
	};
	static const __u32 holds[] = { 0, 1000, 20000, IRQCOST_MAX_HOLD_NS };
	const __u64 limit = (__u64)info.tsc_khz * info.max_irqs_off_ns / 1000000;
	unsigned int i, hold, s;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (hold = 0; hold < sizeof(holds) / sizeof(*holds); hold++) {
			struct irqcost_pending run = good_pending();
			const bool sleeps = realtime && rows[i] == ROW_spin_lock_irqsave;
			const int want = sleeps || !offered(rows[i]) ? EOPNOTSUPP : 0;
			__u64 longest = 0;
			int got;

			run.probe = rows[i];
			run.hold_ns = holds[hold];
			got = command(device, IRQCOST_IOC_PENDING, &run);
			report(got == want && (got || pending_right(&run)),
			       "row %u masked for %u ns: %s", rows[i], run.hold_ns, name(got));
			for (s = 0; !got && s < run.samples; s++)
				if (samples[s].masked > longest)
					longest = samples[s].masked;
			/* A hypervisor may stop the CPU; the instruction clock stops with it. */
			if (exact)
				report(longest <= limit,
				       "never longer than the limit: %llu ticks", longest);
		}
	}
}

/* A section that is allowed, but so long that the last CPU might wait for more than the limit. */
static void limit_on_waiting(void)
{
	struct irqcost_contention run = good_contention();
	int got;

	if (!exact)
		return;
	run.nr_cpus = 1;
	run.section = IRQCOST_MAX_HOLD_CYCLES;
	got = command(device, IRQCOST_IOC_CONTENTION, &run);
	report(got == EDOM, "a wait of more than half the limit gives %s", name(got));
	run.section = IRQCOST_MAX_HOLD_CYCLES / 2;
	got = command(device, IRQCOST_IOC_CONTENTION, &run);
	report(!got, "a wait of a quarter of it is allowed: %s", name(got));
}

static void histogram_bins(void)
{
	bool right = true;
	unsigned int bin;

	for (bin = 0; bin < IRQCOST_WAIT_BINS; bin++) {
		const __u64 low = irqcost_wait_bin_low(bin), next = irqcost_wait_bin_low(bin + 1);

		right &= irqcost_wait_bin(low) == bin && irqcost_wait_bin(next - 1) == bin &&
			 next > low && (next - low) * 16 <= (low > 16 ? low : 16);
	}
	right &= irqcost_wait_bin(~0ULL) == IRQCOST_WAIT_BINS - 1;
	report(right, "the bins of the histogram follow each other without a gap");
}

static void nothing(int signal)
{
	(void)signal;
}

static void signal_in_mid_run(void)
{
	const struct itimerval soon = { .it_value.tv_usec = 30000 };
	struct sigaction action = { .sa_handler = nothing };
	struct irqcost_contention run = good_contention();
	int got;

	run.rounds = IRQCOST_MAX_ROUNDS;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	got = command(device, IRQCOST_IOC_CONTENTION, &run);
	report((!got && run.rounds < IRQCOST_MAX_ROUNDS) || got == EINTR,
	       "a signal ends the contention early: %s, %u rounds", name(got), run.rounds);
	report(still_right(), "after that, right requests are right");
}

static void while_another_runs(void)
{
	struct irqcost_contention run;
	struct irqcost_pending pending;
	int tries, status, busy = 0;
	pid_t child = fork();

	if (!child) {
		for (;;) {
			run = good_contention();
			run.rounds = IRQCOST_MAX_ROUNDS;
			command(device, IRQCOST_IOC_CONTENTION, &run);
		}
	}
	for (tries = 0; tries < 1000 && busy != EBUSY; tries++) {
		usleep(1000);
		run = good_contention();
		busy = command(device, IRQCOST_IOC_CONTENTION, &run);
	}
	report(busy == EBUSY, "a second contention at once gives EBUSY");
	for (busy = 0, tries = 0; tries < 1000 && busy != EBUSY; tries++) {
		usleep(1000);
		pending = good_pending();
		busy = command(device, IRQCOST_IOC_PENDING, &pending);
	}
	report(busy == EBUSY, "a deferred interrupt meanwhile gives EBUSY");
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	report(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "SIGKILL ends a contention");
	report(still_right(), "after that, right requests are right");
}

int main(int argc, char **argv)
{
	struct irqcost_contention contention;
	struct irqcost_pending pending;

	exact = argc == 2 && !strcmp(argv[1], "--exact");
	if (argc > 2 || (argc == 2 && !exact)) {
		fprintf(stderr, "usage: abuse_contention [--exact]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	device = open(DEVICE, O_RDWR);
	if (device < 0) {
		printf("1..0 # SKIP %s: %s\n", DEVICE, strerror(errno));
		return 4;
	}
	home = 0;
	cpus = sysconf(_SC_NPROCESSORS_ONLN);
	bind_to(home);
	info.size = sizeof(info);
	report(!command(device, IRQCOST_IOC_INFO, &info), "INFO");
	realtime = info.config & IRQCOST_CONFIG_PREEMPT_RT;
	report(still_right(), "right requests are right");

	histogram_bins();
	every_lock();
	every_masking();
	limit_on_waiting();
	wrong_contention();
	wrong_cpus();
	wrong_pending();
	contention = good_contention();
	wrong_memory(IRQCOST_IOC_CONTENTION, &contention, sizeof(contention), "contention");
	pending = good_pending();
	wrong_memory(IRQCOST_IOC_PENDING, &pending, sizeof(pending), "pending");
	signal_in_mid_run();
	while_another_runs();

	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
