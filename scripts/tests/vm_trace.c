// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs every row of /dev/irqcost once, while QEMU traces each instruction.
 *
 * usage: vm_trace CONTROL
 *
 * Prints a line `key mode unroll` for each run that follows; the mode in situ
 * has its section behind it, in_situ/K. On the serial
 * port CONTROL it says "begin" and waits for a byte before the first run, and
 * says "end" and waits behind the last: so the trace holds the runs only.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <irqcost/abi.h>
#include <irqcost/body.h>

#define MAX_RUNS 2048

static struct irqcost_sample sample;
static struct irqcost_run runs[MAX_RUNS];
static unsigned int nr_runs;

static void add(const struct irqcost_probe *probe, __u32 mode, __u32 unroll, __u32 section)
{
	if (nr_runs == MAX_RUNS)
		errx(1, "more than %d runs", MAX_RUNS);
	runs[nr_runs++] = (struct irqcost_run) {
		.size = sizeof(*runs), .probe = probe->id, .mode = mode, .unroll = unroll,
		.section = section, .loops = 1, .chain_loops = 1, .sensor_loops = 1, .samples = 1,
		.buffer = (unsigned long)&sample, .buffer_bytes = sizeof(sample),
	};
}

static void add_all(const struct irqcost_probe *probe)
{
	unsigned int unroll, i;

	if (probe->modes & 1 << IRQCOST_THROUGHPUT) {
		for (unroll = probe->min_unroll; unroll <= probe->max_unroll; unroll *= 2) {
			printf("%s throughput %u\n", probe->key, unroll);
			add(probe, IRQCOST_THROUGHPUT, unroll, 0);
		}
	}
	if (probe->modes & 1 << IRQCOST_LATENCY) {
		printf("%s latency 0\n", probe->key);
		add(probe, IRQCOST_LATENCY, 0, 0);
	}
	if (probe->modes & 1 << IRQCOST_IN_SITU) {
		for (i = 0; i < IRQCOST_NR_SECTIONS; i++) {
			printf("%s in_situ/%u 0\n", probe->key, irqcost_sections[i]);
			add(probe, IRQCOST_IN_SITU, 0, irqcost_sections[i]);
		}
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
	control = argc == 2 ? open(argv[1], O_RDWR | O_NOCTTY) : -1;
	if (control < 0 || tcgetattr(control, &raw))
		err(1, "control port");
	cfmakeraw(&raw);
	tcsetattr(control, TCSANOW, &raw);

	for (i = 0; i < info.nr_probes; i++) {
		struct irqcost_probe probe = { .size = sizeof(probe), .index = i };

		if (ioctl(device, IRQCOST_IOC_PROBE, &probe))
			err(1, "probe %u", i);
		if (!probe.unusable[0])
			add_all(&probe);
	}
	fflush(stdout);

	meet(control, "begin\n");
	for (i = 0; i < nr_runs; i++)
		if (ioctl(device, IRQCOST_IOC_RUN, &runs[i]))
			err(1, "run %u (probe %u)", i, runs[i].probe);
	meet(control, "end\n");
	return 0;
}
