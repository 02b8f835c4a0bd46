/* SPDX-License-Identifier: GPL-2.0-only */
// Machine code as the results have it, whichever backend read it.
#ifndef IRQCOST_BENCH_USER_BACKENDS_MACHINE_CODE_H
#define IRQCOST_BENCH_USER_BACKENDS_MACHINE_CODE_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace irqcost {

/** Machine code cannot be read; what() says which and why. */
struct CodeError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/** The masking instructions that a function can reach: the first of each kind, "" for none. */
struct Masks {
  std::string flag;      ///< of the CPU, such as "msr daifset"
  std::string priority;  ///< that interrupts must have, such as "msr icc_pmr_el1"
};

/** What a function's instructions tell, where it takes no library to decode them. */
struct Decoded {
  Masks masks;
  std::vector<std::uint8_t> without_addresses;  ///< equal where only the places of things differ
};

/**
 * Decodes a function, as far as the results need it. Of the architecture. Nothing where
 * instructions differ so much in length that a library is needed: the scripts have one.
 */
std::optional<Decoded> Decode(std::span<const std::uint8_t> code);

/** An entry of `functions` in docs/RESULTS.md; @targets are names by offset. */
nlohmann::ordered_json FunctionJson(const std::string& symbol,
                                    const std::vector<std::uint8_t>& code,
                                    const std::map<std::size_t, std::string>& targets);

/** What --irqcost_machine_code prints: functions, and of what none could be read, with reasons. */
nlohmann::ordered_json CodeJson(const nlohmann::ordered_json& functions,
                                const nlohmann::ordered_json& absent);

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
