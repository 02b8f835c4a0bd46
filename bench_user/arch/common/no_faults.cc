/* SPDX-License-Identifier: GPL-2.0-only */
// For an architecture without rows that fault in ring 3.
#include "backends/ring3/fault_guard.h"

namespace irqcost {

std::string WhyNoFault() { return "this architecture has no row that faults"; }

bool SkipFaulting(ucontext_t& /*context*/) { return false; }

}  // namespace irqcost
