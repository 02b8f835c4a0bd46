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
  std::optional<std::string> command_line;
  bool realtime = false;                           ///< PREEMPT_RT
  std::optional<std::vector<std::string>> config;  ///< names; only the module knows them
};

/** @module_config: irqcost_config bits of the module, where it is loaded. */
Kernel FindKernel(std::optional<std::uint64_t> module_config);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MACHINE_KERNEL_H
