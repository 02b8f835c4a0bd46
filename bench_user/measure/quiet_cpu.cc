/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/quiet_cpu.h"

#include <sched.h>

#include <algorithm>
#include <chrono>

#include "base/affinity.h"
#include "machine/cpu.h"

namespace irqcost {
namespace {

constexpr double kGlanceUs = 2000;
// A yield with nobody waiting returns in some microseconds. Where somebody waits, it has the CPU
// for a time slice: 0.7 ms and more by default (kernel/sched/fair.c: sysctl_sched_base_slice,
// before 6.6 sysctl_sched_min_granularity).
constexpr std::chrono::microseconds kYield{200};

bool NobodyWaits() {
  const auto started = std::chrono::steady_clock::now();
  sched_yield();
  return std::chrono::steady_clock::now() - started < kYield;
}

}  // namespace

Glance LookAt(Backend& ring3, const Offer& nop, int cpu, SamplerOptions options) {
  PinToCpu(cpu);
  Glance glance{cpu, CoreType(), NobodyWaits(), std::nullopt};
  options.cpu = cpu;
  options.share_us = kGlanceUs;
  const Measurement seen = MeasureProbe(ring3, nop, IRQCOST_THROUGHPUT, options);
  if (seen.estimate.sensor > 0) glance.sensor = seen.estimate.sensor;
  return glance;
}

int QuietCpu(std::span<const Glance> glances) {
  const auto usable = [&](const Glance& g) {
    return g.idle && g.core_type == glances.front().core_type;
  };
  std::optional<double> lowest;
  for (const Glance& glance : glances)
    if (usable(glance) && glance.sensor)
      lowest = std::min(lowest.value_or(*glance.sensor), *glance.sensor);
  for (const Glance& glance : glances)
    if (usable(glance) &&
        (!lowest || (glance.sensor && *glance.sensor <= (1 + kSensorTolerance) * *lowest)))
      return glance.cpu;
  return glances.front().cpu;
}

}  // namespace irqcost
