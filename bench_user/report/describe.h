/* SPDX-License-Identifier: GPL-2.0-only */
// What the scripts need to know of the harness, so that they keep no copy of it.
#ifndef IRQCOST_BENCH_USER_REPORT_DESCRIBE_H
#define IRQCOST_BENCH_USER_REPORT_DESCRIBE_H

#include <nlohmann/json.hpp>

namespace irqcost {

/**
 * The catalogue, backends, modes, contexts and constants: what --irqcost_describe prints, and
 * scripts/irqcost/model/description.json holds. It depends on this program alone, not on the
 * machine.
 */
nlohmann::ordered_json DescribeJson();

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_REPORT_DESCRIBE_H
