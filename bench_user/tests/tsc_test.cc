/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/tsc.h"

#include <gtest/gtest.h>

#include "fake_machine.h"

namespace irqcost {
namespace {

CpuClaim Said(double khz) { return {khz, "cpuid"}; }

TEST(Tsc, TakesTheFirstClaimThatTheClockConfirms) {
  const Tsc cpuid = ChooseTscKhz({{}, Said(2'300'000), 2'300'001, 2'300'002}, 2'299'990);
  EXPECT_EQ(cpuid.khz, 2'300'000);
  EXPECT_EQ(cpuid.source, "cpuid");
  EXPECT_EQ(ChooseTscKhz({2'300'003, Said(2'300'000), {}, {}}, 2'299'990).khz, 2'300'003);
  EXPECT_EQ(ChooseTscKhz({{}, {}, 2'300'001, 2'300'002}, 2'299'990).source, "hypervisor");
  EXPECT_EQ(ChooseTscKhz({{}, {}, {}, 2'300'002}, 2'299'990).source, "kernel");
}

TEST(Tsc, RefusesAClaimAboutAnotherClock) {
  const Tsc scaled = ChooseTscKhz({3'000'000, Said(3'000'000), {}, {}}, 2'300'000);
  EXPECT_EQ(scaled.khz, 2'300'000);
  EXPECT_EQ(scaled.source, "measured");
}

TEST(Tsc, KeepsHowFarEachClaimIsOff) {
  const Tsc tsc = ChooseTscKhz({{}, Said(2'000'100), {}, 3'000'000}, 2'000'000);
  EXPECT_EQ(tsc.measured_khz, 2'000'000);
  ASSERT_EQ(tsc.claims.size(), 2U);
  EXPECT_EQ(tsc.claims[0].source, "cpuid");
  EXPECT_NEAR(tsc.claims[0].ppm, 50, 1e-6);
  EXPECT_EQ(tsc.claims[1].source, "kernel");  // not believed, but not hidden either
  EXPECT_NEAR(tsc.claims[1].ppm, 500'000, 1e-6);
  EXPECT_EQ(tsc.source, "cpuid");
}

TEST(Tsc, OfThisMachineIsThatOfItsRawClock) {
  const Tsc tsc = FindTsc({});
  EXPECT_EQ(tsc.source, "measured");
  EXPECT_EQ(tsc.khz, tsc.measured_khz);
  EXPECT_TRUE(tsc.claims.empty());
  EXPECT_GT(tsc.measured_ms, 50);
  EXPECT_GE(tsc.step, 1);
}

TEST(Tsc, NamesTheClockSourceOfTheKernel) {
  FakeMachine machine;
  EXPECT_FALSE(ClockSource(machine.Root()));
  machine.Write("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n");
  EXPECT_EQ(ClockSource(machine.Root()), "hpet");
}

}  // namespace
}  // namespace irqcost
