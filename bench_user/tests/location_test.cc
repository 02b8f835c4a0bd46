/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/location.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

namespace irqcost {
namespace {

// From … to, in no particular order.
std::vector<double> Numbers(int from, int to) {
  std::vector<double> values(static_cast<std::size_t>(to - from + 1));
  std::iota(values.begin(), values.end(), from);
  std::shuffle(values.begin(), values.end(), std::mt19937(1));  // NOLINT: always the same
  return values;
}

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

TEST(TrimmedMean, IsOfThoseBetweenP10AndP75) {
  EXPECT_DOUBLE_EQ(TrimmedMean(Numbers(1, 20)), 9);  // of 3 to 15
  std::vector<double> tail = Numbers(1, 20);
  for (double& value : tail)
    if (value > 15) value = 1e6;
  EXPECT_DOUBLE_EQ(TrimmedMean(tail), 9);
}

TEST(TrimmedMean, OfFewValuesIsOfTheLowestOnes) {
  EXPECT_EQ(TrimmedMean({7}), 7);
  EXPECT_EQ(TrimmedMean({9, 7}), 7);
  EXPECT_EQ(TrimmedMean({9, 7, 8}), 7.5);
  EXPECT_EQ(TrimmedMean({5, 5, 5, 5}), 5);
}

TEST(HalfSampleMode, IsWhereTheValuesAreDensest) {
  EXPECT_DOUBLE_EQ(HalfSampleMode({100, 10, 23, 20, 90, 22}), 22.5);
  std::vector<double> values = Numbers(1, 40);
  for (int i = 0; i < 45; ++i) values.push_back(100 + i * 0.01);
  EXPECT_NEAR(HalfSampleMode(values), 100.22, 0.23);
}

TEST(HalfSampleMode, OfFewValuesOrTies) {
  EXPECT_EQ(HalfSampleMode({7}), 7);
  EXPECT_EQ(HalfSampleMode({7, 9}), 8);
  EXPECT_EQ(HalfSampleMode({5, 5, 5, 5, 5}), 5);
  // Two crowds that are equally dense: a neighbour only adds, so the lower one.
  EXPECT_EQ(HalfSampleMode({1, 2, 11, 12}), 1.5);
}

TEST(LowQuantile, IsTheTenthPercentileAndKnowsItsError) {
  const Located low = LowQuantile(Numbers(0, 100));
  EXPECT_DOUBLE_EQ(low.value, 10);
  EXPECT_DOUBLE_EQ(low.error, 3);  // √(101 · 0.1 · 0.9) order statistics to each side, 1 apart
  EXPECT_EQ(LowQuantile({7}).value, 7);
  EXPECT_EQ(LowQuantile({7}).error, 0);
  EXPECT_EQ(LowQuantile({5, 5, 5, 5}).error, 0);
}

// The standard error of a normal sample's 10th percentile is 1.709 standard deviations over the
// root of its size.
TEST(LowQuantile, KnowsItsErrorBySampling) {
  std::mt19937 random(1);  // NOLINT: the same noise in every run is wanted
  std::normal_distribution<double> noise(1000, 10);
  double sum = 0;
  constexpr int kTrials = 400;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> values(200);
    for (double& value : values) value = noise(random);
    sum += LowQuantile(values).error;
  }
  const double expected = 1.709 * 10 / std::sqrt(200);
  EXPECT_NEAR(sum / kTrials, expected, 0.2 * expected);
}

TEST(LowBand, IsTheMeanOfThoseNearTheTenthPercentile) {
  // The percentile is 2, and 0 to 6 lie within 4 of it: their deviation is √(28/6).
  const Located band = LowBand(Numbers(0, 20), 4);
  EXPECT_DOUBLE_EQ(band.value, 3);
  EXPECT_DOUBLE_EQ(band.error, std::sqrt(28.0 / 6 / 7));
}

TEST(LowBand, OfFewerThanThreeIsThePercentile) {
  const std::vector<double> apart = {0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100};
  EXPECT_DOUBLE_EQ(LowBand(apart, 4).value, 10);
  EXPECT_DOUBLE_EQ(LowBand(apart, 4).error, LowQuantile(apart).error);
  EXPECT_GT(LowBand(apart, 4).error, 0);
  EXPECT_DOUBLE_EQ(LowBand({0, 9, 12, 30, 40, 50, 60, 70, 80, 90, 100}, 4).value, 9);
  EXPECT_DOUBLE_EQ(LowBand({6, 10, 14, 30, 40, 50, 60, 70, 80, 90, 100}, 4).value, 10);
  EXPECT_DOUBLE_EQ(LowBand({6.5, 10, 13.8, 30, 40, 50, 60, 70, 80, 90, 100}, 4).value, 30.3 / 3);
  EXPECT_EQ(LowBand({7}, 4).value, 7);
  EXPECT_EQ(LowBand({7}, 4).error, 0);
}

TEST(LowBand, OfTiesNeedsNoWidth) {
  EXPECT_EQ(LowBand({5, 5, 5, 5, 90}, 0).value, 5);
  EXPECT_EQ(LowBand({5, 5, 5, 5, 90}, 0).error, 0);
}

TEST(WithinDeviations, IsTheMeanOfAllWithoutThoseFarOff) {
  // The median is 10 and the median absolute deviation 5: 26 to each side.
  EXPECT_DOUBLE_EQ(WithinDeviations(Numbers(0, 20)).value, 10);
  std::vector<double> values = Numbers(0, 20);
  values.push_back(1000);
  values.push_back(-1000);
  const Located kept = WithinDeviations(values);
  EXPECT_DOUBLE_EQ(kept.value, 10);
  EXPECT_DOUBLE_EQ(kept.error, std::sqrt(770.0 / 20 / 21));
  // Deviations of 1, 1, 1, 0, 1 …: 3.5 · 1.4826 lie 5.19 to each side.
  EXPECT_DOUBLE_EQ(WithinDeviations({9, 9, 10, 11, 11, 15.1}).value, 65.1 / 6);
  EXPECT_DOUBLE_EQ(WithinDeviations({9, 9, 10, 10, 11, 11, 15.3}).value, 10);
}

TEST(WithinDeviations, WhereMostAreEqualIsThat) {
  EXPECT_EQ(WithinDeviations({5, 5, 5, 5, 9}).value, 5);
  EXPECT_EQ(WithinDeviations({5, 5, 5, 5, 9}).error, 0);
  EXPECT_EQ(WithinDeviations({5, 5, 5}).value, 5);
}

TEST(WithinDeviations, OfOneOrTwoValues) {
  EXPECT_EQ(WithinDeviations({7}).value, 7);
  EXPECT_EQ(WithinDeviations({7}).error, 0);
  EXPECT_EQ(WithinDeviations({1, 3}).value, 2);
  EXPECT_DOUBLE_EQ(WithinDeviations({1, 3}).error, 1);
}

}  // namespace
}  // namespace irqcost
