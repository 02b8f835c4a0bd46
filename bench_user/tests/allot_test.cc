/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/allot.h"

#include <gtest/gtest.h>

namespace irqcost {
namespace {

using Samples = std::vector<std::size_t>;

// An error of twice what it may be takes four times the samples.
TEST(Allot, GivesWhatAnErrorTakes) {
  const Claim claims[] = {{2, 50, 40, 1000}, {3, 50, 40, 1000}};
  EXPECT_EQ(Allot(claims, 1e6), (Samples{150, 400}));
}

TEST(Allot, GivesNothingToWhatIsKnownWellEnough) {
  const Claim claims[] = {{0, 50, 40, 1000}, {1, 50, 40, 1000}, {0.2, 0, 0, 0}, {}};
  EXPECT_EQ(Allot(claims, 1e6), (Samples{0, 0, 0, 0}));
}

TEST(Allot, ServesTheCheapestFirstAndSharesTheRest) {
  // 50 · (10² − 1) = 4950 samples would take 198 ms each; the other one takes 6 ms of 26.
  const Claim claims[] = {{10, 50, 40, 10000}, {2, 50, 40, 1000}, {10, 50, 40, 10000}};
  EXPECT_EQ(Allot(claims, 26'000), (Samples{250, 150, 250}));
}

TEST(Allot, GivesNoMoreThanTheMost) {
  const Claim claims[] = {{10, 50, 40, 70}};
  EXPECT_EQ(Allot(claims, 1e6), Samples{70});
}

TEST(Allot, GivesNothingWithoutTime) {
  const Claim claims[] = {{2, 50, 40, 1000}, {}};
  EXPECT_EQ(Allot(claims, 0), (Samples{0, 0}));
  EXPECT_EQ(Allot(claims, -5), (Samples{0, 0}));
  EXPECT_TRUE(Allot({}, 1e6).empty());
}

}  // namespace
}  // namespace irqcost
