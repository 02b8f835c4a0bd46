/* SPDX-License-Identifier: GPL-2.0-only */
// What a simulated machine is: the file of --irqcost_simulate (docs/SIMULATE.md), read.
#ifndef IRQCOST_BENCH_USER_SIMULATE_DESCRIPTION_H
#define IRQCOST_BENCH_USER_SIMULATE_DESCRIPTION_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace irqcost::simulate {

/** Who the CPU says it is. */
struct Identity {
  std::string vendor = "Simulated";
  std::string brand = "Simulated CPU";
  int family = 0, model = 0, stepping = 0;
  std::string hypervisor;  ///< empty: bare metal
};

/** What the core does with windows. Costs are core cycles of an operation. */
struct Core {
  double dep_add = 1, dep_xor = 1, dep_imul = 3, nop = 0.25, zero_idiom = 0.25;
  double window_cycles = 40;      ///< of stamps and fences, in each window
  double loop_cycles = 1;         ///< of a pass of a loop, beside the copies
  double short_loop = 0;          ///< part that copies cost more in a loop of almost none …
  double short_copies = 8;        ///< … halved by each so many copies more
  double noise_percent = 0.05;    ///< deviation of a window's cycles
  double jitter_cycles = 8;       ///< greatest difference between the overheads of windows
  double process_percent = 0.01;  ///< deviation of a row's cost between processes
};

/** The cost of a row that has its own. What is missing follows from the rule. */
struct RowCost {
  bool missing = false;  ///< this CPU does not have it
  std::optional<double> throughput, isolated;
  std::map<unsigned, double> in_situ;  ///< by the section's dependent adds
};

/** One rule for all rows that have none. */
struct Rule {
  double instruction = 4, call = 25, fault = 3000;
  double isolated = 1.25;  ///< times the throughput
  double in_situ = 1;      ///< likewise
};

struct ClockTraits {
  double tsc_mhz = 2500, core_mhz = 3000;
  double step = 1;  ///< ticks per advance of the TSC
  bool invariant = true;
  double bpf_step_ns = 1;
};

/** Something that comes and goes. */
struct Recurrence {
  double every_s = 0;  ///< on average; 0: never
  double lasts_s = 0;  ///< on average
};

struct Frequency {
  double drift_percent = 0, drift_s = 1;  ///< from lowest to highest, in a wave of this period
  double ramp_percent = 0, ramp_s = 1;    ///< by how much it begins lower, and until when
  double turbo_percent = 0;
  Recurrence turbo;
};

/** Another program on the core's second thread. */
struct Neighbour {
  bool always = false;
  Recurrence comes;
  /** Part that windows of a row take longer while it is there; "other": of all rows that are
   * not named. */
  std::map<std::string, double> shares;
  double spread = 0.25;  ///< deviation of these from sample to sample, as a part of them
  double wander = 0.25;  ///< most that they are off for a quarter of a second
};

/** A time in which the CPU does something else. */
struct Gap {
  Recurrence comes;
  double preempts = 0;  ///< part of them in which another task ran, which is seen
};

struct Description {
  std::string name, file;
  std::uint64_t seed = 1;
  std::string emulator;  ///< empty, "instruction-counting" or "translating"
  std::vector<std::string> backends = {"ring3", "kmod", "bpf"};
  double start_s = 0.05;  ///< what a process takes before it measures
  Identity identity;
  Core core;
  Rule rule;
  std::map<std::string, RowCost> rows;
  ClockTraits clock;
  Frequency frequency;
  bool smt = false;  ///< the core has a second thread that the process may use
  std::optional<Neighbour> neighbour;
  Gap interrupts, steal, migration;
};

/** Reads a file. Throws UsageError, which names the field that is wrong. */
Description ReadDescription(const std::string& path);

/** The same of a text; @file: how messages name it. */
Description ParseDescription(const std::string& text, const std::string& file);

}  // namespace irqcost::simulate

#endif  // IRQCOST_BENCH_USER_SIMULATE_DESCRIPTION_H
