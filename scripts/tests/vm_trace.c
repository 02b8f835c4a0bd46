// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs every row of /dev/irqcost once, while QEMU traces each instruction.
 *
 * usage: vm_trace CONTROL [UNROLL]
 *
 * UNROLL is the greatest unroll factor to try, of a row that has none as small its
 * least; without it, the module's.
 *
 * Prints a line `key mode unroll samples` for each run that follows; the mode in
 * situ has its section after it, in_situ/K, throughput the context unless that
 * is a process, throughput/softirq. On the serial
 * port CONTROL it says "begin" and waits for a byte before the first run, and
 * says "end" and waits after the last: so the trace holds the runs only.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <irqcost/abi.h>
#include <irqcost/body.h>

#define MAX_RUNS 2048

/*
 * Longest window that is traced, in instructions: a kernel that checks itself takes a
 * hundred thousand for one allocation, and a line is written for each. Single windows
 * always are.
 */
#define MAX_WINDOW 65536

/* A timer interrupt may come into one. In process context the trial gives four more. */
#define CONTEXT_SAMPLES 2

static const char *const contexts[] = { "", "/softirq", "/hardirq", "/timer" };
static struct irqcost_sample samples[CONTEXT_SAMPLES];
static struct irqcost_run runs[MAX_RUNS];
static unsigned int nr_runs;
static __u32 greatest = ~0U;

static void add(struct irqcost_run run, const struct irqcost_probe *probe, const char *mode)
{
	if (nr_runs == MAX_RUNS)
		errx(1, "more than %d runs", MAX_RUNS);
	run.size = sizeof(run);
	run.probe = probe->id;
	run.context = probe->context;
	run.loops = 1;
	run.chain_loops = 1;
	run.sensor_loops = 1;
	run.samples = run.context == IRQCOST_PROCESS ? 1 : CONTEXT_SAMPLES;
	run.buffer = (unsigned long)samples;
	run.buffer_bytes = sizeof(samples);
	printf("%s %s%s %u %llu\n", probe->key, mode, contexts[run.context], run.unroll,
	       run.samples);
	runs[nr_runs++] = run;
}

/* Instructions of one operation, about: a tick of the instruction clock is one. */
static __u64 instructions(int device, const struct irqcost_probe *probe)
{
	struct irqcost_run run = {
		.size = sizeof(run), .probe = probe->id, .mode = IRQCOST_ISOLATED, .loops = 1,
		.chain_loops = 1, .sensor_loops = 1, .samples = 1,
		.buffer = (unsigned long)samples, .buffer_bytes = sizeof(samples),
	};

	if (ioctl(device, IRQCOST_IOC_RUN, &run))
		err(1, "%s", probe->key);
	return samples[0].body > samples[0].base ? samples[0].body - samples[0].base : 0;
}

static void add_all(int device, const struct irqcost_probe *probe)
{
	const __u64 each = instructions(device, probe);
	struct irqcost_run run = { 0 };
	char name[32];
	unsigned int i;

	if (probe->modes & 1 << IRQCOST_THROUGHPUT) {
		/* What differs between unroll factors is seen in process context. */
		const __u32 tried = probe->context ? probe->min_unroll : probe->max_unroll;
		const __u32 asked = tried < greatest ? tried : greatest;
		const __u32 most = asked < probe->min_unroll ? probe->min_unroll : asked;

		run.mode = IRQCOST_THROUGHPUT;
		for (run.unroll = probe->min_unroll;
		     run.unroll <= most && 2 * run.unroll * each <= MAX_WINDOW; run.unroll *= 2)
			add(run, probe, "throughput");
		run.unroll = 0;
	}
	if (probe->modes & 1 << IRQCOST_ISOLATED) {
		run.mode = IRQCOST_ISOLATED;
		add(run, probe, "isolated");
	}
	if (probe->modes & 1 << IRQCOST_IN_SITU) {
		run.mode = IRQCOST_IN_SITU;
		for (i = 0; i < IRQCOST_NR_SECTIONS; i++) {
			run.section = irqcost_sections[i];
			snprintf(name, sizeof(name), "in_situ/%u", run.section);
			add(run, probe, name);
		}
		run.section = 0;
	}
	if (probe->modes & 1 << IRQCOST_IN_SITU_PERCPU) {
		run.mode = IRQCOST_IN_SITU_PERCPU;
		add(run, probe, "in_situ/percpu");
	}
}

static void meet(int control, const char *word)
{
	char answer;

	if (write(control, word, strlen(word)) < 0 || read(control, &answer, 1) != 1)
		err(1, "control port");
}

int main(int argc, char **argv)
{
	struct irqcost_info info = { .size = sizeof(info) };
	struct termios raw;
	unsigned int i;
	int device, control;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		err(1, "sched_setaffinity");
	device = open("/dev/" IRQCOST_DEVICE, O_RDWR);
	if (device < 0 || ioctl(device, IRQCOST_IOC_INFO, &info))
		err(1, "/dev/" IRQCOST_DEVICE);
	if (argc == 3)
		greatest = strtoul(argv[2], NULL, 10);
	control = argc >= 2 ? open(argv[1], O_RDWR | O_NOCTTY) : -1;
	if (control < 0 || tcgetattr(control, &raw))
		err(1, "control port");
	cfmakeraw(&raw);
	tcsetattr(control, TCSANOW, &raw);

	for (i = 0; i < info.nr_probes * IRQCOST_NR_CONTEXTS; i++) {
		struct irqcost_probe probe = {
			.size = sizeof(probe), .index = i / IRQCOST_NR_CONTEXTS,
			.context = i % IRQCOST_NR_CONTEXTS,
		};

		if (ioctl(device, IRQCOST_IOC_PROBE, &probe))
			err(1, "probe %u", i);
		if (!probe.unusable[0])
			add_all(device, &probe);
	}
	fflush(stdout);

	meet(control, "begin\n");
	for (i = 0; i < nr_runs; i++)
		if (ioctl(device, IRQCOST_IOC_RUN, &runs[i]))
			err(1, "run %u (probe %u)", i, runs[i].probe);
	meet(control, "end\n");
	return 0;
}
