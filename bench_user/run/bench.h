/* SPDX-License-Identifier: GPL-2.0-only */
// Benchmarks: which there are, and their registration with Google Benchmark.
#ifndef IRQCOST_BENCH_USER_RUN_BENCH_H
#define IRQCOST_BENCH_USER_RUN_BENCH_H

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "measure/sampler.h"
#include "report/results.h"
#include "run/contention.h"

namespace irqcost {

/** One benchmark: a probe on a backend in a mode. */
struct Benchmark {
  std::string name;  ///< backend/probe/mode, where the mode in situ is in_situ/K
  Backend* backend = nullptr;
  SupportedProbe supported;
  Mode mode = IRQCOST_THROUGHPUT;
};

/** What a filter selects. */
struct Selection {
  std::vector<Benchmark> benchmarks;
  std::vector<ContentionBenchmark> contention;
  Results results;  ///< at first those that are absent
};

/** The median cost of each benchmark, over its repetitions. */
Costs MedianCosts(const Results& results);

/** The rows that are selected. */
std::vector<const Probe*> ProbesOf(const Selection& selection);

/**
 * Applies Google Benchmark's filter to the names of all usable backends. The
 * library would apply it to names with a suffix, so it is done here.
 * @unroll: factor that the user demands. A row that does not have it is absent.
 * @contention: lock contention and deferred interrupts are selected only where they are wanted or
 *	the filter names them.
 * Throws UsageError where the filter is no regular expression.
 */
Selection Select(const std::vector<std::unique_ptr<Backend>>& backends, const std::string& filter,
                 std::optional<unsigned> unroll, const ContentionOptions& contention = {});

/**
 * Registers benchmarks with Google Benchmark. Each measures anew in each
 * repetition, and adds to `results.costs` where core cycles are reliable, and to
 * `samples` and `found`. One that fails is added to `results.absent`. The
 * selection must outlive the run.
 * @seconds: for all benchmarks together, once each; nothing: as long as they need.
 * @now_us: the clock that this time passes on.
 */
void Register(Selection& selection, const SamplerOptions& options, std::optional<double> seconds,
              const std::function<double()>& now_us);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_RUN_BENCH_H
