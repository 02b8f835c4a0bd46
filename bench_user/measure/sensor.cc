/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/sensor.h"

#include <algorithm>
#include <cstdio>

namespace irqcost {
namespace {

// A rise that samples can be told apart by: twice the tolerance of the level.
constexpr double kLeastRise = 2 * kSensorTolerance;
// Scatter of an undisturbed sensor, and of one beside a neighbour (docs/method/noise.md).
constexpr double kQuietSpread = 0.01;
constexpr double kLoudSpread = 0.06;
constexpr double kTrialUs = 3000;
// Half a second of trials, where nothing tells. Neighbours come for some tenths of a second.
constexpr std::size_t kTries = 25;

template <typename... Values>
std::string Sentence(const char* format, Values... values) {
  char text[300];
  std::snprintf(text, sizeof(text), format, values...);
  return text;
}

SupportedProbe SupportedProbeOf(const Backend& ring3, std::string_view key) {
  const std::vector<SupportedProbe> probes = ring3.SupportedProbes();
  return *std::find_if(probes.begin(), probes.end(), [key](const SupportedProbe& supported) {
    return supported.probe->key == key;
  });
}

// The median of all samples: what a neighbour costs is not to be sorted out here.
double Cost(Backend& ring3, std::string_view key, SamplerOptions options) {
  options.share_us = kTrialUs;
  options.sensor_levels.clear();
  return MeasureProbe(ring3, SupportedProbeOf(ring3, key), IRQCOST_THROUGHPUT, options)
      .estimate.ticks_p50;
}

SensorChoice BySibling(Backend& ring3, const SamplerOptions& options, Sibling& sibling) {
  SensorChoice best;
  double greatest = 0;
  // A neighbour who is there already slows the thread's absence, too: tried until he has gone.
  for (std::size_t i = 0; i < kTries * kSensorKeys.size(); ++i) {
    const std::string_view key = kSensorKeys[i % kSensorKeys.size()];
    const double alone = Cost(ring3, key, options);
    sibling.Start();
    const double beside = Cost(ring3, key, options);
    sibling.Stop();
    const double rise = alone > 0 ? beside / alone - 1 : 0;
    if (rise > greatest) {
      greatest = rise;
      best.probe = FindProbe(key);
    }
    // The first one is the usual one, and need not be the best.
    if (greatest >= kLeastRise) break;
  }
  const std::string key(best.probe->key);
  if (greatest >= kLeastRise) {
    best.reason = Sentence("%s took %.0f %% longer beside a thread on %s", key.c_str(),
                           100 * greatest, sibling.Name().c_str());
    return best;
  }
  return {
      FindProbe(kSensorKeys.front()),
      Sentence("no sensor took more than %.0f %% longer beside a thread on %s: a neighbour there "
               "would not show",
               100 * std::max(greatest, 0.0), sibling.Name().c_str())};
}

}  // namespace

SensorChoice ChooseSensor(Backend& ring3, const SamplerOptions& options, const Controls& controls,
                          Sibling* sibling) {
  if (sibling) return BySibling(ring3, options, *sibling);
  const auto spread = [](const Estimate& e) { return e.ticks > 0 ? e.spread / e.ticks : 0; };
  const double nop = spread(controls.nop), idiom = spread(controls.zero_idiom);
  if (nop <= kQuietSpread && idiom >= kLoudSpread)
    return {
        FindProbe("zero_idiom"),
        Sentence("zeroing idioms scattered by %.0f %%, as beside a neighbour, and nops by %.1f %%",
                 100 * idiom, 100 * nop)};
  return {FindProbe(kSensorKeys.front()),
          "the usual one: no other thread of this core is known here to try it by"};
}

}  // namespace irqcost
