/* SPDX-License-Identifier: GPL-2.0-only */
// What else happened to a CPU while it measured, by the kernel's own counters.
#ifndef IRQCOST_BENCH_USER_MACHINE_ACTIVITY_H
#define IRQCOST_BENCH_USER_MACHINE_ACTIVITY_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace irqcost {

/** The counters of one CPU at one moment, or by how much they grew between two. */
struct Activity {
  /** By the line's label and description in /proc/interrupts. */
  std::optional<std::map<std::string, std::uint64_t>> interrupts;
  /** Time by state (user, steal …) in ticks of /proc/stat, TicksPerSecond() of them a second. */
  std::optional<std::map<std::string, std::uint64_t>> cpu_ticks;
  /** Times that heat slowed the clock, of the core and of its package. */
  std::optional<std::uint64_t> core_throttles;
  std::optional<std::uint64_t> package_throttles;
  /** System management interrupts, which no other counter of the kernel shows. */
  std::optional<std::uint64_t> smis;
};

/** Of /proc/stat. */
double TicksPerSecond();

/** Reads the counters of @cpu below @root. What cannot be read is nothing. */
Activity ReadActivity(int cpu, const std::string& root = "");

/** System management interrupts of @cpu so far; each architecture has its own way, or none. */
std::optional<std::uint64_t> ReadSmis(int cpu, const std::string& root);

/** What was added between two moments; of interrupts only those that came. */
Activity Growth(const Activity& before, const Activity& after);

/** Load averages over 1, 5 and 15 minutes; empty where they cannot be read. */
std::vector<double> ReadLoad(const std::string& root = "");

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MACHINE_ACTIVITY_H
