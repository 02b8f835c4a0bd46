/* SPDX-License-Identifier: GPL-2.0-only */
#include <gtest/gtest.h>

#include <string>

#include "machine/activity.h"
#include "tests/fake_machine.h"

namespace irqcost {
namespace {

// A register is 8 bytes at the offset of its number, as the msr driver has it.
void WriteSmis(const FakeMachine& machine, const std::string& count) {
  machine.Write("dev/cpu/3/msr", std::string(0x34, '\0') + count);
}

TEST(Smis, CountsSystemManagementInterrupts) {
  FakeMachine machine;
  machine.Write("proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\n");
  EXPECT_FALSE(ReadActivity(3, machine.Root()).smis);
  // Only the lower half counts.
  WriteSmis(machine, {"\x07\x01\0\0\xff\0\0\0", 8});
  const Activity before = ReadActivity(3, machine.Root());
  EXPECT_EQ(before.smis, 0x107);
  WriteSmis(machine, {"\x09\x01\0\0\xff\0\0\0", 8});
  EXPECT_EQ(Growth(before, ReadActivity(3, machine.Root())).smis, 2);
  EXPECT_FALSE(Growth(before, Activity{}).smis);
}

TEST(Smis, KnowsNoSuchCountOfOtherVendors) {
  FakeMachine machine;
  machine.Write("proc/cpuinfo", "processor\t: 0\nvendor_id\t: AuthenticAMD\n");
  WriteSmis(machine, std::string(8, '\0'));
  EXPECT_FALSE(ReadActivity(3, machine.Root()).smis);
}

}  // namespace
}  // namespace irqcost
