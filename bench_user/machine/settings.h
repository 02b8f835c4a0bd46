/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_MACHINE_SETTINGS_H
#define IRQCOST_BENCH_USER_MACHINE_SETTINGS_H

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace irqcost {

/** How an idle CPU sleeps. */
struct Idle {
  std::string driver;  ///< "none" where the kernel has none
  std::optional<std::string> governor;
  std::vector<std::string> states;  ///< those that are not disabled, shallowest first
};

/** Where device interrupts may go. */
struct IrqAffinity {
  std::optional<std::string> standard;  ///< mask of CPUs for new ones (default_smp_affinity)
  int irqs = 0;                         ///< interrupt lines
  int may_hit = 0;                      ///< those whose mask has the measuring CPU
};

/** Settings of the host that change what masking costs or how steadily it is measured. */
struct Settings {
  std::optional<std::string> governor;  ///< of frequency scaling
  std::optional<std::string> boost;     ///< "on" or "off"
  std::optional<std::string> smt;       ///< the kernel's word, such as "on" or "notsupported"
  std::optional<std::string> siblings;  ///< list of the CPUs that share the measuring CPU's core
  std::optional<Idle> idle;
  std::optional<std::string> isolated;   ///< list of CPUs without scheduling; may be empty
  std::optional<std::string> nohz_full;  ///< list of CPUs without a tick; may be empty
  std::optional<std::string> rcu_nocbs;  ///< list of CPUs, as the command line has it
  std::optional<IrqAffinity> irq_affinity;
  std::map<std::string, std::string> mitigations;  ///< vulnerability: the kernel's sentence
};

/** Reads sysfs and procfs below @root for the measuring @cpu. What they do not have is nothing. */
Settings ReadSettings(int cpu, const std::string& root = "");

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MACHINE_SETTINGS_H
