// SPDX-License-Identifier: GPL-2.0-only
/*
 * privilege: what the module offers where it finds the kernel in ring 3, as the
 * one under test is built to (IRQCOST_PRIVILEGE=3; the kernel that it really runs
 * in is in ring 0).
 *
 * Instructions of ring 0 must be refused with a reason, in each command; what ring
 * 3 may run and what calls the kernel's API must not. Prints TAP; exit code 0
 * where all is well, 1 where a test failed, 4 where there is no device.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <irqcost/abi.h>
#include <irqcost/catalogue.h>
#include "rows.h"
#include "tap.h"

/* The rows that must be refused; the others by contrast. */
#define IRQCOST_INSN(id, key, group, where, ...) { id, !(IRQCOST_##where & IRQCOST_RING3) },
#define IRQCOST_CALL(...)
static const struct {
	__u32 id;
	bool traps;
} instructions[] = {
#include <irqcost/probes.def>
};

static bool traps(__u32 id)
{
	unsigned int i;

	for (i = 0; i < sizeof(instructions) / sizeof(*instructions); i++)
		if (instructions[i].id == id)
			return instructions[i].traps;
	return false;
}

static int run(int device, __u32 row)
{
	struct irqcost_sample sample;
	struct irqcost_run run = {
		.size = sizeof(run), .probe = row, .mode = IRQCOST_ISOLATED, .loops = 1,
		.chain_loops = 1, .sensor_loops = 1, .samples = 1,
		.buffer = (uintptr_t)&sample, .buffer_bytes = sizeof(sample),
	};

	return command(device, IRQCOST_IOC_RUN, &run);
}

static int pend(int device, __u32 row)
{
	struct irqcost_pending_sample sample;
	struct irqcost_pending pending = {
		.size = sizeof(pending), .probe = row, .hold_ns = 1000, .samples = 1,
		.buffer = (uintptr_t)&sample, .buffer_bytes = sizeof(sample),
	};

	return command(device, IRQCOST_IOC_PENDING, &pending);
}

int main(void)
{
	static const char reason[] = "the kernel runs in ring 3";
	const int device = open("/dev/" IRQCOST_DEVICE, O_RDWR);
	struct irqcost_info info = { .size = sizeof(info) };
	unsigned int i, refused = 0, offered = 0;
	bool right = true;
	cpu_set_t first;
	int got;

	if (device < 0) {
		printf("1..0 # SKIP no device\n");
		return 4;
	}
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	report(!command(device, IRQCOST_IOC_INFO, &info) && info.privilege == 3,
	       "INFO tells privilege level %u", info.privilege);
	report(strstr(info.compiler, "gcc") || strstr(info.compiler, "clang"),
	       "and the compiler: %s", info.compiler);
	for (i = 0; i < info.nr_probes; i++) {
		struct irqcost_probe probe = { .size = sizeof(probe), .index = i };

		if (command(device, IRQCOST_IOC_PROBE, &probe))
			right = false;
		if (traps(probe.id) != !strncmp(probe.unusable, reason, strlen(reason))) {
			printf("# %s: %s\n", probe.key, probe.unusable);
			right = false;
		}
		refused += traps(probe.id);
		offered += !probe.unusable[0];
	}
	report(right && refused && offered, "%u rows would trap, %u are offered", refused, offered);
	got = run(device, ROW_cli);
	report(got == EOPNOTSUPP, "a run of cli gives %s", name(got));
	got = run(device, ROW_pushf);
	report(!got, "one of pushf gives %s", name(got));
	got = run(device, ROW_local_irq_save_restore);
	report(!got, "one of the kernel's API gives %s", name(got));
	got = pend(device, ROW_cli_sti);
	report(got == EOPNOTSUPP, "an interrupt after cli gives %s", name(got));
	got = pend(device, ROW_local_irq_save_restore);
	report(!got, "one after the API gives %s", name(got));

	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
