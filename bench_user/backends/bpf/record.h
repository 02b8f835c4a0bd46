/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BACKENDS_BPF_RECORD_H
#define IRQCOST_BENCH_USER_BACKENDS_BPF_RECORD_H

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "backends/backend.h"
#include "backends/bpf/live_code.h"

namespace irqcost {

/** A row that was measured, and its program as the JIT made it; nothing where it is not shown. */
struct MeasuredRow {
  const Probe* probe = nullptr;
  std::optional<FunctionCode> program;
};

/** How `machine_code` calls a program among the functions of the kernel. */
inline constexpr const char* kProgramSymbol = "program";

/**
 * Adds to context.irqcost what is beside the figures of backend bpf: `machine_code`,
 * of the programs and of what they call, and `derived`, the rows without the price of
 * their calls. What cannot be had is added to `absent`, with the reason.
 */
void Record(const std::vector<MeasuredRow>& measured, const Costs& costs,
            nlohmann::ordered_json& context);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_BPF_RECORD_H
