/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/machine_code.h"

#include <nettle/base64.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/sha256.h"

namespace irqcost {

namespace {

// RFC 4648: a third less than hexadecimal digits would take.
std::string Base64(const std::vector<std::uint8_t>& bytes) {
  std::string text(BASE64_ENCODE_RAW_LENGTH(bytes.size()), '\0');
  base64_encode_raw(text.data(), bytes.size(), bytes.data());
  return text;
}

std::string Hash(std::vector<std::uint8_t> code,
                 const std::map<std::size_t, std::string>& targets) {
  for (const auto& [offset, name] : targets) {
    const std::string line = std::to_string(offset) + " " + name + "\n";
    code.insert(code.end(), line.begin(), line.end());
  }
  return Sha256(code);
}

}  // namespace

nlohmann::ordered_json FunctionJson(const std::string& symbol,
                                    const std::vector<std::uint8_t>& code,
                                    const std::map<std::size_t, std::string>& targets) {
  nlohmann::ordered_json json = {
      {"symbol", symbol}, {"code", Base64(code)}, {"targets", nlohmann::ordered_json::object()}};
  for (const auto& [offset, name] : targets) json["targets"][name].push_back(offset);
  if (const auto decoded = Decode(code)) {
    json["code_sha256"] = Hash(decoded->without_addresses, targets);
    for (const auto& [way, instruction] :
         {std::pair{"flag", decoded->masks.flag}, {"priority", decoded->masks.priority}})
      if (!instruction.empty()) json["masks"][way] = instruction;
  }
  return json;
}

nlohmann::ordered_json CodeJson(const nlohmann::ordered_json& functions,
                                const nlohmann::ordered_json& absent) {
  return {{"architecture", IRQCOST_ARCHITECTURE}, {"functions", functions}, {"absent", absent}};
}

void AddFunction(nlohmann::ordered_json& context, const std::string& probe,
                 const nlohmann::ordered_json& function) {
  auto& functions = context["machine_code"]["functions"];
  const auto found = std::find(functions.begin(), functions.end(), function);
  const auto place = found - functions.begin();
  if (found == functions.end()) functions.push_back(function);
  auto& places = context["machine_code"]["probes"][probe];
  if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
}

}  // namespace irqcost
