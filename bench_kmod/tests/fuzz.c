// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz: random requests to /dev/irqcost, right and wrong ones, from several
 * processes at once, while signals arrive, processes are killed, the module is
 * unloaded and loaded, memory runs short and a CPU goes and comes back.
 *
 * usage: fuzz MODULE.ko [-s SEED] [-n REQUESTS] [-t SECONDS] [-p N] [-d]
 *
 * N processes; ends after REQUESTS or SECONDS, whichever is first. -d: disturb as
 * well, by memory pressure and hotplug. What is sent follows from SEED; how
 * processes interleave does not.
 *
 * Runs as root in a guest of its own, without the module loaded, and leaves it
 * unloaded. The kernel's log is for the caller to judge, and so is the growth of
 * the kernel's memory, which is printed. Exit code 0 where every answer was one
 * that abi.h allows, and every load and unload did what it must; else 1.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <irqcost/abi.h>
#include <irqcost/body.h>
#include <irqcost/catalogue.h>
#include "fuzz_requests.h"

#define DEVICE "/dev/" IRQCOST_DEVICE
#define MAX_PROCESSES 64
/* How long the processes run until all are killed and the module is loaded anew. */
#define ROUND_SECONDS 5

/* --- the processes --------------------------------------------------------- */

static void ignore(int signal)
{
	(void)signal;
}

/* Interrupt what is under way, after a while that differs. */
static void ring_later(void)
{
	struct itimerval timer = { .it_value.tv_usec = 100 + below(20000) };

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void worker(void)
{
	struct sigaction action = { .sa_handler = ignore };
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	int device = -1;

	sigaction(SIGALRM, &action, NULL);
	arena = mmap(NULL, ARENA_BYTES + PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	constant = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (arena == MAP_FAILED || constant == MAP_FAILED ||
	    munmap(arena + ARENA_BYTES, PAGE))
		err(1, "memory");
	bind_to(below(cpus));
	while (__atomic_load_n(&tally->sent, __ATOMIC_RELAXED) < tally->limit) {
		if (device < 0 || one_in(64)) {
			if (device >= 0)
				close(device);
			device = open(DEVICE, O_RDWR);
			if (device < 0)
				err(1, DEVICE);
		}
		if (!nr_runnable)
			ask_what_runs(device);
		if (one_in(64))
			bind_to(below(cpus));
		if (one_in(32))
			ring_later();
		send_one(device);
	}
	exit(0);
}

/* Take half of what memory is free, and give it back, again and again. */
static void press(void)
{
	for (;;) {
		size_t size = sysconf(_SC_AVPHYS_PAGES) * PAGE / 2;
		char *taken = mmap(NULL, size, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		size_t i;

		if (taken != MAP_FAILED) {
			for (i = 0; i < size; i += PAGE)
				taken[i] = 1;
			usleep(1000 * below(100));
			munmap(taken, size);
		}
		usleep(1000 * below(200));
	}
}

static bool set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, value, strlen(value)) > 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

#define SECOND_CPU "/sys/devices/system/cpu/cpu1/online"

/* Take the second CPU away and give it back. A run on it must end, not hang. */
static void plug(void)
{
	for (;;) {
		usleep(1000 * (200 + below(800)));
		set(SECOND_CPU, "0");
		usleep(1000 * below(300));
		set(SECOND_CPU, "1");
	}
}

static pid_t start(void (*body)(void), __u64 seed)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Neighbouring seeds must not begin in the same way, and none may be 0. */
		state = (seed + 1) * 0x9e3779b97f4a7c15ULL | 1;
		rnd();
		body();
	}
	return child;
}

/* --- the module ------------------------------------------------------------ */

/* Both return an errno, 0 for success. */
static int load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error;

	if (fd < 0)
		err(1, "%s", path);
	error = syscall(SYS_finit_module, fd, "", 0) ? errno : 0;
	close(fd);
	return error;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "irqcost", O_NONBLOCK) ? errno : 0;
}

/* --- the whole --------------------------------------------------------------- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Memory in kB that the kernel holds and cannot give back, with all caches dropped. */
static long kernel_memory(void)
{
	static const char *const kinds[] = {
		"SUnreclaim:", "KernelStack:", "PageTables:", "VmallocUsed:", "Percpu:",
	};
	char name[64];
	FILE *file;
	long sum = 0, value;
	size_t i;

	set("/proc/sys/vm/drop_caches", "3");
	file = fopen("/proc/meminfo", "re");
	if (!file)
		err(1, "/proc/meminfo");
	while (fscanf(file, "%63s %ld%*[^\n]", name, &value) == 2)
		for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
			if (!strcmp(name, kinds[i]))
				sum += value;
	fclose(file);
	return sum;
}

static int failures;

static void expect(bool ok, const char *what, const char *got)
{
	if (ok)
		return;
	failures++;
	printf("# %s: %s\n", what, got);
}

/* One life of the module: load, requests from all sides until @until, unload. */
static void round_of(const char *module, __u64 seed, int processes, bool disturb, double until)
{
	pid_t children[MAX_PROCESSES + 2];
	int nr = 0, i, status, held, error;

	error = load(module);
	expect(!error, "loading the module", strerror(error));
	held = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (held < 0)
		err(1, DEVICE);
	for (i = 0; i < processes; i++)
		children[nr++] = start(worker, seed * MAX_PROCESSES + i);
	if (disturb) {
		children[nr++] = start(press, seed);
		children[nr++] = start(plug, seed);
	}

	while (now() < until && tally->sent < tally->limit) {
		/* A process dies in whatever it does just then, and another begins. */
		i = below(processes);
		usleep(1000 * (50 + below(200)));
		if (one_in(4)) {
			kill(children[i], SIGKILL);
			waitpid(children[i], NULL, 0);
			children[i] = start(worker, rnd());
		}
		error = unload();
		expect(error == EAGAIN || error == EBUSY, "unloading while in use",
		       error ? strerror(error) : "was not refused");
	}

	for (i = 0; i < nr; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], &status, 0);
		/* Done, or killed by us: whatever else ended it is of interest. */
		expect(i >= processes || (WIFEXITED(status) && !WEXITSTATUS(status)) ||
		       (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL),
		       "a process ended early", WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) :
		       "of itself");
	}
	if (disturb)
		set(SECOND_CPU, "1");
	close(held);
	error = unload();
	expect(!error, "unloading the module", strerror(error));
}

/* Return: how many were accepted. */
static __u64 print_answers(void)
{
	__u64 accepted = 0;
	size_t i, j;

	for (i = 0; i < NR_REQUESTS; i++) {
		printf("# %-8s", requests[i].name);
		for (j = 0; j < NR_ALLOWED; j++)
			if (tally->answers[i][j])
				printf(" %s %llu", allowed[j] ? strerrorname_np(allowed[j]) : "ok",
				       (unsigned long long)tally->answers[i][j]);
		putchar('\n');
		/* allowed[0] */
		accepted += tally->answers[i][0];
	}
	return accepted;
}

int main(int argc, char **argv)
{
	__u64 seed = time(NULL), limit = UINT64_MAX;
	int processes = 4, option, rounds = 0;
	double seconds = 1e9, begin = now();
	bool disturb = false;
	long memory = 0;

	while ((option = getopt(argc, argv, "s:n:t:p:d")) != -1) {
		switch (option) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			limit = strtoull(optarg, NULL, 0);
			break;
		case 't':
			seconds = strtod(optarg, NULL);
			break;
		case 'p':
			processes = atoi(optarg);
			break;
		case 'd':
			disturb = true;
			break;
		default:
			return 2;
		}
	}
	if (optind + 1 != argc || processes < 1 || processes > MAX_PROCESSES ||
	    (limit == UINT64_MAX && seconds == 1e9))
		errx(2, "usage: fuzz MODULE.ko [-s SEED] [-n REQUESTS] [-t SECONDS] [-p N] [-d]");
	printf("seed %llu\n", (unsigned long long)seed);

	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	if (tally == MAP_FAILED)
		err(1, "memory");
	tally->limit = limit;
	state = seed | 1;
	while (now() - begin < seconds && tally->sent < limit) {
		double until = now() + ROUND_SECONDS;

		round_of(argv[optind], seed + rounds, processes, disturb,
			 until < begin + seconds ? until : begin + seconds);
		/* The first round warms caches up that stay. */
		if (!rounds++)
			memory = kernel_memory();
	}

	printf("accepted %llu\n", (unsigned long long)print_answers());
	printf("rounds %d\n", rounds);
	printf("memory_growth_kb %ld\n", kernel_memory() - memory);
	printf("requests %llu\n", (unsigned long long)tally->sent);
	printf("failures %llu\n", (unsigned long long)(tally->wrong + failures));
	return tally->wrong || failures;
}
