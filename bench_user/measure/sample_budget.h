/* SPDX-License-Identifier: GPL-2.0-only */
// The sample budget: allocates the sampling time that is left.
#ifndef IRQCOST_BENCH_USER_MEASURE_SAMPLE_BUDGET_H
#define IRQCOST_BENCH_USER_MEASURE_SAMPLE_BUDGET_H

#include <cstddef>
#include <span>
#include <vector>

namespace irqcost {

/** What one of several benchmarks has, and would need. */
struct SampleDemand {
  double error = 0;         ///< standard error of its figure, in multiples of what it may be
  std::size_t samples = 0;  ///< of which it is
  double sample_us = 0;     ///< what one more takes
  std::size_t most = 0;     ///< samples that it can have beyond those
};

/**
 * Samples for each demand, in their order, that fit into the time together. An error falls as the
 * root of the number of samples. So that as many figures as possible come to what they may be,
 * those that need least go first; those that will not get there share what is left over.
 */
std::vector<std::size_t> AllocateSamples(std::span<const SampleDemand> demands, double us);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MEASURE_SAMPLE_BUDGET_H
