/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/activity.h"

#include <gtest/gtest.h>

#include "fake_machine.h"

namespace irqcost {
namespace {

using Counts = std::map<std::string, std::uint64_t>;

// CPU 1 is offline, so CPU 2 has the second column.
constexpr char kInterrupts[] =
    "           CPU0       CPU2       \n"
    " 36:          4          7  PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0\n"
    "LOC:        100        200   Local timer interrupts\n"
    "TLB:          5          6   TLB shootdowns\n"
    "ERR:          3\n";

TEST(Activity, CountsTheInterruptsOfOneCpu) {
  FakeMachine machine;
  machine.Write("proc/interrupts", kInterrupts);
  const Counts expected = {{"36 PCI-MSIX-0000:00:02.0 1-edge virtio1-req.0", 7},
                           {"LOC Local timer interrupts", 200},
                           {"TLB TLB shootdowns", 6}};
  EXPECT_EQ(ReadActivity(2, machine.Root()).interrupts, expected);
  EXPECT_FALSE(ReadActivity(1, machine.Root()).interrupts);
}

TEST(Activity, CountsTheTimeOfOneCpu) {
  FakeMachine machine;
  machine.Write("proc/stat",
                "cpu  9 9 9 9 9 9 9 9 9 9\n"
                "cpu1 100 200 300 400 500 600 700 800 9 9\n"
                "cpu11 1 1 1 1 1 1 1 1 1 1\n"
                "intr 5\n");
  const Counts expected = {{"user", 100},   {"nice", 200}, {"system", 300},  {"idle", 400},
                           {"iowait", 500}, {"irq", 600},  {"softirq", 700}, {"steal", 800}};
  EXPECT_EQ(ReadActivity(1, machine.Root()).cpu_ticks, expected);
  EXPECT_FALSE(ReadActivity(2, machine.Root()).cpu_ticks);
}

TEST(Activity, GrowsByWhatCame) {
  Activity before, after;
  before.interrupts = Counts{{"LOC", 100}, {"TLB", 5}};
  after.interrupts = Counts{{"LOC", 110}, {"TLB", 5}, {"40 new", 2}};
  before.cpu_ticks = Counts{{"user", 100}, {"idle", 300}};
  after.cpu_ticks = Counts{{"user", 150}, {"idle", 299}};
  before.core_throttles = 3;
  after.core_throttles = 5;
  before.package_throttles = 7;
  after.package_throttles = 1;
  const Activity growth = Growth(before, after);
  EXPECT_EQ(growth.interrupts, (Counts{{"LOC", 10}, {"40 new", 2}}));
  EXPECT_EQ(growth.cpu_ticks, (Counts{{"user", 50}, {"idle", 0}}));
  EXPECT_EQ(growth.core_throttles, 2);
  EXPECT_FALSE(growth.package_throttles);
}

TEST(Activity, IsUnknownWithoutFiles) {
  FakeMachine machine;
  const Activity nothing = ReadActivity(0, machine.Root());
  EXPECT_FALSE(nothing.interrupts || nothing.cpu_ticks || nothing.core_throttles);
  const Activity growth = Growth(nothing, nothing);
  EXPECT_FALSE(growth.interrupts || growth.cpu_ticks || growth.core_throttles);
  EXPECT_TRUE(ReadLoad(machine.Root()).empty());
  machine.Write("proc/loadavg", "0.50 1.25");
  EXPECT_TRUE(ReadLoad(machine.Root()).empty());
  machine.Write("proc/loadavg", "0.50 1.25 2.00 1/234 5678\n");
  EXPECT_EQ(ReadLoad(machine.Root()), (std::vector<double>{0.5, 1.25, 2}));
}

TEST(Activity, ReadsThrottles) {
  FakeMachine machine;
  machine.Write("sys/devices/system/cpu/cpu3/thermal_throttle/core_throttle_count", "12\n");
  EXPECT_EQ(ReadActivity(3, machine.Root()).core_throttles, 12);
  EXPECT_FALSE(ReadActivity(3, machine.Root()).package_throttles);
}

}  // namespace
}  // namespace irqcost
