/* SPDX-License-Identifier: GPL-2.0-only */
// Benchmarks of lock contention and of deferred interrupts.
#ifndef IRQCOST_BENCH_USER_RUN_CONTENTION_H
#define IRQCOST_BENCH_USER_RUN_CONTENTION_H

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "backends/contention.h"
#include "measure/contention.h"
#include "measure/sampler.h"

namespace irqcost {

/** What a user may say of them. */
struct ContentionOptions {
  bool wanted = false;        ///< without it, only where the filter names them
  std::vector<int> cpus;      ///< that may contend, the measuring one first
  unsigned hold_ns = 20'000;  ///< how long to stay masked with an interrupt pending
};

/** One benchmark: of contention where it has CPUs, else of a deferred interrupt. */
struct ContentionBenchmark {
  std::string name;  ///< backend/probe/contention/cpusN/sectionK or backend/probe/pending/part
  ContentionBackend* backend = nullptr;
  const Probe* probe = nullptr;
  unsigned section = 0;
  std::vector<int> cpus;
  DeferredPart part = DeferredPart::kHandler;
  unsigned hold_ns = 0;
  std::string unusable;  ///< why it cannot run here; empty where it can
};

/** What came of one: figures, and the object of its own that its entry has (docs/RESULTS.md). */
struct ContentionMeasurement {
  ContentionEstimate estimate;
  std::string key;  ///< of the object: contention or pending
  nlohmann::ordered_json object;
};

/** How many CPUs contend: each number up to eight, then powers of two, and all that may at once. */
std::vector<std::size_t> ContentionSizes(std::size_t cpus);

/** All that the backends can measure. */
std::vector<ContentionBenchmark> ContentionBenchmarks(
    const std::vector<std::unique_ptr<Backend>>& backends, const ContentionOptions& options);

/** Whether a filter names contention or deferred interrupts. */
bool FilterNamesContention(const std::string& filter);

/** Measures one. Throws what the backend throws. */
ContentionMeasurement MeasureContention(const ContentionBenchmark& bench,
                                        const SamplerOptions& options);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_RUN_CONTENTION_H
