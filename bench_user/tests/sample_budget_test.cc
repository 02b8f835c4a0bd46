/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/sample_budget.h"

#include <gtest/gtest.h>

namespace irqcost {
namespace {

using Samples = std::vector<std::size_t>;

// An error of twice what it may be takes four times the samples.
TEST(SampleBudget, GivesWhatAnErrorTakes) {
  const SampleDemand demands[] = {{2, 50, 40, 1000}, {3, 50, 40, 1000}};
  EXPECT_EQ(AllocateSamples(demands, 1e6), (Samples{150, 400}));
}

TEST(SampleBudget, GivesNothingToWhatIsKnownWellEnough) {
  const SampleDemand demands[] = {{0, 50, 40, 1000}, {1, 50, 40, 1000}, {0.2, 0, 0, 0}, {}};
  EXPECT_EQ(AllocateSamples(demands, 1e6), (Samples{0, 0, 0, 0}));
}

TEST(SampleBudget, ServesTheCheapestFirstAndSharesTheRest) {
  // 50 · (10² − 1) = 4950 samples would take 198 ms each; the other one takes 6 ms of 26.
  const SampleDemand demands[] = {{10, 50, 40, 10000}, {2, 50, 40, 1000}, {10, 50, 40, 10000}};
  EXPECT_EQ(AllocateSamples(demands, 26'000), (Samples{250, 150, 250}));
}

TEST(SampleBudget, GivesNoMoreThanTheMost) {
  const SampleDemand demands[] = {{10, 50, 40, 70}};
  EXPECT_EQ(AllocateSamples(demands, 1e6), Samples{70});
}

TEST(SampleBudget, GivesNothingWithoutTime) {
  const SampleDemand demands[] = {{2, 50, 40, 1000}, {}};
  EXPECT_EQ(AllocateSamples(demands, 0), (Samples{0, 0}));
  EXPECT_EQ(AllocateSamples(demands, -5), (Samples{0, 0}));
  EXPECT_TRUE(AllocateSamples({}, 1e6).empty());
}

}  // namespace
}  // namespace irqcost
