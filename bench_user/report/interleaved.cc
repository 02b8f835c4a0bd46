/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/interleaved.h"

namespace irqcost {
namespace {

nlohmann::ordered_json EstimateJson(const Estimate& estimate) {
  nlohmann::ordered_json json;
  if (estimate.core_cycles) json["core_cycles"] = *estimate.core_cycles;
  json["ticks"] = estimate.ticks;
  json["samples"] = estimate.samples;
  json["clean"] = estimate.clean;
  json["label"] = estimate.label;
  return json;
}

}  // namespace

nlohmann::ordered_json InterleavedJson(const std::vector<std::string>& names,
                                       const std::vector<std::vector<Estimate>>& blocks) {
  nlohmann::ordered_json json = {{"names", names}, {"blocks", nlohmann::ordered_json::array()}};
  for (const std::vector<Estimate>& block : blocks) {
    nlohmann::ordered_json estimates = nlohmann::ordered_json::array();
    for (const Estimate& estimate : block) estimates.push_back(EstimateJson(estimate));
    json["blocks"].push_back(std::move(estimates));
  }
  return json;
}

}  // namespace irqcost
