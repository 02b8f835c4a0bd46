/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BACKENDS_AFFINITY_H
#define IRQCOST_BENCH_USER_BACKENDS_AFFINITY_H

#include <vector>

namespace irqcost {

/** CPUs on which this thread may run, ascending. Throws std::system_error. */
std::vector<int> AllowedCpus();

/** Lets the calling thread run on these CPUs. Throws std::system_error. */
void BindToCpus(const std::vector<int>& cpus);

/** Binds the calling thread to one CPU. Throws std::system_error. */
void PinToCpu(int cpu);

/**
 * Context switches of the calling thread so far, voluntary or not: between two equal
 * numbers no other task ran on its CPU. Throws std::system_error.
 */
long ContextSwitches();

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_AFFINITY_H
