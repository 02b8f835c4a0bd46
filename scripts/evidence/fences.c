// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an isolated figure reads where the truth is known: a chain of dependent multiplies between
 * two fences. It is timed once for each pair of stamps, as mode `isolated` does, and 16 times.
 *
 *     gcc -O2 -o fences fences.c && ./fences [CPU]
 *
 * Prints a line for each chain: its multiplies, and the core cycles that either way reads, as the
 * median of 15 rounds with the least and the most. A dependent add is one core cycle.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SAMPLES = 1000, ROUNDS = 15, REPEATS = 16 };

static inline uint64_t stamp(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

#define CHAIN(n) ".rept " #n "\n imul %%rcx, %%rcx\n .endr\n"

#define WINDOWS(n)                                                                               \
	static uint64_t once_##n(void)                                                           \
	{                                                                                        \
		uint64_t begin = stamp();                                                        \
		__asm__ volatile("lfence\n" CHAIN(n)::: "rcx", "cc", "memory");                   \
		return stamp() - begin;                                                          \
	}                                                                                        \
	static uint64_t repeated_##n(void)                                                       \
	{                                                                                        \
		uint64_t begin = stamp();                                                        \
		__asm__ volatile("mov %0, %%edx\n"                                               \
				 "1: lfence\n" CHAIN(n) "lfence\n"                               \
				 "dec %%edx\n jnz 1b\n" ::"i"(REPEATS) : "rcx", "rdx", "cc");    \
		return stamp() - begin;                                                          \
	}

WINDOWS(0) WINDOWS(1) WINDOWS(2) WINDOWS(4) WINDOWS(8) WINDOWS(16) WINDOWS(32)

/* Dependent adds, one core cycle each: the loops differ by 2,000 of them. */
#define CLOCK(n)                                                                                 \
	static uint64_t clock_##n(void)                                                          \
	{                                                                                        \
		uint64_t begin = stamp();                                                        \
		__asm__ volatile("mov %0, %%edx\n"                                               \
				 "1: .rept 100\n add %%rbx, %%rcx\n .endr\n"                     \
				 "dec %%edx\n jnz 1b\n" ::"i"(n) : "rcx", "rdx", "cc");          \
		return stamp() - begin;                                                          \
	}

CLOCK(20) CLOCK(40)

static uint64_t (*const windows[])(void) = {
	once_0,	    once_1,	once_2,	    once_4,	once_8,	     once_16,	  once_32,
	repeated_0, repeated_1, repeated_2, repeated_4, repeated_8,  repeated_16, repeated_32,
	clock_20,   clock_40,
};

enum { CHAINS = 7, WINDOW_COUNT = 2 * CHAINS + 2 };

static const int length[CHAINS] = { 0, 1, 2, 4, 8, 16, 32 };

static uint64_t ticks[WINDOW_COUNT][SAMPLES];
static double read_once[CHAINS][ROUNDS], read_repeated[CHAINS][ROUNDS];

static int by_ticks(const void *one, const void *other)
{
	uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

	return (a > b) - (a < b);
}

static int by_cycles(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

/* From the 10th to the 75th percentile. */
static double trimmed_mean(uint64_t *values)
{
	int from = SAMPLES / 10, to = SAMPLES * 3 / 4;
	double sum = 0;

	qsort(values, SAMPLES, sizeof(*values), by_ticks);
	for (int i = from; i < to; i++)
		sum += values[i];
	return sum / (to - from);
}

/* So that windows meet the steps of a coarse TSC in every phase: 0 to 255 multiplies. */
static void vary_phase(void)
{
	static uint32_t state = 1;
	uint64_t value = 3;

	state = state * 1664525 + 1013904223;
	for (uint32_t left = state >> 24; left; left--)
		__asm__ volatile("imul %0, %0" : "+r"(value));
}

static void measure(int round)
{
	double mean[WINDOW_COUNT], cycle;

	for (int i = -100; i < SAMPLES; i++)
		for (int k = 0; k < WINDOW_COUNT; k++) {
			uint64_t took = 0;

			for (int shot = k < CHAINS ? REPEATS : 1; shot; shot--) {
				vary_phase();
				took += windows[k]();
			}
			if (i >= 0)
				ticks[k][i] = took;
		}
	for (int k = 0; k < WINDOW_COUNT; k++)
		mean[k] = trimmed_mean(ticks[k]);
	cycle = (mean[2 * CHAINS + 1] - mean[2 * CHAINS]) / 2000;
	for (int k = 0; k < CHAINS; k++) {
		read_once[k][round] = (mean[k] - mean[0]) / REPEATS / cycle;
		read_repeated[k][round] = (mean[CHAINS + k] - mean[CHAINS]) / REPEATS / cycle;
	}
}

int main(int argc, char **argv)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(argc > 1 ? atoi(argv[1]) : 0, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus)) {
		perror("fences: this CPU is not one to run on");
		return 1;
	}
	for (int round = 0; round < ROUNDS; round++)
		measure(round);
	for (int k = 0; k < CHAINS; k++) {
		double *once = read_once[k], *repeated = read_repeated[k];

		qsort(once, ROUNDS, sizeof(*once), by_cycles);
		qsort(repeated, ROUNDS, sizeof(*repeated), by_cycles);
		printf("%2d once %6.2f (%.2f to %.2f) repeated %6.2f (%.2f to %.2f)\n", length[k],
		       once[ROUNDS / 2], once[0], once[ROUNDS - 1], repeated[ROUNDS / 2],
		       repeated[0], repeated[ROUNDS - 1]);
	}
	return 0;
}
