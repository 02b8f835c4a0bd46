/* SPDX-License-Identifier: GPL-2.0-only */
// The counter of the generic timer.
#include "machine/clock.h"

namespace irqcost {

std::uint64_t ReadClock() {
  std::uint64_t ticks = 0;
  asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
}

// By the architecture: "a constant frequency", in all states of power (Arm Architecture Reference
// Manual, "The Generic Timer in AArch64 state").
bool ClockIsInvariant() { return true; }

CpuClaim ClaimedKhz() {
  std::uint64_t hertz = 0;
  asm volatile("mrs %0, cntfrq_el0" : "=r"(hertz));
  // The firmware writes the register, and may have forgotten to.
  if (hertz == 0) return {{}, "cntfrq"};
  return {static_cast<double>(hertz) / 1e3, "cntfrq"};
}

}  // namespace irqcost
