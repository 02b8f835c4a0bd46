/* SPDX-License-Identifier: GPL-2.0-only */
// By how much a clock advances at once. Some hardware and many hosts count in steps of 10 ns, which
// in ticks need not be a whole number: 24.5 where the TSC has 2.45 GHz.
#ifndef IRQCOST_BENCH_USER_MACHINE_CLOCK_STEP_H
#define IRQCOST_BENCH_USER_MACHINE_CLOCK_STEP_H

#include <cstdint>
#include <functional>
#include <vector>

namespace irqcost {

/**
 * The step of a clock whose readings, rounded down to whole numbers, these are; 1 where it has no
 * step that shows.
 */
double ClockStep(const std::vector<std::uint64_t>& readings);

/** Reads a clock some thousand times, at distances that differ, and finds its step. */
double MeasureStep(const std::function<std::uint64_t()>& read);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MACHINE_CLOCK_STEP_H
