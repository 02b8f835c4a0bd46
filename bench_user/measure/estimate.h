/* SPDX-License-Identifier: GPL-2.0-only */
// From judged samples to figures. Pure functions: no input, no output, no clock.
#ifndef IRQCOST_BENCH_USER_MEASURE_ESTIMATE_H
#define IRQCOST_BENCH_USER_MEASURE_ESTIMATE_H

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "measure/recording.h"

namespace irqcost {

/**
 * What represents the windows of a row, each divided by its local clock (docs/method/estimate.md).
 * - kLowBand, throughput: noise only adds, so that the lowest windows are the undisturbed ones.
 * - kWithinDeviations, isolated and in situ: a window is a sum over hundreds of pairs of stamps, or
 *   row and section meet in several ways, which errs to both sides.
 * - kLowQuantile: where one tick is one instruction there is no noise, and a mean of windows that
 *   went different ways would be the count of none of them.
 */
enum class Location { kLowBand, kWithinDeviations, kLowQuantile };

/** How an estimate is made. */
struct Method {
  Location location = Location::kLowBand;
  bool with_cycles = true;  ///< whether the chain counts core cycles on this machine
  double step = 0;          ///< by what the clock of the windows advances, in its units
};

/** Figures of one benchmark, per operation. */
struct Estimate {
  double ticks = 0;
  std::optional<double> core_cycles;
  double ticks_min = 0;  ///< min, p50 and p99 are of all samples
  double ticks_p50 = 0;
  double ticks_p99 = 0;
  double spread = 0;  ///< p75 - p25, ticks, of the samples used
  double error = 0;   ///< standard error by the number of samples, in core cycles, else in ticks
  std::size_t samples = 0;
  std::size_t clean = 0;
  std::size_t unknown = 0;  ///< neither clean nor flagged, and without a clock to be judged by
  std::size_t interrupted = 0;
  std::size_t preempted = 0;
  std::size_t migrated = 0;
  /** What one step of the clock is of a figure, in its unit: no figure is known better. */
  double ticks_resolution = 0;
  double cycles_resolution = 0;
  double sensor = 0;  ///< core cycles per operation of the sensor: median of the samples used
  double cycle = 0;   ///< ticks of a core cycle: median of the local clocks of the samples used
  /** Core cycles in a cycle of the chain by the CPU's counter of them, where one counted. */
  std::optional<double> counted_cycles;
  std::string label;  ///< kCleanLabel, or why the figure is unreliable
};

/** The label of an estimate of enough clean samples. */
inline constexpr const char* kCleanLabel = "clean";

/**
 * Estimates from at least one point.
 * @recording: where the points are from; its level of the sensor has a part in the label.
 */
Estimate EstimateFrom(std::span<const Judged> points, const Method& method,
                      const Recording& recording);

/** Costs per operation of all samples, in one unit. */
struct Distribution {
  std::vector<double> clean;
  std::vector<double> contaminated;
};

/** The costs of samples: in core cycles by their local clock, or in ticks. */
Distribution Distribute(std::span<const Judged> points, bool in_cycles);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MEASURE_ESTIMATE_H
