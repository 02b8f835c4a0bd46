/* SPDX-License-Identifier: GPL-2.0-only */
// The clock of the time stamps. Each architecture has its own (bench_user/arch).
#ifndef IRQCOST_BENCH_USER_MACHINE_CLOCK_H
#define IRQCOST_BENCH_USER_MACHINE_CLOCK_H

#include <cstdint>
#include <optional>

namespace irqcost {

/** The clock, as the windows read it but without a fence: ticks since some moment. */
std::uint64_t ReadClock();

/** Whether it runs at one rate, whatever the frequency of the core and while that sleeps. */
bool ClockIsInvariant();

/** What the CPU or its firmware says of the clock's rate. */
struct CpuClaim {
  std::optional<double> khz;  ///< nothing where it does not say
  const char* source = "";    ///< its name in a result
};
CpuClaim ClaimedKhz();

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MACHINE_CLOCK_H
