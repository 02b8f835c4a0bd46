/* SPDX-License-Identifier: GPL-2.0-only */
// For an architecture on which the firmware's interrupts are not counted.
#include "machine/activity.h"

namespace irqcost {

std::optional<std::uint64_t> ReadSmis(int /*cpu*/, const std::string& /*root*/) {
  return std::nullopt;
}

}  // namespace irqcost
