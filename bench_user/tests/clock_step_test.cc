/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/clock_step.h"

#include <gtest/gtest.h>

#include <cmath>

namespace irqcost {
namespace {

// Readings of a clock that advances by `step` at once, at distances that differ.
std::vector<std::uint64_t> Readings(double step, double start = 123'456'789) {
  std::vector<std::uint64_t> readings;
  double now = start;
  std::uint64_t random = 1;
  for (int i = 0; i < 2000; ++i) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    now += 18 + static_cast<double>(random >> 58);
    readings.push_back(static_cast<std::uint64_t>(std::floor(now / step) * step));
  }
  return readings;
}

TEST(ClockStep, OfAClockThatCountsEachTick) { EXPECT_EQ(ClockStep(Readings(1)), 1); }

TEST(ClockStep, OfWholeTicks) {
  for (const double step : {2.0, 3.0, 21.0, 100.0}) EXPECT_EQ(ClockStep(Readings(step)), step);
}

// Ten nanoseconds of a TSC of 2.45 GHz, of one of 2.0995 GHz, and of a clock in nanoseconds that
// runs a little fast.
TEST(ClockStep, OfStepsThatAreNoWholeTicks) {
  for (const double step : {24.5, 20.995, 10.0004})
    EXPECT_NEAR(ClockStep(Readings(step)), step, 0.2) << step;
}

TEST(ClockStep, OfAClockThatIsSetRightMeanwhile) {
  std::vector<std::uint64_t> readings = Readings(10.0004);
  const std::vector<std::uint64_t> later = Readings(10.0004, 223'456'783);
  readings.insert(readings.end(), readings.back() + 27);
  readings.insert(readings.end(), later.begin(), later.end());
  EXPECT_NEAR(ClockStep(readings), 10, 0.2);
}

TEST(ClockStep, OfAClockThatStandsStillOrGoesBack) {
  EXPECT_EQ(ClockStep({}), 1);
  EXPECT_EQ(ClockStep({5, 5, 5}), 1);
  EXPECT_EQ(ClockStep({7, 3}), 1);
}

// Distances that are all equal do not say of how many steps they are.
TEST(ClockStep, AsksForDistancesThatDiffer) {
  EXPECT_EQ(MeasureStep([n = 0U]() mutable { return std::uint64_t{++n}; }), 1);
}

}  // namespace
}  // namespace irqcost
