/* SPDX-License-Identifier: GPL-2.0-only */
// Machine code as the results have it, whichever backend read it.
#ifndef IRQCOST_BENCH_USER_BACKENDS_MACHINE_CODE_H
#define IRQCOST_BENCH_USER_BACKENDS_MACHINE_CODE_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace irqcost {

/** Machine code cannot be read; what() says which and why. */
struct CodeError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/** {"symbol", "code", "targets"} of docs/RESULTS.md; @targets are names by offset. */
nlohmann::ordered_json FunctionJson(const std::string& symbol,
                                    const std::vector<std::uint8_t>& code,
                                    const std::map<std::size_t, std::string>& targets);

/**
 * Records in context.irqcost's machine_code that a probe executes a function (FunctionJson()); each
 * function is stored once, whatever number of probes execute it.
 */
void AddFunction(nlohmann::ordered_json& context, const std::string& probe,
                 const nlohmann::ordered_json& function);

/** Takes off the end what stands between functions. Of the architecture. */
void TrimPadding(std::vector<std::uint8_t>& bytes);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_MACHINE_CODE_H
