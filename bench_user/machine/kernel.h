/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_MACHINE_KERNEL_H
#define IRQCOST_BENCH_USER_MACHINE_KERNEL_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace irqcost {

/** Which kernel runs. */
struct Kernel {
  std::string release;
  std::string version;
  std::optional<std::string> command_line;         ///< KernelParameters() of it
  bool realtime = false;                           ///< PREEMPT_RT
  std::optional<std::vector<std::string>> config;  ///< names; only the module knows them
};

/**
 * Of a kernel's command line what says how the kernel runs: without the names of
 * files and devices, and without what stands behind "--", which is for init. A
 * result is published, and those are the machine owner's affair.
 */
std::string KernelParameters(const std::string& command_line);

/** @module_config: irqcost_config bits of the module, where it is loaded. */
Kernel FindKernel(std::optional<std::uint64_t> module_config);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MACHINE_KERNEL_H
