/* SPDX-License-Identifier: GPL-2.0-only */
// Round-robin sampling. A neighbour comes for some tenths of a second. Where each
// benchmark had its samples at one stretch, a neighbour spoilt all those of a few of them; here
// it spoils some of each, which are recognised by the sensor, and leaves the others.
#ifndef IRQCOST_BENCH_USER_MEASURE_ROUND_ROBIN_H
#define IRQCOST_BENCH_USER_MEASURE_ROUND_ROBIN_H

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "measure/sampler.h"

namespace irqcost {

/** What is to be measured: a row of a backend in a mode. */
struct Job {
  Backend* backend = nullptr;
  const SupportedProbe* supported = nullptr;
  Mode mode = IRQCOST_THROUGHPUT;
};

/** A job's figures, or what kept it from having any. */
struct Outcome {
  std::optional<Measurement> measurement;
  std::string error;
};

/** What a backend's samples said of the sensor and the clock. */
struct Found {
  SensorLevel level;
  std::optional<double> judged_by;  ///< see Recording
  double clock = 0;                 ///< ticks of the TSC in a core cycle: median of the figures'
};

/**
 * Measures jobs of one backend round-robin, slice by slice; the outcomes are in their order. Throws
 * nothing of the backend's: a job that fails has an error, and the others go on.
 * @seconds: for all of them, without what the backend needs to get ready; nothing: as long as they
 * need.
 * @now_us: a clock.
 * @found: what their samples said.
 */
std::vector<Outcome> MeasureRoundRobin(const std::vector<Job>& jobs, const SamplerOptions& options,
                                       std::optional<double> seconds,
                                       const std::function<double()>& now_us, Found& found);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MEASURE_ROUND_ROBIN_H
