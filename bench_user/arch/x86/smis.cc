/* SPDX-License-Identifier: GPL-2.0-only */
#include <fstream>
#include <string>

#include "arch/x86/msr.h"
#include "machine/activity.h"

namespace irqcost {

// MSR_SMI_COUNT. Other vendors have none, and a hypervisor may read a missing register as 0.
std::optional<std::uint64_t> ReadSmis(int cpu, const std::string& root) {
  constexpr std::uint32_t kSmiCount = 0x34;
  constexpr std::uint64_t kCount = 0xffffffff;
  std::ifstream cpuinfo(root + "/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (!line.starts_with("vendor_id")) continue;
    if (line.find("GenuineIntel") == std::string::npos) return std::nullopt;
    const auto value = ReadMsr(cpu, kSmiCount, root);
    return value ? std::optional(*value & kCount) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace irqcost
