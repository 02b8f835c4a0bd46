/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/text.h"

#include <nlohmann/json.hpp>

#include "report/sha256.h"

namespace irqcost {

namespace {

constexpr std::uint8_t kPadding = 0xcc;

}  // namespace

nlohmann::ordered_json TextJson(const std::vector<std::uint8_t>& bytes,
                                const std::map<std::size_t, std::string>& targets) {
  nlohmann::ordered_json json = {{"bytes", Hexadecimal(bytes)},
                                 {"sha256", Sha256(bytes)},
                                 {"targets", nlohmann::ordered_json::object()}};
  for (const auto& [offset, symbol] : targets) json["targets"][std::to_string(offset)] = symbol;
  return json;
}

void TrimPadding(std::vector<std::uint8_t>& bytes) {
  while (!bytes.empty() && bytes.back() == kPadding) bytes.pop_back();
}

}  // namespace irqcost
