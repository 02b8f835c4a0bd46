/* SPDX-License-Identifier: GPL-2.0-only */
// What --irqcost_interleave prints.
#ifndef IRQCOST_BENCH_USER_REPORT_INTERLEAVED_H
#define IRQCOST_BENCH_USER_REPORT_INTERLEAVED_H

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "measure/estimate.h"

namespace irqcost {

/**
 * `names`, and `blocks`: for each block a list in the order of the names, of objects with
 * `core_cycles` (per operation; absent where none were counted), `ticks`, `samples`, `clean` and
 * `label`, whose meaning is that of docs/RESULTS.md.
 */
nlohmann::ordered_json InterleavedJson(const std::vector<std::string>& names,
                                       const std::vector<std::vector<Estimate>>& blocks);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_REPORT_INTERLEAVED_H
