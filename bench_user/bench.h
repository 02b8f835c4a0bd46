/* SPDX-License-Identifier: GPL-2.0-only */
// Benchmarks: which there are, and their registration with Google Benchmark.
#ifndef IRQCOST_BENCH_USER_BENCH_H
#define IRQCOST_BENCH_USER_BENCH_H

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "measure/sampler.h"
#include "measure/turns.h"
#include "report/reporters.h"
#include "waits.h"

namespace irqcost {

/** One benchmark: a probe on a backend in a mode. */
struct Benchmark {
  std::string name;  ///< backend/probe/mode, where the mode in situ is in_situ/K
  Backend* backend = nullptr;
  Offer offer;
  Mode mode = IRQCOST_THROUGHPUT;
};

/** One that was asked for and could not be measured. */
struct Absence {
  std::string name;
  std::string reason;
};

/** What a filter selects. */
struct Selection {
  std::vector<Benchmark> benchmarks;
  std::vector<WaitBenchmark> waits;
  std::vector<Absence> absent;
  std::map<std::string, std::vector<Cost>> costs;  ///< of each repetition, by name, once measured
  std::map<std::string, std::vector<Distribution>> samples;  ///< likewise
  Extras extras;                                             ///< likewise
  std::map<std::string, Found> found;  ///< what the samples of each backend said
  /** What a cycle of each figure's chain is by the CPU's own counter, by backend. */
  std::map<std::string, std::vector<double>> counted_cycles;
};

/** The cost in the middle of each benchmark's repetitions. */
Costs MedianCosts(const Selection& selection);

/**
 * Applies Google Benchmark's filter to the names of all usable backends. The
 * library would apply it to names with a suffix, so it is done here.
 * @unroll: factor that the user demands. A row that does not have it is absent.
 * @waits: benchmarks of waiting are selected only where they are wanted or the filter names them.
 * Throws UsageError where the filter is no regular expression.
 */
Selection Select(const std::vector<std::unique_ptr<Backend>>& backends, const std::string& filter,
                 std::optional<unsigned> unroll, const WaitOptions& waits = {});

/**
 * Registers benchmarks with Google Benchmark. Each measures anew in each
 * repetition, and adds to `selection.costs` where core cycles are free of doubt, and to
 * `samples` and `found`. One that fails is added to `selection.absent`. The
 * selection must outlive the run.
 * @seconds: for all benchmarks together, once each; nothing: as long as they need.
 * @now_us: the clock that this time passes on.
 */
void Register(Selection& selection, const SamplerOptions& options, std::optional<double> seconds,
              const std::function<double()>& now_us);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BENCH_H
