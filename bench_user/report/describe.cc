/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/describe.h"

#include <string>

#include "backends/registry.h"
#include "base/catalogue.h"
#include "measure/calibration.h"
#include "measure/recording.h"
#include "measure/sampler.h"

namespace irqcost {
namespace {

using Json = nlohmann::ordered_json;

Json CatalogueJson() {
  Json rows = Json::array();
  const auto add = [&rows](const char* kind, int id, const char* key, const char* group,
                           const char* where, const char* irqs, const char* needs, const char* code,
                           const char* api, const char* title, const char* summary,
                           const char* use) {
    rows.push_back({{"kind", kind},
                    {"id", id},
                    {"key", key},
                    {"group", group},
                    {"where", where},
                    {"irqs", irqs},
                    {"needs", needs},
                    {"code", code},
                    {"api", api},
                    {"title", title},
                    {"summary", summary},
                    {"use", use}});
  };
#define IRQCOST_INSN(id, key, group, where, irqs, needs, code, api, title, summary, use) \
  add("insn", id, #key, #group, #where, #irqs, #needs, code, api, title, summary, use);
#define IRQCOST_CALL(id, key, group, where, irqs, needs, code, api, title, summary, use) \
  add("call", id, #key, #group, #where, #irqs, #needs, #code, api, title, summary, use);
#define IRQCOST_FAULT(id, key, group, where, irqs, needs, code, api, title, summary, use) \
  add("fault", id, #key, #group, #where, #irqs, #needs, code, api, title, summary, use);
#define IRQCOST_BPF(id, key, group, where, irqs, needs, code, api, title, summary, use) \
  add("bpf", id, #key, #group, #where, #irqs, #needs, #code, api, title, summary, use);
#include <irqcost/probes.def>
  return rows;
}

Json BackendsJson() {
  Json backends = Json::array();
  for (const BackendKind& kind : kBackendKinds)
    backends.push_back({{"name", kind.name},
                        {"title", kind.title},
                        {"ring", kind.ring},
                        {"clock", kind.clock},
                        {"needs", kind.needs}});
  return backends;
}

// Powers of two between the least and the greatest unroll factor.
Json UnrollJson() {
  Json factors = Json::array();
  for (int factor = IRQCOST_MIN_UNROLL; factor <= IRQCOST_MAX_UNROLL; factor *= 2)
    factors.push_back(factor);
  return factors;
}

}  // namespace

Json DescribeJson() {
  Json modes = Json::array();
  for (const Mode& mode : kModes) modes.push_back(ModeName(mode));
  modes.push_back(ModeName(IRQCOST_IN_SITU_PERCPU));
  return {{"version", IRQCOST_VERSION},
          {"backends", BackendsJson()},
          {"modes", modes},
          {"contexts", Json(kContextNames)},
          {"unroll", UnrollJson()},
          {"most_seconds", kMostSeconds},
          {"most_samples", IRQCOST_MAX_SAMPLES},
          {"fewest_clean", kFewestClean},
          {"slice", kSlice},
          {"sensor_tolerance", kSensorTolerance},
          {"control_tolerance", kCalibrationTolerance},
          {"greatest_imul_latency", kGreatestLatency},
          {"catalogue", CatalogueJson()}};
}

}  // namespace irqcost
