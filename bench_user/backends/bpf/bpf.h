/* SPDX-License-Identifier: GPL-2.0-only */
// Backend `bpf`: ring 0 through BPF programs, which need no module.
#ifndef IRQCOST_BENCH_USER_BACKENDS_BPF_BPF_H
#define IRQCOST_BENCH_USER_BACKENDS_BPF_BPF_H

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "backends/registry.h"

namespace irqcost {

/** The backend; in a harness built without BPF, one with that reason. */
std::unique_ptr<Backend> MakeBpf(const BackendOptions& options);

/**
 * Machine code of the kernel's functions, with those that each calls or jumps to:
 * {"functions": [{"symbol", "address", "code", "targets"}], "absent": [{"name", "reason"}]},
 * numbers in hexadecimal. Throws std::runtime_error where this process can read none.
 */
nlohmann::ordered_json LiveCodeJson(const std::vector<std::string>& symbols);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_BPF_BPF_H
