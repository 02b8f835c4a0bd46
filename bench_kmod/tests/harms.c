// SPDX-License-Identifier: GPL-2.0-only
/*
 * harms: what a member of the group irqcost could do to others by way of
 * /dev/irqcost, and now cannot.
 *
 * A real-time loop keeps a CPU while contention is asked for there: the run must
 * end by itself within its bound, when killed at once, and hold up no CPU that
 * goes offline. Threads must stay on the caller's CPUs. Samples must be paid for
 * by the caller's control group, and be gone when the run is.
 *
 * Runs as root with the module loaded, on 3 CPUs; on PREEMPT_RT with the kernel
 * parameter rcutree.kthread_prio=95. There RCU works in threads, and with less
 * priority than the loop they get no CPU: no CPU goes offline then until the loop
 * is over, whether the module is loaded or not.
 *
 * Prints TAP; exit code 0 where all is well, 1 where a test failed, 4 where there
 * is no device.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <irqcost/abi.h>
#include <irqcost/catalogue.h>
#include "rows.h"
#include "tap.h"

#define DEVICE "/dev/" IRQCOST_DEVICE
#define CPUS 3

/* The CPUs: of the test itself, of the loop, and the one that goes offline. */
enum { HOME, HOGGED, LEAVING };

/*
 * Longer than any run may take, by so much that no host is too slow to tell
 * whether the run ended by itself or with the loop.
 */
#define LOOP_SECONDS 15

/*
 * What must be done before contention ends by itself is tried so often: a host that
 * takes the emulated CPUs away may delay it once, but a module that prevents it
 * prevents it each time.
 */
#define TRIES 8

#define FILES 60
#define GROUP_MIB 64

/* What a process of its own tells this one. */
static struct {
	_Atomic bool looping;
	_Atomic bool over;	/* the request is answered */
	_Atomic int answer;
} *shared;

static struct irqcost_sample *samples;

static int bind_to(unsigned int first, unsigned int last)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (; first <= last; first++)
		CPU_SET(first, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static bool write_file(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

/* A number of a file such as /proc/meminfo, after its name. */
static long number_of(const char *path, const char *before)
{
	char line[256];
	long value = -1;
	FILE *file = fopen(path, "r");

	while (file && value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, before, strlen(before)))
			value = atol(line + strlen(before));
	if (file)
		fclose(file);
	return value;
}

static int contend(unsigned int first, unsigned int last, unsigned int rounds,
		   unsigned int *done)
{
	struct irqcost_contender contenders[CPUS] = {};
	struct irqcost_contention run = {
		.size = sizeof(run), .probe = ROW_raw_spin_lock_irqsave,
		.section = IRQCOST_HOLD_STEP, .rounds = rounds, .nr_cpus = last - first + 1,
		.contenders = (uintptr_t)contenders, .buffer_bytes = sizeof(contenders),
	};
	const int device = open(DEVICE, O_RDWR);
	unsigned int i;
	int got;

	for (i = 0; i < run.nr_cpus; i++)
		contenders[i].cpu = first + i;
	got = command(device, IRQCOST_IOC_CONTENTION, &run);
	close(device);
	if (done)
		*done = run.rounds;
	return got;
}

/*
 * A real-time loop on the CPU, which yields to no thread of normal priority. This
 * process is bound to another CPU: on that of the loop it would wait until its end.
 */
static pid_t loop(void)
{
	const struct sched_param priority = { .sched_priority = 90 };
	pid_t child;

	bind_to(HOME, HOME);
	child = fork();
	if (!child) {
		double end = now() + LOOP_SECONDS;

		if (bind_to(HOGGED, HOGGED) || sched_setscheduler(0, SCHED_FIFO, &priority))
			_exit(1);
		shared->looping = true;
		while (now() < end)
			;
		_exit(0);
	}
	while (!shared->looping)
		usleep(1000);
	return child;
}

/* End the loop; until its CPU has run what waits there, no other contention may begin. */
static void end_loop(pid_t child)
{
	int tries;

	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	shared->looping = false;
	bind_to(HOME, HOGGED);
	for (tries = 0; tries < 1000 && contend(HOME, HOGGED, 1, NULL) == EBUSY; tries++)
		usleep(10000);
	report(!contend(HOME, HOGGED, 1, NULL), "when the loop is over, contention is as before");
}

static bool running(pid_t child)
{
	return !waitpid(child, NULL, WNOHANG);
}

/* In a process of its own, so that this one stays free to act. */
static pid_t contend_aside(unsigned int rounds)
{
	pid_t child;

	shared->over = false;
	child = fork();
	if (!child) {
		bind_to(HOME, HOGGED);
		shared->answer = contend(HOME, HOGGED, rounds, NULL);
		shared->over = true;
		_exit(0);
	}
	return child;
}

/* How the kernel shares a CPU between real-time and other tasks: 5 % for these, or nothing. */
static void throttle(bool on)
{
	char path[80];
	int cpu;

	write_file("/proc/sys/kernel/sched_rt_runtime_us", on ? "950000" : "-1");
	/* Since 6.12 by a server of its own, which the line above does not reach. */
	for (cpu = 0; cpu < CPUS; cpu++) {
		snprintf(path, sizeof(path), "/debug/sched/fair_server/cpu%d/runtime", cpu);
		write_file(path, on ? "50000000" : "0");
	}
}

/* The longest that contention takes, in seconds. */
static double contention_bound(void)
{
	return irqcost_contention_ms(IRQCOST_MAX_ROUNDS) / 1e3;
}

static void loop_on_a_cpu(bool throttled)
{
	const char *const how = throttled ? "throttled" : "unthrottled";
	unsigned int rounds = 0;
	double since, took;
	pid_t child;
	bool still;
	int got;

	throttle(throttled);
	child = loop();
	bind_to(HOME, HOGGED);
	since = now();
	got = contend(HOME, HOGGED, IRQCOST_MAX_ROUNDS, &rounds);
	took = now() - since;
	still = running(child);
	/* That it ended before the loop shows the bound, however slow the host is. */
	report(!got && still,
	       "beside a loop, %s, contention ends: %s, %u rounds, %.1f s (bound %.1f s)", how,
	       name(got), rounds, took, contention_bound());
	if (still)
		end_loop(child);
	throttle(true);
}

/* Acts while a process of its own contends, begun at that time; true where it succeeded. */
typedef bool (*action_fn)(pid_t contending, double since);

/* Act while contention waits for the CPU of a loop. */
static bool meanwhile(action_fn act)
{
	pid_t hog, child;
	double since;
	bool done;

	throttle(false);
	hog = loop();
	since = now();
	child = contend_aside(IRQCOST_MAX_ROUNDS);
	usleep(300000);
	done = act(child, since) && running(hog);
	end_loop(hog);
	throttle(true);
	return done;
}

static bool try_meanwhile(action_fn act)
{
	int tries;

	for (tries = 0; tries < TRIES; tries++)
		if (meanwhile(act))
			return true;
	return false;
}

/* A run that the signal did not end would keep its process until the bound. */
static bool killed(pid_t contending, double since)
{
	kill(contending, SIGKILL);
	waitpid(contending, NULL, 0);
	return !shared->over && now() - since < contention_bound() / 2;
}

static bool unplugged(pid_t contending, double since)
{
	const char *const online = "/sys/devices/system/cpu/cpu2/online";
	const bool left = write_file(online, "0");
	const bool before = !shared->over && now() - since < contention_bound();

	waitpid(contending, NULL, 0);
	return write_file(online, "1") && left && before;
}

/* One of those that contend goes offline: the run ends. */
static void own_cpu_leaves(void)
{
	const char *const online = "/sys/devices/system/cpu/cpu1/online";
	bool left;
	pid_t child = contend_aside(IRQCOST_MAX_ROUNDS);

	usleep(100000);
	left = write_file(online, "0");
	waitpid(child, NULL, 0);
	report(left && (!shared->answer || shared->answer == EINTR),
	       "a CPU goes offline that contends: %s", name(shared->answer));
	bind_to(HOME, HOGGED);
	report(contend(HOME, HOGGED, 1, NULL) == ENODEV, "then it is refused");
	report(write_file(online, "1"), "and comes back");
}

static void affinity(void)
{
	bind_to(HOME, HOME);
	report(contend(HOME, HOGGED, 1, NULL) == EXDEV,
	       "a caller bound to CPU 0 gets no thread on CPU 1");
	report(!contend(HOME, HOME, 1, NULL), "but on its own");
	bind_to(HOME, CPUS - 1);
	report(!contend(HOME, HOGGED, 1, NULL), "a caller that may run on both gets one on each");
}

static void nothing(int signal)
{
	(void)signal;
}

/* A run with the largest buffer, ended early by a signal: what it allocates is what matters. */
static int run_large(int device)
{
	const struct itimerval soon = { .it_value.tv_usec = 20000 };
	struct irqcost_run run = {
		.size = sizeof(run), .probe = ROW_empty, .mode = IRQCOST_ISOLATED, .cpu = HOME,
		.loops = 1, .chain_loops = 1, .sensor_loops = 1, .samples = IRQCOST_MAX_SAMPLES,
		.buffer = (uintptr_t)samples,
		.buffer_bytes = IRQCOST_MAX_SAMPLES * sizeof(*samples),
	};

	setitimer(ITIMER_REAL, &soon, NULL);
	return command(device, IRQCOST_IOC_RUN, &run);
}

static bool enter_group(const char *group, unsigned int kib)
{
	char path[80], text[32];

	mkdir(group, 0755);
	snprintf(path, sizeof(path), "%s/memory.max", group);
	snprintf(text, sizeof(text), "%uK", kib);
	if (!write_file(path, text))
		return false;
	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	return write_file(path, "0");
}

/* In a control group: what FILES open files take of the machine's memory, each after a run. */
static void many_files(void)
{
	const long before = number_of("/proc/meminfo", "MemFree:");
	long taken;
	int i, device, got, failed = 0;

	for (i = 0; i < FILES; i++) {
		device = open(DEVICE, O_RDWR);
		got = device < 0 ? errno : run_large(device);
		/* A signal before the first sample comes as late as the buffer as well. */
		failed |= got == EINTR ? 0 : got;
	}
	taken = before - number_of("/proc/meminfo", "MemFree:");
	report(!failed && taken < GROUP_MIB * 1024L,
	       "%d open files in a group of %d MiB take %ld kB: %s", FILES, GROUP_MIB, taken,
	       name(failed));
}

static void memory(void)
{
	const unsigned int buffer_kib = IRQCOST_MAX_SAMPLES * sizeof(*samples) / 1024;
	const struct sigaction action = { .sa_handler = nothing };
	int status;
	pid_t child;

	mkdir("/cgroup", 0755);
	if (mount("none", "/cgroup", "cgroup2", 0, NULL) ||
	    !write_file("/cgroup/cgroup.subtree_control", "+memory")) {
		report(true, "samples are accounted # SKIP the kernel has no memcg");
		return;
	}
	sigaction(SIGALRM, &action, NULL);
	bind_to(HOME, HOME);
	fflush(stdout);
	child = fork();
	if (!child) {
		if (!enter_group("/cgroup/files", GROUP_MIB * 1024))
			_exit(2);
		many_files();
		fflush(stdout);
		_exit(failures != 0);
	}
	waitpid(child, &status, 0);
	/* The child has counted its line; so does this process. */
	tests++;
	failures += !WIFEXITED(status) || WEXITSTATUS(status);

	/* The samples do not fit: no memory, or the group's own process dies of it. */
	child = fork();
	if (!child) {
		const int device = open(DEVICE, O_RDWR);

		if (!enter_group("/cgroup/small", buffer_kib / 2))
			_exit(2);
		_exit(run_large(device) == ENOMEM ? 0 : 1);
	}
	waitpid(child, &status, 0);
	report((WIFEXITED(status) && !WEXITSTATUS(status)) ||
	       (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL),
	       "samples that the caller's group has no room for are refused: status %#x", status);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (access(DEVICE, R_OK | W_OK)) {
		printf("1..0 # SKIP %s: %s\n", DEVICE, strerror(errno));
		return 4;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	samples = mmap(NULL, IRQCOST_MAX_SAMPLES * sizeof(*samples), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (shared == MAP_FAILED || samples == MAP_FAILED ||
	    sysconf(_SC_NPROCESSORS_ONLN) < CPUS) {
		printf("1..0 # SKIP needs memory and %d CPUs\n", CPUS);
		return 4;
	}
	mkdir("/debug", 0755);
	mount("none", "/debug", "debugfs", 0, NULL);

	affinity();
	memory();
	own_cpu_leaves();
	loop_on_a_cpu(true);
	loop_on_a_cpu(false);
	report(try_meanwhile(killed), "a signal ends contention that waits for a CPU");
	report(try_meanwhile(unplugged), "a CPU goes offline and back during contention");

	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
