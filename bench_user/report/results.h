/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_REPORT_RESULTS_H
#define IRQCOST_BENCH_USER_REPORT_RESULTS_H

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "measure/estimate.h"
#include "measure/round_robin.h"

namespace irqcost {

/** All samples by the benchmark's name, a distribution for each repetition. */
using Samples = std::map<std::string, std::vector<Distribution>>;

/** An object of its own that an entry has: its key, and what it is. */
struct Extra {
  std::string key;
  nlohmann::ordered_json object;
};
/** Such objects by the benchmark's name, one for each repetition. */
using Extras = std::map<std::string, std::vector<Extra>>;

/** One that was asked for and could not be measured. */
struct Absence {
  std::string name;
  std::string reason;
};

/** What came of the benchmarks of a run. */
struct Results {
  std::vector<Absence> absent;
  std::map<std::string, std::vector<Cost>> costs;  ///< by name, one for each repetition
  Samples samples;
  Extras extras;
  std::map<std::string, Found> found;  ///< what the samples of each backend said
  /** What a cycle of each figure's chain is by the CPU's own counter, by backend. */
  std::map<std::string, std::vector<double>> counted_cycles;
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_REPORT_RESULTS_H
