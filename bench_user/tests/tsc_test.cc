/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/tsc.h"

#include <gtest/gtest.h>

namespace irqcost {
namespace {

TEST(Tsc, TakesTheFirstClaimThatTheClockConfirms) {
  const Tsc cpuid = ChooseTscKhz({{}, 2'300'000, 2'300'001, 2'300'002}, 2'299'990);
  EXPECT_EQ(cpuid.khz, 2'300'000);
  EXPECT_EQ(cpuid.source, "cpuid");
  EXPECT_EQ(ChooseTscKhz({2'300'003, 2'300'000, {}, {}}, 2'299'990).khz, 2'300'003);
  EXPECT_EQ(ChooseTscKhz({{}, {}, 2'300'001, 2'300'002}, 2'299'990).source, "hypervisor");
  EXPECT_EQ(ChooseTscKhz({{}, {}, {}, 2'300'002}, 2'299'990).source, "kernel");
}

TEST(Tsc, RefusesAClaimAboutAnotherClock) {
  const Tsc scaled = ChooseTscKhz({3'000'000, 3'000'000, {}, {}}, 2'300'000);
  EXPECT_EQ(scaled.khz, 2'300'000);
  EXPECT_EQ(scaled.source, "measured");
}

}  // namespace
}  // namespace irqcost
