/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/quiet_cpu.h"

#include <sched.h>

#include <algorithm>
#include <chrono>

#include "base/affinity.h"
#include "machine/cpu.h"

namespace irqcost {
namespace {

constexpr double kScanUs = 2000;
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

CpuScan ScanCpu(Backend& ring3, const SupportedProbe& nop, int cpu, SamplerOptions options) {
  PinToCpu(cpu);
  CpuScan scan{cpu, CoreType(), NobodyWaits(), std::nullopt};
  options.cpu = cpu;
  options.share_us = kScanUs;
  const Measurement seen = MeasureProbe(ring3, nop, IRQCOST_THROUGHPUT, options);
  if (seen.estimate.sensor > 0) scan.sensor = seen.estimate.sensor;
  return scan;
}

int QuietCpu(std::span<const CpuScan> scans) {
  const auto usable = [&](const CpuScan& g) {
    return g.idle && g.core_type == scans.front().core_type;
  };
  std::optional<double> lowest;
  for (const CpuScan& scan : scans)
    if (usable(scan) && scan.sensor) lowest = std::min(lowest.value_or(*scan.sensor), *scan.sensor);
  for (const CpuScan& scan : scans)
    if (usable(scan) &&
        (!lowest || (scan.sensor && *scan.sensor <= (1 + kSensorTolerance) * *lowest)))
      return scan.cpu;
  return scans.front().cpu;
}

}  // namespace irqcost
