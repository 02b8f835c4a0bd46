/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/estimate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "measure/location.h"

namespace irqcost {
namespace {

constexpr Method kLow{Location::kLowBand, true, 1};
constexpr Method kMean{Location::kWithinDeviations, true, 1};
constexpr Method kExact{Location::kLowQuantile, true, 1};

constexpr Point kQuiet{12, 0.75, 0.125, 0};

std::vector<Point> Quiet(std::size_t n) { return std::vector<Point>(n, kQuiet); }

// Samples of 1,000 operations and of a chain of 1,000 core cycles, of which each takes a tick.
std::vector<Point> Long(std::size_t n) {
  return std::vector<Point>(n, {20'000, 2000, 0.25, 0, 10'000, 1000, 1000, 1000});
}

// What a recording of one row says of it.
Estimate Estimated(const std::vector<Point>& points, const Method& method = kLow,
                   std::optional<double> known = std::nullopt) {
  Recording recording(method.step);
  recording.Add(recording.NewRow(), points);
  recording.Judge(known);
  return EstimateFrom(recording.Of(0), method, recording);
}

// Clean samples by a clock that each has of its own.
Estimate Clocked(const std::vector<Point>& points, const std::vector<double>& clocks,
                 const Method& method) {
  std::vector<Judged> judged;
  for (std::size_t i = 0; i < points.size(); ++i)
    judged.push_back({&points[i], clocks[i % clocks.size()], true});
  return EstimateFrom(judged, method, Recording(method.step));
}

TEST(Estimate, OfEqualSamplesIsExactAndWithoutSpread) {
  for (const Method& method : {kLow, kMean, kExact}) {
    const Estimate e = Estimated(Quiet(100), method);
    EXPECT_DOUBLE_EQ(e.ticks, 12);
    EXPECT_DOUBLE_EQ(*e.core_cycles, 16);
    EXPECT_EQ(e.ticks_min, 12);
    EXPECT_EQ(e.ticks_p50, 12);
    EXPECT_EQ(e.ticks_p99, 12);
    EXPECT_EQ(e.spread, 0);
    EXPECT_EQ(e.error, 0);
    EXPECT_DOUBLE_EQ(e.cycle, 0.75);
    EXPECT_DOUBLE_EQ(e.sensor, 0.125 / 0.75);
    EXPECT_EQ(e.samples, 100U);
    EXPECT_EQ(e.clean, 100U);
    EXPECT_EQ(e.label, kCleanLabel);
  }
}

TEST(Estimate, OfOneSampleIsThatSampleAndSaysSo) {
  const Estimate e = Estimated(Quiet(1));
  EXPECT_DOUBLE_EQ(e.ticks, 12);
  EXPECT_EQ(e.spread, 0);
  EXPECT_EQ(e.label, "few: 1 sample");
  EXPECT_EQ(Estimated(Quiet(9)).label, "few: 9 samples");
  EXPECT_EQ(Estimated(Quiet(10)).label, kCleanLabel);
}

TEST(Estimate, HasNoCyclesWhereNoneAreCounted) {
  EXPECT_FALSE(Estimated(Quiet(20), {Location::kLowBand, false, 1}).core_cycles);
  EXPECT_DOUBLE_EQ(Estimated(Quiet(20), {Location::kLowBand, false, 1}).ticks, 12);
  std::vector<Point> points = Quiet(20);
  for (Point& point : points) point.chain_body = -1;
  const Estimate without_clock = Estimated(points);
  EXPECT_FALSE(without_clock.core_cycles);
  EXPECT_DOUBLE_EQ(without_clock.ticks, 12);
}

TEST(Estimate, OfThroughputIsTheMeanOfTheLowestWindows) {
  // A clock of 0.5 ticks a cycle and a step of 1: bands of 8 cycles. Of the bodies, 40,000 cycles
  // and so many times 4 more, the 10th percentile is 40,004, and four lie within 8 of it.
  std::vector<Point> points = Long(11);
  for (std::size_t i = 0; i < points.size(); ++i) {
    points[i].body = 20'000 + static_cast<double>(i) * 2;
    points[i].chain_base = 500;
    points[i].chain_body = 1000;
  }
  const Estimate e = Clocked(points, {0.5}, kLow);
  EXPECT_DOUBLE_EQ(*e.core_cycles, (40'006.0 - 20'000) / 1000);
  // Their deviation is √(80/3); the other three windows have none.
  EXPECT_NEAR(e.error, std::sqrt(80.0 / 3 / 4) / 1000, 1e-9);
}

TEST(Estimate, OfOtherModesIsTheMeanWithoutThoseFarOff) {
  std::vector<Point> points = Long(24);
  for (std::size_t i = 0; i < 21; ++i) points[i].body = 20'000 + static_cast<double>(i) * 10;
  for (std::size_t i = 21; i < 23; ++i) points[i].body = 90'000;
  points[23].body = -90'000;
  const Estimate e = Clocked(points, {1}, kMean);
  EXPECT_DOUBLE_EQ(*e.core_cycles, 10.1);
  EXPECT_NEAR(e.error, std::sqrt(770.0 / 20 / 21) * 10 / 1000, 1e-12);
}

// Windows that went two ways: their mean is the count of neither.
TEST(Estimate, OfTheInstructionClockIsTheLowQuantile) {
  std::vector<Point> points = Long(20);
  for (std::size_t i = 0; i < points.size(); i += 2) points[i].body += 3;
  EXPECT_DOUBLE_EQ(Clocked(points, {1}, kExact).ticks, 10);
  EXPECT_DOUBLE_EQ(Clocked(points, {1}, {Location::kLowQuantile, false, 1}).ticks, 10);
  EXPECT_DOUBLE_EQ(Clocked(points, {1}, kMean).ticks, 10.0015);
}

// Each window is divided by the clock of its own time.
TEST(Estimate, TheClockMayDrift) {
  std::vector<Point> points = Long(100);
  std::vector<double> clocks;
  for (std::size_t i = 0; i < points.size(); ++i) {
    clocks.push_back(0.8 + 0.004 * static_cast<double>(i));
    for (double Point::*window :
         {&Point::base, &Point::body, &Point::chain_base, &Point::chain_body})
      points[i].*window *= clocks[i];
  }
  for (const Method& method : {kLow, kMean, kExact}) {
    const Estimate e = Clocked(points, clocks, method);
    EXPECT_NEAR(*e.core_cycles, 10, 1e-9);
    EXPECT_NEAR(e.error, 0, 1e-9);
    EXPECT_DOUBLE_EQ(e.cycle, Quantile(clocks, 0.5));
  }
}

TEST(Estimate, TicksAreCyclesTimesTheClock) {
  std::mt19937 random(1);  // NOLINT: the same noise in every run is wanted
  std::exponential_distribution<double> noise(0.5);
  std::vector<Point> points = Long(200);
  for (Point& point : points) {
    point.body += noise(random);
    point.chain_body += 0.2 * noise(random);
  }
  for (const Method& method : {kLow, kMean, kExact}) {
    const Estimate e = Estimated(points, method);
    EXPECT_EQ(e.label, kCleanLabel);
    EXPECT_DOUBLE_EQ(e.ticks, *e.core_cycles * e.cycle);
  }
}

// What the chain's windows are off, the row's are too: a third estimator of both cancels out.
TEST(Estimate, IsHeldAgainstTheChainByTheSameMeans) {
  std::vector<Point> points = Long(100);
  // The clock was found 0.2 % too fast.
  EXPECT_NEAR(*Clocked(points, {1.002}, kLow).core_cycles, 10, 1e-9);
  EXPECT_NEAR(Clocked(points, {1.002}, kLow).ticks, 10.02, 1e-9);
}

TEST(Estimate, KnowsItsErrorBySampling) {
  std::mt19937 random(1);  // NOLINT: the same noise in every run is wanted
  std::normal_distribution<double> noise(0, 10);
  for (const Method& method : {kMean, kExact}) {
    std::vector<double> figures;
    double errors = 0;
    constexpr int kTrials = 400;
    for (int trial = 0; trial < kTrials; ++trial) {
      std::vector<Point> points = Long(100);
      for (Point& point : points) {
        point.base += noise(random);
        point.body += noise(random);
        point.chain_base += 0.1 * noise(random);
        point.chain_body += 0.1 * noise(random);
      }
      const Estimate e = Clocked(points, {1}, method);
      figures.push_back(*e.core_cycles);
      errors += e.error / kTrials;
    }
    double mean = 0, squares = 0;
    for (const double figure : figures) mean += figure / kTrials;
    for (const double figure : figures) squares += (figure - mean) * (figure - mean) / kTrials;
    EXPECT_NEAR(errors, std::sqrt(squares), 0.3 * std::sqrt(squares));
  }
}

TEST(Estimate, LeavesContaminatedSamplesOutOfTheFigureButCountsThem) {
  std::vector<Point> points = Quiet(75);
  points.push_back({3, 0.75, 0.125, IRQCOST_SAMPLE_INTERRUPTED});
  points.push_back({3, 0.75, 0.125, IRQCOST_SAMPLE_PREEMPTED | IRQCOST_SAMPLE_MIGRATED});
  for (int i = 0; i < 20; ++i) points.push_back({30, 0.75, 0.125 * 1.06, 0});  // shared core
  for (int i = 0; i < 3; ++i) points.push_back({2, 0.75, 0.125 * 0.9, 0});     // no such nops
  const Estimate e = Estimated(points, {Location::kLowBand, true, 1e-4});
  EXPECT_DOUBLE_EQ(e.ticks, 12);
  EXPECT_DOUBLE_EQ(*e.core_cycles, 16);
  EXPECT_EQ(e.spread, 0);
  EXPECT_EQ(e.ticks_min, 2);
  EXPECT_EQ(e.ticks_p99, 30);
  EXPECT_EQ(e.samples, 100U);
  EXPECT_EQ(e.clean, 75U);
  EXPECT_EQ(e.interrupted, 1U);
  EXPECT_EQ(e.preempted, 1U);
  EXPECT_EQ(e.migrated, 1U);
  EXPECT_EQ(e.unknown, 0U);
  EXPECT_EQ(e.label, kCleanLabel);
}

TEST(Estimate, OfTooFewCleanSamplesIsMadeOfAllAndLabelled) {
  std::vector<Point> points = Quiet(100);
  for (std::size_t i = 9; i < points.size(); ++i) points[i].flags = IRQCOST_SAMPLE_PREEMPTED;
  const Estimate e = Estimated(points, kLow, kQuiet.sensor / kQuiet.Cycle());
  EXPECT_EQ(e.clean, 9U);
  EXPECT_DOUBLE_EQ(e.ticks, 12);
  EXPECT_DOUBLE_EQ(*e.core_cycles, 16);
  EXPECT_EQ(e.label, "disturbed: 9 of 100 samples clean");
}

TEST(Estimate, IsNotDrawnDownByTheNoiseOfTwoWindows) {
  // A row of 15 ticks in a section of 500, each window with noise of its own.
  std::mt19937 random(1);  // NOLINT: the same noise in every run is wanted
  std::exponential_distribution<double> noise(0.2);
  std::vector<Point> points = Quiet(4000);
  for (Point& point : points) {
    point.base = 500 + noise(random);
    point.body = 515 + noise(random);
  }
  // The p10 of the differences would be 7.
  EXPECT_NEAR(Clocked(points, {0.75}, kExact).ticks, 15, 0.1);
  EXPECT_NEAR(Clocked(points, {0.75}, kLow).ticks, 15, 0.2);
  EXPECT_NEAR(Clocked(points, {0.75}, kMean).ticks, 15, 0.2);
}

TEST(Estimate, TakesSamplesOfOtherLoopsAsIfOfTheFirstOnes) {
  std::vector<Point> points = Quiet(40);
  for (std::size_t i = 0; i < points.size(); ++i) {
    points[i].ops = i < 20 ? 100 : 50;
    points[i].base = 3 * points[i].ops;
    points[i].body = 7 * points[i].ops;
    points[i].chain_cycles = i < 20 ? 1 : 2;
    points[i].chain_body = 0.75 * points[i].chain_cycles;
  }
  EXPECT_DOUBLE_EQ(Estimated(points).ticks, 4);
  EXPECT_DOUBLE_EQ(*Estimated(points).core_cycles, 4 / 0.75);
}

// The bottom of skewed noise in throughput.
TEST(Estimate, OfThroughputFindsTheBottomUnderSkewedNoise) {
  std::mt19937 random(1);  // NOLINT: the same noise in every run is wanted
  std::exponential_distribution<double> noise(0.05);
  std::vector<Point> points = Long(1000);
  for (Point& point : points) point.body += noise(random);
  // 4 ticks above and below a p10 that lies 2.1 above the bottom: a mean of 3, of 1,000 operations.
  EXPECT_NEAR(Estimated(points).ticks, 10.003, 0.0005);
  EXPECT_NEAR(Estimated(points, kMean).ticks, 10.018, 0.002);
}

TEST(Estimate, AStepOfTheClockIsRoundedAwayByManySamples) {
  EXPECT_DOUBLE_EQ(Estimated(Long(25), {Location::kLowBand, true, 20}).ticks_resolution,
                   20.0 / 5 / 1000);
  EXPECT_DOUBLE_EQ(Estimated(Long(100), {Location::kLowBand, true, 20}).ticks_resolution,
                   20.0 / 10 / 1000);
  // The row's windows and, 10 cycles at a time, the chain's.
  EXPECT_DOUBLE_EQ(Estimated(Long(100), {Location::kLowBand, true, 20}).cycles_resolution,
                   20.0 / 10 / 1000 * 11);
}

TEST(Estimate, HoldsTheChainAgainstACounter) {
  std::vector<Point> points = Long(20);
  EXPECT_FALSE(Estimated(points).counted_cycles);
  for (std::size_t i = 0; i < 9; ++i) points[i].counted = 1.2;
  EXPECT_FALSE(Estimated(points).counted_cycles) << "too few counted";
  points[9].counted = 1.2;
  EXPECT_DOUBLE_EQ(*Estimated(points).counted_cycles, 1.2);
}

TEST(Estimate, AStateThatNothingTellsIsUnknown) {
  std::vector<Point> points = Long(20);
  for (Point& point : points) point.chain_base = point.chain_body;
  points[0].flags = 1;
  const Estimate estimate = Estimated(points);
  EXPECT_EQ(estimate.unknown, 19U);
  EXPECT_EQ(estimate.clean, 0U);
  EXPECT_EQ(Estimated(Long(20)).unknown, 0U);
}

TEST(DistributeTest, KeepsEverySampleByItsClock) {
  const std::vector<Point> points = Long(3);
  const std::vector<Judged> judged = {
      {&points[0], 0.5, true}, {&points[1], 2, false}, {&points[2], 0, false}};
  const Distribution cycles = Distribute(judged, true);
  EXPECT_EQ(cycles.clean, std::vector<double>{20});
  EXPECT_EQ(cycles.contaminated, std::vector<double>{5}) << "one has no clock";
  const Distribution ticks = Distribute(judged, false);
  EXPECT_EQ(ticks.clean, std::vector<double>{10});
  EXPECT_EQ(ticks.contaminated, (std::vector<double>{10, 10}));
}

}  // namespace
}  // namespace irqcost
