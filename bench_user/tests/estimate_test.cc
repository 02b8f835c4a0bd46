/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/estimate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace irqcost {
namespace {

constexpr Point kQuiet{12, 0.75, 0.125, 0};

std::vector<Point> Quiet(std::size_t n) { return std::vector<Point>(n, kQuiet); }

TEST(Quantile, OfOneValueIsTheValue) {
  for (const double q : {0.0, 0.1, 0.5, 1.0}) EXPECT_EQ(Quantile({7}, q), 7);
}

TEST(Quantile, InterpolatesBetweenOrderStatistics) {
  // numpy.quantile([4, 1, 3, 2], q)
  EXPECT_DOUBLE_EQ(Quantile({4, 1, 3, 2}, 0.00), 1.0);
  EXPECT_DOUBLE_EQ(Quantile({4, 1, 3, 2}, 0.10), 1.3);
  EXPECT_DOUBLE_EQ(Quantile({4, 1, 3, 2}, 0.50), 2.5);
  EXPECT_DOUBLE_EQ(Quantile({4, 1, 3, 2}, 0.75), 3.25);
  EXPECT_DOUBLE_EQ(Quantile({4, 1, 3, 2}, 1.00), 4.0);
}

TEST(Quantile, OfTiesIsTheirValue) {
  EXPECT_EQ(Quantile({5, 5, 5, 5, 5}, 0.1), 5);
  EXPECT_EQ(Quantile({24, 49, 24, 49, 24, 24}, 0.5), 24);
}

// The standard error of a normal sample's 10th percentile is 1.709 standard deviations over the
// root of its size; base and body have one each.
TEST(Estimate, KnowsItsErrorBySampling) {
  std::mt19937 random(1);
  std::normal_distribution<double> base(1000, 10), body(2000, 10);
  double sum = 0;
  constexpr int kTrials = 200;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<Point> points;
    for (int i = 0; i < 200; ++i) points.push_back({body(random), 192, 0.25, 0, base(random), 96});
    sum += SamplingError(points, true);
  }
  // In core cycles, of which one takes the chain 96 ticks here.
  const double expected = 1.709 * 10 / std::sqrt(200) * std::sqrt(2) / 96;
  EXPECT_NEAR(sum / kTrials, expected, 0.2 * expected);
  EXPECT_EQ(SamplingError(Quiet(20), true), 0);
}

// Of 1 … 20 those from the 3rd to the 15th: 9, where the 10th percentile is 2.9.
TEST(Estimate, TakesTheMiddleWhereItIsAskedFor) {
  std::vector<Point> points;
  for (int i = 20; i >= 1; --i) points.push_back({100.0 + i, 192, 0.25, 0, 100, 96, 1, 96});
  EXPECT_NEAR(EstimateFrom(points, true).ticks, 2.9, 1e-9);
  EXPECT_DOUBLE_EQ(EstimateFrom(points, true, kNoFloor, Location::kMiddle).ticks, 9);
  EXPECT_EQ(Distribute(points, kNoFloor, Location::kMiddle).used.location, Location::kMiddle);
  EXPECT_DOUBLE_EQ(EstimateFrom(Quiet(1), true, kNoFloor, Location::kMiddle).ticks, 12);
}

// Of that too the standard error: the Winsorized deviation, 0.69 of a normal's, over 0.65.
TEST(Estimate, KnowsTheErrorOfTheMiddle) {
  std::mt19937 random(1);
  std::normal_distribution<double> base(1000, 10), body(2000, 10);
  std::vector<double> figures;
  double errors = 0;
  constexpr int kTrials = 400;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<Point> points;
    for (int i = 0; i < 100; ++i)
      points.push_back({body(random), 192, 0.25, 0, base(random), 96, 1, 96});
    figures.push_back(EstimateFrom(points, true, kNoFloor, Location::kMiddle).ticks);
    errors += SamplingError(points, true, kNoFloor, Location::kMiddle) / kTrials;
  }
  double mean = 0, squares = 0;
  for (const double figure : figures) mean += figure / kTrials;
  for (const double figure : figures) squares += (figure - mean) * (figure - mean) / kTrials;
  EXPECT_NEAR(errors, std::sqrt(squares), 0.15 * std::sqrt(squares));
}

TEST(ToPoints, DividesByOperationsCyclesAndNops) {
  irqcost_sample sample{};
  sample.chain_base = 1000;
  sample.chain_body = 1000 + 10 * 32 * 3 * 2;  // 10 loops at 2 ticks a cycle
  sample.sensor = 5 * 128 / 2;                 // 5 loops at half a tick a nop
  sample.base = 700;
  sample.body = 1900;
  sample.flags = IRQCOST_SAMPLE_INTERRUPTED;
  const std::vector<Point> points = ToPoints({{sample}, {3, 10, 5}, 400, {}, {}});
  ASSERT_EQ(points.size(), 1U);
  EXPECT_DOUBLE_EQ(points[0].Ticks(), 3);
  EXPECT_DOUBLE_EQ(points[0].Cycle(), 2);
  EXPECT_DOUBLE_EQ(points[0].sensor, 0.5);
  EXPECT_EQ(points[0].flags, unsigned{IRQCOST_SAMPLE_INTERRUPTED});
}

TEST(ToPoints, KeepsANegativeDifference) {
  irqcost_sample sample{};
  sample.base = 110;
  sample.body = 100;
  EXPECT_DOUBLE_EQ(ToPoints({{sample}, {}, 10, {}, {}})[0].Ticks(), -1);
}

TEST(Estimate, OfEqualSamplesIsExactAndWithoutSpread) {
  const Estimate e = EstimateFrom(Quiet(100), true);
  EXPECT_EQ(e.ticks, 12);
  EXPECT_EQ(e.core_cycles, 16);
  EXPECT_EQ(e.ticks_min, 12);
  EXPECT_EQ(e.ticks_p50, 12);
  EXPECT_EQ(e.ticks_p99, 12);
  EXPECT_EQ(e.spread, 0);
  EXPECT_EQ(e.samples, 100U);
  EXPECT_EQ(e.free, 100U);
  EXPECT_EQ(e.label, "free");
}

TEST(Estimate, OfOneSampleIsThatSampleAndSaysSo) {
  const Estimate e = EstimateFrom(Quiet(1), true);
  EXPECT_EQ(e.ticks, 12);
  EXPECT_EQ(e.spread, 0);
  EXPECT_EQ(e.label, "few: 1 sample");
  EXPECT_EQ(EstimateFrom(Quiet(9), true).label, "few: 9 samples");
  EXPECT_EQ(EstimateFrom(Quiet(10), true).label, "free");
}

TEST(Estimate, HasNoCyclesWhereNoneAreCounted) {
  EXPECT_FALSE(EstimateFrom(Quiet(20), false).core_cycles);
  std::vector<Point> points = Quiet(20);
  for (Point& point : points) point.chain_body = -1;
  EXPECT_FALSE(EstimateFrom(points, true).core_cycles);
}

TEST(Estimate, LeavesDisturbedSamplesOutOfTheFigureButCountsThem) {
  std::vector<Point> points = Quiet(60);
  points.push_back({3, 0.75, 0.125, IRQCOST_SAMPLE_INTERRUPTED});
  points.push_back({3, 0.75, 0.125, IRQCOST_SAMPLE_PREEMPTED | IRQCOST_SAMPLE_MIGRATED});
  for (int i = 0; i < 20; ++i) points.push_back({30, 0.75, 0.125 * 1.06, 0});  // shared core
  for (int i = 0; i < 10; ++i) points.push_back({2, 0.75 * 1.006, 0.125, 0});  // slow clock
  points.push_back({1, 0.75 * 0.99, 0.125, 0});  // the chain's base window was disturbed
  const Estimate e = EstimateFrom(points, true);
  EXPECT_EQ(e.ticks, 12);
  EXPECT_EQ(e.core_cycles, 16);
  EXPECT_EQ(e.spread, 0);
  EXPECT_EQ(e.ticks_min, 1);
  EXPECT_EQ(e.ticks_p99, 30);
  EXPECT_EQ(e.samples, 93U);
  EXPECT_EQ(e.free, 60U);
  EXPECT_EQ(e.interrupted, 1U);
  EXPECT_EQ(e.preempted, 1U);
  EXPECT_EQ(e.migrated, 1U);
  EXPECT_EQ(e.label, "free");
}

TEST(Estimate, KeepsSamplesWithinTheLimits) {
  std::vector<Point> points = Quiet(50);
  for (const double factor : {0.971, 1.049}) points.push_back({12, 0.75, 0.125 * factor, 0});
  for (const double factor : {0.9951, 1.0049}) points.push_back({12, 0.75 * factor, 0.125, 0});
  EXPECT_EQ(EstimateFrom(points, true).free, 54U);
}

TEST(Estimate, OfDisturbedSamplesIsMadeOfAllAndLabelled) {
  std::vector<Point> points = Quiet(100);
  for (Point& point : points) point.flags = IRQCOST_SAMPLE_PREEMPTED;
  for (int i = 0; i < 9; ++i) points[static_cast<std::size_t>(i)].flags = 0;
  const Estimate e = EstimateFrom(points, true);
  EXPECT_EQ(e.free, 9U);
  EXPECT_EQ(e.ticks, 12);
  EXPECT_EQ(e.core_cycles, 16);
  EXPECT_EQ(e.label, "disturbed: 9 of 100 samples free");
}

TEST(Estimate, TakesTheLowQuantileOfQuantisedData) {
  // A TSC that advances in steps of 24.5 ticks, 10 operations a sample: 15 % at the floor.
  std::vector<Point> points(100, {4.9, 0.75, 0.125, 0});
  for (std::size_t i = 0; i < 15; ++i) points[i].body = 2.45;
  const Estimate e = EstimateFrom(points, true);
  EXPECT_DOUBLE_EQ(e.ticks, 2.45);
  EXPECT_DOUBLE_EQ(e.ticks_p50, 4.9);
  EXPECT_DOUBLE_EQ(e.spread, 0);
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
  const Estimate e = EstimateFrom(points, true);
  EXPECT_NEAR(e.ticks, 15, 0.1);  // the p10 of the differences would be 7
}

TEST(Estimate, TakesSamplesOfOtherLoopsAsIfOfTheFirstOnes) {
  std::vector<Point> points = Quiet(40);
  for (std::size_t i = 0; i < points.size(); ++i) {
    points[i].ops = i < 20 ? 100 : 50;
    points[i].base = 3 * points[i].ops;
    points[i].body = 7 * points[i].ops;
  }
  EXPECT_EQ(EstimateFrom(points, true).ticks, 4);
}

TEST(Estimate, FindsTheFloorUnderSkewedNoise) {
  std::mt19937 random(1);  // NOLINT: the same noise in every run is wanted
  std::exponential_distribution<double> noise(1.0);
  std::vector<Point> points = Quiet(1000);
  for (Point& point : points) {
    point.body += noise(random);
    point.chain_body *= 1 + 0.001 * noise(random);
  }
  const Estimate e = EstimateFrom(points, true);
  // p10 of an exponential with mean 1 lies 0.105 above its floor; of the chain 0.0001.
  EXPECT_NEAR(e.ticks, 12.105, 0.02);
  EXPECT_NEAR(*e.core_cycles, 12.105 / 0.75, 0.05);
}

TEST(DistributeTest, KeepsTheWindowsThatTheEstimateIsMadeOf) {
  std::vector<Point> points(20);
  for (std::size_t i = 0; i < points.size(); ++i)
    points[i] = {.body = 500.0 + static_cast<double>(i % 3),
                 .chain_body = 192,
                 .sensor = 0.25,
                 .flags = i < 5 ? 1U : 0U,
                 .base = 250,
                 .chain_base = 96,
                 .ops = 10,
                 .chain_cycles = 96};
  const WindowTicks used = Distribute(points).used;
  ASSERT_EQ(used.body.size(), 15U);
  const double cycle =
      (Quantile(used.chain_body, kFloorQuantile) - Quantile(used.chain_base, kFloorQuantile)) /
      used.chain_cycles;
  const double ticks =
      (Quantile(used.body, kFloorQuantile) - Quantile(used.base, kFloorQuantile)) / used.ops;
  EXPECT_DOUBLE_EQ(ticks / cycle, *EstimateFrom(points, true).core_cycles);
}

TEST(EstimateTest, AStateThatNothingTellsIsUnknown) {
  std::vector<Point> points(20);
  for (Point& point : points)
    point = {.body = 500,
             .chain_body = 96,
             .sensor = 0.25,
             .flags = 0,
             .base = 250,
             .chain_base = 96,
             .ops = 10,
             .chain_cycles = 96};
  points[0].flags = 1;
  const Estimate estimate = EstimateFrom(points, true);
  EXPECT_EQ(estimate.unknown, 19U);
  EXPECT_EQ(estimate.free, 0U);
  for (Point& point : points) point.chain_base = 0;
  EXPECT_EQ(EstimateFrom(points, true).unknown, 0U);
}

}  // namespace
}  // namespace irqcost
