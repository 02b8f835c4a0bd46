/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/ring3/cycle_counter.h"

namespace irqcost {

// The kernel's indices are those of the registers from `cycle` on; events of cycles are counted
// there.
std::optional<std::uint64_t> ReadCounter(unsigned index) {
  if (index != 0) return std::nullopt;
  std::uint64_t value = 0;
  asm volatile("rdcycle %0" : "=r"(value));
  return value;
}

void AskForUserAccess(perf_event_attr& /*attributes*/) {}

const char* const kUserAccessSwitch = "sysctl kernel.perf_user_access is 0";

}  // namespace irqcost
