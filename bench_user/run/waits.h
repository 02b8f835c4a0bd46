/* SPDX-License-Identifier: GPL-2.0-only */
// Benchmarks of waiting: a lock that several CPUs want, an interrupt raised while masked.
#ifndef IRQCOST_BENCH_USER_RUN_WAITS_H
#define IRQCOST_BENCH_USER_RUN_WAITS_H

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "backends/waits.h"
#include "measure/sampler.h"
#include "measure/waits.h"

namespace irqcost {

/** What a user may say of them. */
struct WaitOptions {
  bool wanted = false;        ///< without it, only where the filter names them
  std::vector<int> cpus;      ///< that may contend, the measuring one first
  unsigned hold_ns = 20'000;  ///< how long to stay masked with an interrupt pending
};

/** One benchmark: of contention where it has CPUs, else of a deferred interrupt. */
struct WaitBenchmark {
  std::string name;  ///< backend/probe/contention/cpusN/sectionK or backend/probe/pending/part
  Waits* waits = nullptr;
  const Probe* probe = nullptr;
  unsigned section = 0;
  std::vector<int> cpus;
  PendingPart part = PendingPart::kHandler;
  unsigned hold_ns = 0;
  std::string unusable;  ///< why it cannot run here; empty where it can
};

/** What came of one: figures, and the object of its own that its entry has (docs/RESULTS.md). */
struct WaitMeasurement {
  WaitEstimate estimate;
  std::string key;  ///< of the object: contention or pending
  nlohmann::ordered_json object;
};

/** How many CPUs contend: each number up to eight, then powers of two, and all that may at once. */
std::vector<std::size_t> ContentionSizes(std::size_t cpus);

/** All that the backends can measure. */
std::vector<WaitBenchmark> OfferWaits(const std::vector<std::unique_ptr<Backend>>& backends,
                                      const WaitOptions& options);

/** Whether a filter asks for them by name. */
bool FilterNamesWaits(const std::string& filter);

/** Measures one. Throws what the backend throws. */
WaitMeasurement MeasureWait(const WaitBenchmark& bench, const SamplerOptions& options);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_RUN_WAITS_H
