/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/calibration.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "measure/round_robin.h"

namespace irqcost {
namespace {

// Time for the controls. They tell latencies apart that differ by a cycle in twenty, where figures
// of a quiet core repeat within 0.1 %: no wait for the last per mille.
constexpr double kSeconds = 0.02;
// Controls that began in a disturbance are measured anew; those of an emulator stay as they are.
constexpr int kTries = 3;

template <typename... Values>
std::string Sentence(const char* format, Values... values) {
  char text[300];
  std::snprintf(text, sizeof(text), format, values...);
  return text;
}

Controls MeasureOnce(Backend& ring3, SamplerOptions options, const std::function<double()>& now_us,
                     const std::vector<SupportedProbe>& probes) {
  options.imul_latency = 1;
  options.with_cycles = true;
  options.sensor_levels.clear();
  Controls controls;
  const std::pair<std::string_view, Estimate*> wanted[] = {{"nop", &controls.nop},
                                                           {"dep_add", &controls.dep_add},
                                                           {"dep_xor", &controls.dep_xor},
                                                           {"dep_imul", &controls.dep_imul},
                                                           {"zero_idiom", &controls.zero_idiom}};
  std::vector<Job> jobs;
  for (const auto& [key, estimate] : wanted)
    jobs.push_back({&ring3,
                    &*std::find_if(probes.begin(), probes.end(),
                                   [&](const SupportedProbe& supported) {
                                     return supported.probe->key == key;
                                   }),
                    IRQCOST_THROUGHPUT});
  Found found;
  const std::vector<Outcome> outcomes = MeasureRoundRobin(jobs, options, kSeconds, now_us, found);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (!outcomes[i].measurement) throw std::runtime_error(outcomes[i].error);
    *wanted[i].second = outcomes[i].measurement->estimate;
  }
  return controls;
}

}  // namespace

Controls MeasureControls(Backend& ring3, const SamplerOptions& options,
                         const std::function<double()>& now_us) {
  const std::vector<SupportedProbe> probes = ring3.SupportedProbes();
  Controls controls = MeasureOnce(ring3, options, now_us, probes);
  for (int again = 1; again < kTries && !Calibrate(controls).imul_latency; ++again)
    controls = MeasureOnce(ring3, options, now_us, probes);
  return controls;
}

Calibration Calibrate(const Controls& controls) {
  Calibration found;
  const double add = controls.dep_add.core_cycles.value_or(0);
  if (!(add > 0)) {
    found.reason = "the dependent adds took no time that could be measured";
    return found;
  }
  found.imul_per_add = 1 / add;
  found.xor_per_add = controls.dep_xor.core_cycles.value_or(0) / add;
  const double whole = std::round(found.imul_per_add);
  if (whole < 1 || whole > kGreatestLatency ||
      std::abs(found.imul_per_add / whole - 1) > kCalibrationTolerance) {
    found.reason = Sentence(
        "a dependent multiply takes %.3f times as long as a dependent add, which is no whole "
        "number "
        "of cycles from 1 to %.0f",
        found.imul_per_add, kGreatestLatency);
  } else if (std::abs(found.xor_per_add - 1) > kCalibrationTolerance) {
    found.reason = Sentence(
        "a dependent exclusive or takes %.3f times as long as a dependent add, where both take one "
        "cycle on a CPU that executes each of them",
        found.xor_per_add);
  } else {
    found.imul_latency = static_cast<unsigned>(whole);
    found.reason =
        Sentence("a dependent multiply takes %.3f times as long as a dependent add of one cycle",
                 found.imul_per_add);
  }
  return found;
}

}  // namespace irqcost
