// SPDX-License-Identifier: GPL-2.0-only
/*
 * unload MODULE: the module goes right after a run, from each context.
 *
 * The last handler may still be on its way back to the kernel when the file is
 * closed: unloading has to wait for it. Runs as root with the module loaded, and
 * loads it again from the file MODULE. Prints TAP; exit code 0 where all is
 * well, 1 where a test failed.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <irqcost/abi.h>
#include "rows.h"

#define ROUNDS 20
#define DEVICE "/dev/" IRQCOST_DEVICE

static int load(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	int ret = syscall(SYS_finit_module, file, "", 0);

	close(file);
	return ret;
}

/* The errno of one run in a context, 0 where it succeeds. */
static int run_in(__u32 context, int cpu)
{
	struct irqcost_sample sample;
	struct irqcost_run run = {
		.size = sizeof(run), .probe = ROW_dep_imul, .mode = IRQCOST_THROUGHPUT, .cpu = cpu,
		.unroll = 4, .loops = 1, .chain_loops = 1, .sensor_loops = 1, .samples = 1,
		.context = context, .buffer = (uintptr_t)&sample, .buffer_bytes = sizeof(sample),
	};
	int device = open(DEVICE, O_RDWR | O_CLOEXEC);
	int error = device < 0 || ioctl(device, IRQCOST_IOC_RUN, &run) ? errno : 0;

	close(device);
	return error;
}

int main(int argc, char **argv)
{
	int cpu = sched_getcpu(), failures = 0, round, error;
	__u32 context;
	cpu_set_t set;

	if (argc != 2)
		errx(2, "usage: unload MODULE");
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "sched_setaffinity");
	for (context = 0; context < IRQCOST_NR_CONTEXTS; context++) {
		for (round = 0, error = 0; round < ROUNDS && !error; round++) {
			error = run_in(context, cpu);
			if (!error && (syscall(SYS_delete_module, "irqcost", O_NONBLOCK) ||
				       load(argv[1])))
				error = errno;
		}
		printf("%sok %u - unloading after a run in context %u: %s\n", error ? "not " : "",
		       context + 1, context, error ? strerror(error) : "fine");
		failures += !!error;
	}
	printf("1..%d\n", IRQCOST_NR_CONTEXTS);
	return failures ? 1 : 0;
}
