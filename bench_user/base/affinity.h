/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BASE_AFFINITY_H
#define IRQCOST_BENCH_USER_BASE_AFFINITY_H

#include <system_error>
#include <vector>

namespace irqcost {

/** A CPU is not there (any more), or not for this process: it went offline, or left its cpuset. */
struct CpuGone : std::system_error {
  explicit CpuGone(int cpu);
};

/** CPUs on which this thread may run, ascending. Throws std::system_error. */
std::vector<int> AllowedCpus();

/** Lets the calling thread run on these CPUs. Throws CpuGone, std::system_error. */
void BindToCpus(const std::vector<int>& cpus);

/** Binds the calling thread to one CPU. Throws CpuGone, std::system_error. */
void PinToCpu(int cpu);

/**
 * Whether the kernel would bind the calling thread to a CPU, its affinity notwithstanding: isolated
 * CPUs are in none by default, while a cpuset says the last word. The thread stays as it is. Throws
 * std::system_error.
 */
bool CanBindTo(int cpu);

/**
 * Context switches of the calling thread so far, voluntary or not: between two equal
 * numbers no other task ran on its CPU. Throws std::system_error.
 */
long ContextSwitches();

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BASE_AFFINITY_H
