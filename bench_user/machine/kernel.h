/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_MACHINE_KERNEL_H
#define IRQCOST_BENCH_USER_MACHINE_KERNEL_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace irqcost {

/** How a kernel preempts itself: what preempt_disable() and the unlocking of a spin lock do. */
struct Preemption {
  /** As the build says: PREEMPT, PREEMPT_DYNAMIC, PREEMPT_RT …; nothing: it does not preempt. */
  std::optional<std::string> model;
  /** none, voluntary, full or lazy, as it is now; nothing where that is not known. */
  std::optional<std::string> mode;
  std::optional<std::string> source;  ///< of the mode
};

/** Which kernel runs. */
struct Kernel {
  std::string release;
  std::string version;
  std::optional<std::string> command_line;  ///< KernelParameters() of it
  bool realtime = false;                    ///< PREEMPT_RT
  Preemption preemption;
  std::optional<std::string> tracepoints;          ///< FindTracepoints()
  std::optional<std::vector<std::string>> config;  ///< names; only the module knows them
};

/**
 * Of a kernel's command line what says how the kernel runs: without the names of
 * files and devices, and without what stands after "--", which is for init. A
 * result is published, and those are the machine owner's affair.
 */
std::string KernelParameters(const std::string& command_line);

/**
 * Of a kernel of that @version (uname -v), by what is below @root and in its @boot_log. Only a
 * dynamic kernel's mode can be another one than its build's.
 */
Preemption FindPreemption(const std::string& version, const std::optional<std::string>& boot_log,
                          const std::string& root = "");

/**
 * What is done at the tracepoints where interrupts and preemption are switched (preemptirq), by
 * what is below @root: "absent" where the kernel has none, "off", or "on" where any of them is;
 * nothing where this user may not see it.
 */
std::optional<std::string> FindTracepoints(const std::string& root = "");

/** @module_config: irqcost_config bits of the module, where it is loaded. */
Kernel FindKernel(std::optional<std::uint64_t> module_config,
                  const std::optional<std::string>& boot_log);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MACHINE_KERNEL_H
