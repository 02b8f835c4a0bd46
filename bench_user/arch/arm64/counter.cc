/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/ring3/cycle_counter.h"

namespace irqcost {
namespace {

// The kernel's index of the counter of cycles. Others, which it takes only where that one is in
// use, have registers of their own names.
constexpr unsigned kCycleCounter = 31;

}  // namespace

std::optional<std::uint64_t> ReadCounter(unsigned index) {
  std::uint64_t value = 0;
  if (index == kCycleCounter) {
    asm volatile("mrs %0, pmccntr_el0" : "=r"(value));
    return value;
  }
#define IRQCOST_COUNTER(n)                                    \
  case n:                                                     \
    asm volatile("mrs %0, pmevcntr" #n "_el0" : "=r"(value)); \
    return value;
  switch (index) {
    IRQCOST_COUNTER(0)
    IRQCOST_COUNTER(1)
    IRQCOST_COUNTER(2)
    IRQCOST_COUNTER(3)
    IRQCOST_COUNTER(4)
    IRQCOST_COUNTER(5)
    IRQCOST_COUNTER(6)
    IRQCOST_COUNTER(7)
    IRQCOST_COUNTER(8)
    IRQCOST_COUNTER(9)
    IRQCOST_COUNTER(10)
    IRQCOST_COUNTER(11)
    IRQCOST_COUNTER(12)
    IRQCOST_COUNTER(13)
    IRQCOST_COUNTER(14)
    IRQCOST_COUNTER(15)
    IRQCOST_COUNTER(16)
    IRQCOST_COUNTER(17)
    IRQCOST_COUNTER(18)
    IRQCOST_COUNTER(19)
    IRQCOST_COUNTER(20)
    IRQCOST_COUNTER(21)
    IRQCOST_COUNTER(22)
    IRQCOST_COUNTER(23)
    IRQCOST_COUNTER(24)
    IRQCOST_COUNTER(25)
    IRQCOST_COUNTER(26)
    IRQCOST_COUNTER(27)
    IRQCOST_COUNTER(28)
    IRQCOST_COUNTER(29)
    IRQCOST_COUNTER(30)
    default:
      return std::nullopt;
  }
#undef IRQCOST_COUNTER
}

// As Linux documents it (Documentation/arch/arm64/perf.rst): a counter of 64 bits, read by the
// user.
void AskForUserAccess(perf_event_attr& attributes) { attributes.config1 = 3; }

const char* const kUserAccessSwitch = "sysctl kernel.perf_user_access is 0";

}  // namespace irqcost
