/* SPDX-License-Identifier: GPL-2.0-only */
// How context.irqcost.text has a text, whichever backend read it.
#ifndef IRQCOST_BENCH_USER_REPORT_TEXT_H
#define IRQCOST_BENCH_USER_REPORT_TEXT_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace irqcost {

/** A text cannot be read; what() says which and why. */
struct TextError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/** {"bytes", "sha256", "targets"} of docs/RESULTS.md; @targets are names by offset. */
nlohmann::ordered_json TextJson(const std::vector<std::uint8_t>& bytes,
                                const std::map<std::size_t, std::string>& targets);

/** Takes off the end what stands between functions: int3. */
void TrimPadding(std::vector<std::uint8_t>& bytes);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_REPORT_TEXT_H
