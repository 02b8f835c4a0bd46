/* SPDX-License-Identifier: GPL-2.0-only */
#include <x86intrin.h>

#include "backends/ring3/cycle_counter.h"

namespace irqcost {

std::optional<std::uint64_t> ReadCounter(unsigned index) {
  return __rdpmc(static_cast<int>(index));
}

void AskForUserAccess(perf_event_attr& /*attributes*/) {}

const char* const kUserAccessSwitch = "/sys/devices/cpu/rdpmc is 0";

}  // namespace irqcost
