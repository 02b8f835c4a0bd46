/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_MACHINE_TSC_H
#define IRQCOST_BENCH_USER_MACHINE_TSC_H

#include <optional>
#include <string>
#include <vector>

#include "machine/clock.h"

namespace irqcost {

/** What somebody says of the frequency, and how far that is from what was measured. */
struct TscClaim {
  std::string source;
  double khz = 0;
  double ppm = 0;  ///< above the measured frequency, in millionths of it
};

/** The time stamp counter. */
struct Tsc {
  double khz = 0;
  std::string source;            ///< of khz: cpuid, hypervisor, kernel, measured, or earlier
  double measured_khz = 0;       ///< against CLOCK_MONOTONIC_RAW
  double measured_ms = 0;        ///< for how long
  std::vector<TscClaim> claims;  ///< all that there are, believed or not
  bool invariant = false;
  double step = 0;  ///< ticks per advance (clock_step.h)
  /** What the kernel tells the time by: "tsc" where it trusts this counter. */
  std::optional<std::string> clock_source;
};

/** What others say about the frequency, in kHz. */
struct TscClaims {
  std::optional<double> earlier;  ///< by an earlier process of this program
  CpuClaim cpu;
  std::optional<double> hypervisor;
  std::optional<double> kernel;
};

/** The kernel's clock source below @root; nothing where it does not say. */
std::optional<std::string> ClockSource(const std::string& root = "");

/**
 * Takes the first claim (in the order of the struct) that agrees with the
 * measured frequency within 1 %, else the measured one: a hypervisor may hand
 * down leaves of a host whose TSC it scales. Sets khz, source, measured_khz and claims.
 */
Tsc ChooseTscKhz(const TscClaims& claims, double measured_khz);

/**
 * Finds all of it. Takes 0.1 s, since it measures against CLOCK_MONOTONIC_RAW; where an
 * earlier process did so, a few milliseconds to check that the clock is still the same.
 */
Tsc FindTsc(const TscClaims& claims);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MACHINE_TSC_H
