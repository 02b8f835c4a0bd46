/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Of abuse: every wrong request. It is included where what it needs is defined.
 */
#ifndef IRQCOST_TESTS_ABUSE_WRONG_H
#define IRQCOST_TESTS_ABUSE_WRONG_H

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
	REFUSED_RUN("unmasking in a hard interrupt", EOPNOTSUPP, context, IRQCOST_HARDIRQ);
	REFUSED_RUN("unmasking in a timer", EOPNOTSUPP, context, IRQCOST_TIMER);
	REFUSED_RUN("probe 0", ENOENT, probe, 0);
	REFUSED_RUN("probe 2^32-1", ENOENT, probe, ~0U);
	REFUSED_RUN("throughput of a row that changes the flag", EOPNOTSUPP,
		    probe, ROW_OWN_MASKING);
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
	in_situ.probe = ROW_OWN_MASK;
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
		ROW_mutex_lock, ROW_local_bh_disable_enable, ROW_spin_lock_irq, OWN_NOT_HARD,
		ROW_raw_spin_lock_irq, ROW_local_irq_disable_enable,
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
	run.probe = ROW_OWN_MASKING;
	refused_run("a row without throughput in a timer", EOPNOTSUPP, run);

	refused("PROBE with context 4", EINVAL, command(device, IRQCOST_IOC_PROBE, &probe));
	probe.context = 0;
	probe.reserved = 1;
	refused("PROBE with reserved 1", EINVAL, command(device, IRQCOST_IOC_PROBE, &probe));
}

/* Whatever its length, the section is in both base and body. */
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
		       "masking around %u cycles is right: %s", run.section, name(got));
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
	       "masking around an update of per-CPU data is right: %s", name(got));
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
	refused("PROBE one after the last", ENOENT, command(device, IRQCOST_IOC_PROBE, &probe));
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

#endif /* IRQCOST_TESTS_ABUSE_WRONG_H */
