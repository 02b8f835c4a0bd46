/* SPDX-License-Identifier: GPL-2.0-only */
// Benchmarks that take turns. A neighbour comes for some tenths of a second. Where each
// benchmark had its samples at one stretch, a neighbour spoilt all those of a few of them; in turn
// it spoils some of each, which are told by the sensor, and leaves the others.
#ifndef IRQCOST_BENCH_USER_MEASURE_TURNS_H
#define IRQCOST_BENCH_USER_MEASURE_TURNS_H

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "measure/sampler.h"

namespace irqcost {

/** Samples of a benchmark before the next one's turn: about a millisecond of them. */
inline constexpr std::size_t kSlice = 25;

/** What is to be measured: a row of a backend in a mode. */
struct Job {
  Backend* backend = nullptr;
  const Offer* offer = nullptr;
  Mode mode = IRQCOST_THROUGHPUT;
};

/** A job's figures, or what kept it from having any. */
struct Outcome {
  std::optional<Measurement> measurement;
  std::string error;
};

/**
 * Measures jobs in turn, slice by slice; the outcomes are in their order. Throws nothing of a
 * backend's: a job that fails has an error, and the others go on.
 * @seconds: for all of them, without what backends need to get ready; nothing: as long as they
 * need.
 * @now_us: a clock.
 * @floors: by backend's name; lowered where those of these jobs are lower. All figures are judged
 * by the lowest, whenever it was seen.
 */
std::vector<Outcome> MeasureInTurn(const std::vector<Job>& jobs, const SamplerOptions& options,
                                   std::optional<double> seconds,
                                   const std::function<double()>& now_us,
                                   std::map<std::string, Floors>& floors);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MEASURE_TURNS_H
