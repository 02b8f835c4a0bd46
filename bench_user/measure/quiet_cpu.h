/* SPDX-License-Identifier: GPL-2.0-only */
// Which CPU is free just now. A neighbour on a core's other thread may stay for seconds, longer
// than a process measures; then there is nothing to wait for, but another core may be free.
#ifndef IRQCOST_BENCH_USER_MEASURE_QUIET_CPU_H
#define IRQCOST_BENCH_USER_MEASURE_QUIET_CPU_H

#include <optional>
#include <span>

#include "measure/sampler.h"

namespace irqcost {

/** What a short scan of a CPU found. */
struct CpuScan {
  int cpu = 0;
  unsigned core_type = 0;        ///< CoreType() there
  bool idle = true;              ///< no other task wanted to run
  std::optional<double> sensor;  ///< multiplies per nop
};

/** Most CPUs that are scanned: each takes some milliseconds. */
inline constexpr std::size_t kMostScanned = 4;

/**
 * Scans a CPU for about two milliseconds, and leaves the thread bound to it. Throws what the
 * backend throws.
 * @nop: the row that the sensor is made of, as ring 3 has it.
 */
CpuScan ScanCpu(Backend& ring3, const SupportedProbe& nop, int cpu, SamplerOptions options);

/**
 * The CPU to measure on: the first that is idle and whose sensor is clean compared with the lowest;
 * if there is no such CPU, the first. CPUs of a different core type are ignored.
 * `scans`: at least one, the preferred CPU first.
 */
int QuietCpu(std::span<const CpuScan> scans);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MEASURE_QUIET_CPU_H
