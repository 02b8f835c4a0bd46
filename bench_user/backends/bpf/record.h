/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BACKENDS_BPF_RECORD_H
#define IRQCOST_BENCH_USER_BACKENDS_BPF_RECORD_H

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "backends/backend.h"

namespace irqcost {

/**
 * Adds to context.irqcost what stands beside the figures of backend bpf: `text`, the live text of
 * what each row measured calls, and `derived`, the rows without the price of their calls. What
 * cannot be had is added to `absent`, with the reason.
 */
void Record(const std::vector<const Probe*>& measured, const Costs& costs,
            nlohmann::ordered_json& context);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_BPF_RECORD_H
