/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/clock_step.h"

#include <gtest/gtest.h>

#include <cmath>

namespace irqcost {
namespace {

// Durations between readings of a clock that advances by `step`, shown in whole numbers.
std::vector<std::uint64_t> Durations(double step, double shortest) {
  std::vector<std::uint64_t> durations;
  for (int i = 0; i < 2000; ++i) {
    const double from = i * 1000.37, to = from + shortest + i % 97;
    const auto shown = [step](double at) {
      return static_cast<std::uint64_t>(std::floor(std::floor(at / step) * step));
    };
    durations.push_back(shown(to) - shown(from));
  }
  return durations;
}

TEST(ClockStep, IsTheDivisorOfAllDurations) {
  EXPECT_DOUBLE_EQ(ClockStep(Durations(21, 40)), 21);
  EXPECT_DOUBLE_EQ(ClockStep(Durations(2, 26)), 2);
  EXPECT_DOUBLE_EQ(ClockStep(Durations(1, 26)), 1);
}

TEST(ClockStep, NeedNotBeWhole) {
  EXPECT_NEAR(ClockStep(Durations(24.5, 10)), 24.5, 0.3);  // the TSC of a Zen 3
  EXPECT_NEAR(ClockStep(Durations(10.0167, 20)), 10, 0.1);  // nanoseconds of a coarse TSC
  EXPECT_NEAR(ClockStep(Durations(69.84, 500)), 69.84, 0.5);  // HPET
}

TEST(ClockStep, OfOneDurationIsThat) { EXPECT_DOUBLE_EQ(ClockStep({5, 5, 5}), 5); }

TEST(ClockStep, OfNoTimeIsOne) { EXPECT_DOUBLE_EQ(ClockStep({0, 0}), 1); }

}  // namespace
}  // namespace irqcost
