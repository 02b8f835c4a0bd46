/* SPDX-License-Identifier: GPL-2.0-only */
// Google Benchmark's reporters with our names: without the suffixes that the
// library adds for manual time, which every benchmark here has.
#ifndef IRQCOST_BENCH_USER_REPORT_REPORTERS_H
#define IRQCOST_BENCH_USER_REPORT_REPORTERS_H

#include <benchmark/benchmark.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "report/results.h"

namespace irqcost {

/**
 * Counter in which a benchmark says how many operations it timed, to be reported
 * as its iterations. The library itself knows of one iteration: it insists on
 * equal numbers in all repetitions, and each repetition has its own pilot.
 */
inline constexpr const char* kOperationsCounter = "operations";

/** A reporter that keeps its output until the run is over. */
class TextReporter : public benchmark::BenchmarkReporter {
 public:
  /**
   * The report. For formats that have room for them: `context` is what belongs under
   * context.irqcost, `samples` and `extras` what belongs to the entries.
   */
  [[nodiscard]] virtual std::string Text(const nlohmann::ordered_json& context,
                                         const Samples& samples, const Extras& extras) const = 0;
};

/** Reports to the console while it runs. */
std::unique_ptr<benchmark::BenchmarkReporter> MakeConsoleReporter(bool color);

/** A reporter for console, json or csv as a text. The json is the result file of docs/RESULTS.md.
 */
std::unique_ptr<TextReporter> MakeTextReporter(const std::string& format);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_REPORT_REPORTERS_H
