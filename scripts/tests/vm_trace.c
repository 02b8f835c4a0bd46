// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs every row of /dev/irqcost once, while QEMU traces each instruction.
 *
 * usage: vm_trace CONTROL
 *
 * Prints a line `key mode unroll` for each run that follows. On the serial
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

#define MAX_RUNS 256

static void meet(int control, const char *word)
{
	char answer;

	if (write(control, word, strlen(word)) < 0 || read(control, &answer, 1) != 1)
		err(1, "control port");
}

int main(int argc, char **argv)
{
	struct irqcost_info info = { .size = sizeof(info) };
	static struct irqcost_run runs[MAX_RUNS];
	struct irqcost_sample sample;
	struct termios raw;
	unsigned int i, n = 0;
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
		unsigned int mode, unroll;

		if (ioctl(device, IRQCOST_IOC_PROBE, &probe))
			err(1, "probe %u", i);
		if (probe.unusable[0])
			continue;
		for (mode = IRQCOST_THROUGHPUT; mode <= IRQCOST_LATENCY; mode++) {
			if (!(probe.modes & 1u << mode))
				continue;
			unroll = mode == IRQCOST_THROUGHPUT ? probe.min_unroll : 0;
			do {
				if (n == MAX_RUNS)
					errx(1, "more than %d runs", MAX_RUNS);
				printf("%s %s %u\n", probe.key,
				       mode == IRQCOST_THROUGHPUT ? "throughput" : "latency", unroll);
				runs[n++] = (struct irqcost_run) {
					.size = sizeof(*runs), .probe = probe.id, .mode = mode,
					.unroll = unroll, .loops = 1, .chain_loops = 1,
					.sensor_loops = 1, .samples = 1,
					.buffer = (unsigned long)&sample, .buffer_bytes = sizeof(sample),
				};
				unroll *= 2;
			} while (unroll && unroll <= probe.max_unroll);
		}
	}
	fflush(stdout);

	meet(control, "begin\n");
	for (i = 0; i < n; i++)
		if (ioctl(device, IRQCOST_IOC_RUN, &runs[i]))
			err(1, "run %u (probe %u)", i, runs[i].probe);
	meet(control, "end\n");
	return 0;
}
