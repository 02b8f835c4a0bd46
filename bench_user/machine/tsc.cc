/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/tsc.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <ctime>
#include <system_error>
#include <utility>

#include "base/text_file.h"
#include "machine/clock.h"
#include "machine/clock_step.h"

namespace irqcost {
namespace {

// A claim further off is of another clock. Measuring itself is good to 10⁻⁴ and better.
constexpr double kTolerance = 0.01;
constexpr std::int64_t kMeasureNs = 100'000'000;
// What was measured before needs only to be distinguished from another clock.
constexpr std::int64_t kVerifyNs = 5'000'000;

struct Instant {
  std::uint64_t ticks;
  std::int64_t ns;
};

std::int64_t RawNs() {
  timespec now{};
  if (clock_gettime(CLOCK_MONOTONIC_RAW, &now) != 0)
    throw std::system_error(errno, std::generic_category(), "clock_gettime");
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

// Both clocks at once: of several tries the one in which reading took the shortest.
Instant Now() {
  constexpr int kTries = 10;
  Instant best{};
  std::uint64_t shortest = UINT64_MAX;
  for (int i = 0; i < kTries; ++i) {
    const std::uint64_t before = ReadClock();
    const std::int64_t ns = RawNs();
    const std::uint64_t after = ReadClock();
    if (after - before < shortest) {
      shortest = after - before;
      best = {before + (after - before) / 2, ns};
    }
  }
  return best;
}

double MeasureKhz(std::int64_t duration_ns) {
  const Instant start = Now();
  const timespec pause{0, duration_ns};
  Instant end = start;
  while (end.ns - start.ns < duration_ns) {
    nanosleep(&pause, nullptr);
    end = Now();
  }
  return static_cast<double>(end.ticks - start.ticks) / static_cast<double>(end.ns - start.ns) *
         1e6;
}

}  // namespace

std::optional<std::string> ClockSource(const std::string& root) {
  return ReadLine(root + "/sys/devices/system/clocksource/clocksource0/current_clocksource");
}

Tsc ChooseTscKhz(const TscClaims& claims, double measured_khz) {
  const std::pair<std::optional<double>, const char*> in_order[] = {
      {claims.earlier, "earlier"},
      {claims.cpu.khz, claims.cpu.source},
      {claims.hypervisor, "hypervisor"},
      {claims.kernel, "kernel"}};
  Tsc tsc;
  tsc.khz = tsc.measured_khz = measured_khz;
  tsc.source = "measured";
  for (const auto& [khz, source] : in_order)
    if (khz) tsc.claims.push_back({source, *khz, (*khz / measured_khz - 1) * 1e6});
  const auto believed = std::find_if(tsc.claims.begin(), tsc.claims.end(), [](const TscClaim& c) {
    return std::abs(c.ppm) <= kTolerance * 1e6;
  });
  if (believed != tsc.claims.end()) {
    tsc.khz = believed->khz;
    tsc.source = believed->source;
  }
  return tsc;
}

Tsc FindTsc(const TscClaims& claims) {
  const std::int64_t duration_ns = claims.earlier ? kVerifyNs : kMeasureNs;
  Tsc tsc = ChooseTscKhz(claims, MeasureKhz(duration_ns));
  tsc.measured_ms = static_cast<double>(duration_ns) / 1e6;
  tsc.invariant = ClockIsInvariant();
  tsc.step = MeasureStep(ReadClock);
  tsc.clock_source = ClockSource();
  return tsc;
}

}  // namespace irqcost
