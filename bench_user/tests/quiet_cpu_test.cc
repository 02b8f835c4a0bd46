/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/quiet_cpu.h"

#include <gtest/gtest.h>

#include <vector>

namespace irqcost {
namespace {

int Chosen(const std::vector<CpuScan>& scans) { return QuietCpu(scans); }

TEST(QuietCpu, ThePreferredOneWhereAllAreFree) {
  EXPECT_EQ(Chosen({{1, 0, true, 0.182}, {0, 0, true, 0.181}}), 1);
  EXPECT_EQ(Chosen({{3, 0, true, 0.181}}), 3);
}

TEST(QuietCpu, AnotherWhereANeighbourSharesTheCore) {
  EXPECT_EQ(Chosen({{1, 0, true, 0.317}, {0, 0, true, 0.181}}), 0);
}

TEST(QuietCpu, AnotherWhereATaskWantsTheCpu) {
  EXPECT_EQ(Chosen({{1, 0, false, 0.181}, {0, 0, true, 0.182}}), 0);
}

// A free core that somebody uses is no measure of one that nobody does.
TEST(QuietCpu, ABusyCpuSetsNoLevel) {
  EXPECT_EQ(Chosen({{2, 0, false, 0.1}, {1, 0, true, 0.182}, {0, 0, true, 0.181}}), 1);
}

TEST(QuietCpu, ThePreferredOneWhereNoneIsFree) {
  EXPECT_EQ(Chosen({{1, 0, false, 0.181}, {0, 0, false, 0.181}}), 1);
  EXPECT_EQ(Chosen({{1, 0, true, 0.317}, {0, 0, true, 0.32}}), 1);
}

TEST(QuietCpu, NeverACoreOfAnotherType) {
  EXPECT_EQ(Chosen({{1, 0x40, true, 0.317}, {0, 0x20, true, 0.181}}), 1);
}

TEST(QuietCpu, WithoutCoreCyclesTheFirstIdleOne) {
  EXPECT_EQ(Chosen({{1, 0, false, std::nullopt}, {0, 0, true, std::nullopt}}), 0);
}

}  // namespace
}  // namespace irqcost
