/* SPDX-License-Identifier: GPL-2.0-only */
// The time stamp counter.
#include "machine/clock.h"

#include <cpuid.h>
#include <x86intrin.h>

namespace irqcost {
namespace {

// By leaves 15h and 16h, in kHz; nothing where they are not complete.
std::optional<double> KhzByCpuid() {
  unsigned denominator = 0, numerator = 0, crystal_hz = 0, edx = 0;
  if (!__get_cpuid(0x15, &denominator, &numerator, &crystal_hz, &edx)) return std::nullopt;
  if (denominator == 0 || numerator == 0) return std::nullopt;
  if (crystal_hz != 0) return crystal_hz / 1e3 * numerator / denominator;
  // Without the crystal's frequency the base frequency of leaf 16h represents the product,
  // as Linux has it in native_calibrate_tsc().
  unsigned base_mhz = 0, ebx = 0, ecx = 0;
  if (!__get_cpuid(0x16, &base_mhz, &ebx, &ecx, &edx) || base_mhz == 0) return std::nullopt;
  return base_mhz * 1e3;
}

}  // namespace

std::uint64_t ReadClock() { return __rdtsc(); }

bool ClockIsInvariant() {
  constexpr unsigned kInvariantTsc = 1U << 8;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx) && (edx & kInvariantTsc);
}

CpuClaim ClaimedKhz() { return {KhzByCpuid(), "cpuid"}; }

}  // namespace irqcost
