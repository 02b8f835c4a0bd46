/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_ARCH_X86_CPU_H
#define IRQCOST_BENCH_USER_ARCH_X86_CPU_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "machine/cpu.h"

namespace irqcost {

/** What tells whether lfence waits on a CPU of AMD's or of its kin. */
struct Fence {
  bool always = false;                         ///< CPUID 0x80000021, EAX[2]
  std::optional<std::uint64_t> decode_config;  ///< MSR 0xC0011029, where it could be read
  bool kernel_says_so = false;                 ///< lfence_rdtsc in /proc/cpuinfo
};

/** As Cpu::stamps_wait. Other vendors' waits by design. */
std::optional<bool> LfenceWaits(std::string_view vendor, const Fence& fence);

/** As Cpu::confidential, by the @flags of /proc/cpuinfo in a guest, and by its @boot_log. */
std::vector<std::string> Confidential(const std::string& flags,
                                      const std::optional<std::string>& boot_log);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_ARCH_X86_CPU_H
