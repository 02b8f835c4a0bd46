/* SPDX-License-Identifier: GPL-2.0-only */
// By what a clock advances.
#ifndef IRQCOST_BENCH_USER_MACHINE_CLOCK_STEP_H
#define IRQCOST_BENCH_USER_MACHINE_CLOCK_STEP_H

#include <cstdint>
#include <vector>

namespace irqcost {

/**
 * The step of a clock, from at least one duration between two of its readings. Where all are
 * multiples of a number it is that number. A step need not be whole: one of 24.5 ticks shows as
 * durations of 0, 24, 25, 49, 73 and 74, clusters of neighbouring numbers; it is the least distance
 * between two of those. Where durations are any number, it is 1.
 */
double ClockStep(std::vector<std::uint64_t> durations);

/** The step of the TSC, in ticks. */
double TscStep();

/** The step of CLOCK_MONOTONIC, which bpf_ktime_get_ns() reads too, in nanoseconds. */
double MonotonicStepNs();

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MACHINE_CLOCK_STEP_H
