// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts the instructions of every row of /dev/irqcost on a machine whose clock has one tick an
 * instruction (QEMU's -icount shift=0).
 *
 * usage: count
 *
 * Prints a line for each of these, all numbers in decimal:
 *
 *	module HASH CONFIG COMPILER
 *	count KEY MODE LEAST MOST OPERATIONS	ticks that body has more than base, of all samples
 *						that no interrupt came into
 *	absent KEY MODE REASON
 *	text KEY FUNCTION BYTES			of the single window, in hexadecimal
 *	target KEY OFFSET SYMBOL		of its calls
 *
 * MODE is throughput, throughput/CONTEXT, isolated, in_situ/CYCLES or in_situ/percpu.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <irqcost/abi.h>
#include <irqcost/body.h>

/* A timer interrupt comes every few million ticks, and a sample is some thousands. */
#define SAMPLES 8

static const char *const contexts[] = { "", "/softirq", "/hardirq", "/timer" };
static struct irqcost_sample samples[SAMPLES];
static struct irqcost_text text;

static void measure(int device, const struct irqcost_probe *probe, const char *mode,
		    struct irqcost_run run)
{
	unsigned long long least = 0, most = 0, ticks;
	unsigned int clean = 0, i;

	run.size = sizeof(run);
	run.probe = probe->id;
	run.context = probe->context;
	run.loops = 1;
	run.chain_loops = 1;
	run.sensor_loops = 1;
	run.samples = SAMPLES;
	run.buffer = (unsigned long)samples;
	run.buffer_bytes = sizeof(samples);
	if (ioctl(device, IRQCOST_IOC_RUN, &run)) {
		printf("absent %s %s%s the module says: %s\n", probe->key, mode,
		       contexts[probe->context], strerror(errno));
		return;
	}
	for (i = 0; i < run.samples; i++) {
		if (samples[i].flags)
			continue;
		ticks = samples[i].body - samples[i].base;
		least = clean && least < ticks ? least : ticks;
		most = clean && most > ticks ? most : ticks;
		clean++;
	}
	if (clean)
		printf("count %s %s%s %llu %llu %llu\n", probe->key, mode,
		       contexts[probe->context], least, most, run.ops);
	else
		printf("absent %s %s%s interrupts came into every sample\n", probe->key, mode,
		       contexts[probe->context]);
}

static void measure_all(int device, const struct irqcost_probe *probe)
{
	struct irqcost_run run = { 0 };
	char mode[32];
	unsigned int i;

	if (probe->modes & 1 << IRQCOST_THROUGHPUT) {
		run.mode = IRQCOST_THROUGHPUT;
		run.unroll = probe->min_unroll;
		measure(device, probe, "throughput", run);
		run.unroll = 0;
	}
	if (probe->modes & 1 << IRQCOST_ISOLATED) {
		run.mode = IRQCOST_ISOLATED;
		measure(device, probe, "isolated", run);
	}
	for (i = 0; probe->modes & 1 << IRQCOST_IN_SITU && i < IRQCOST_NR_SECTIONS; i++) {
		run.mode = IRQCOST_IN_SITU;
		run.section = irqcost_sections[i];
		snprintf(mode, sizeof(mode), "in_situ/%u", run.section);
		measure(device, probe, mode, run);
	}
	run.section = 0;
	if (probe->modes & 1 << IRQCOST_IN_SITU_PERCPU) {
		run.mode = IRQCOST_IN_SITU_PERCPU;
		measure(device, probe, "in_situ/percpu", run);
	}
}

static void print_text(int device, const struct irqcost_probe *probe)
{
	unsigned int i;

	memset(&text, 0, sizeof(text));
	text.size = sizeof(text);
	text.probe = probe->id;
	if (ioctl(device, IRQCOST_IOC_TEXT, &text))
		return;
	printf("text %s %s ", probe->key, text.symbol);
	for (i = 0; i < text.length; i++)
		printf("%02x", text.bytes[i]);
	putchar('\n');
	for (i = 0; i < text.nr_targets; i++)
		printf("target %s %u %s\n", probe->key, text.targets[i].offset,
		       text.targets[i].symbol);
}

int main(void)
{
	struct irqcost_info info = { .size = sizeof(info) };
	unsigned int i;
	cpu_set_t cpus;
	int device;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		err(1, "sched_setaffinity");
	device = open("/dev/" IRQCOST_DEVICE, O_RDWR);
	if (device < 0 || ioctl(device, IRQCOST_IOC_INFO, &info))
		err(1, "/dev/" IRQCOST_DEVICE);
	printf("module %llu %llu %s\n", info.catalogue_hash, info.config, info.compiler);

	for (i = 0; i < info.nr_probes * IRQCOST_NR_CONTEXTS; i++) {
		struct irqcost_probe probe = {
			.size = sizeof(probe), .index = i / IRQCOST_NR_CONTEXTS,
			.context = i % IRQCOST_NR_CONTEXTS,
		};

		if (ioctl(device, IRQCOST_IOC_PROBE, &probe))
			err(1, "probe %u", i);
		if (!probe.context)
			print_text(device, &probe);
		if (!probe.unusable[0])
			measure_all(device, &probe);
		else
			printf("absent %s %s%s %s\n", probe.key,
			       probe.context ? "throughput" : "*", contexts[probe.context],
			       probe.unusable);
	}
	return 0;
}
