/* SPDX-License-Identifier: GPL-2.0-only */
#include <gtest/gtest.h>

#include "arch/arm64/midr.h"
#include "machine/cpu.h"
#include "machine/hypervisor.h"
#include "tests/fake_machine.h"

namespace irqcost {
namespace {

TEST(Midr, NamesTheCore) {
  const Midr midr = ParseMidr(0x413fd0c1);
  EXPECT_EQ(Implementer(midr), "Arm");
  EXPECT_EQ(CoreName(midr), "Neoverse N1");
  EXPECT_EQ(midr.variant, 3);
  EXPECT_EQ(midr.revision, 1);
  EXPECT_EQ(CoreName(ParseMidr(0x410fddd0)), std::nullopt);
  EXPECT_EQ(Implementer(ParseMidr(0x00000000)), std::nullopt);
}

TEST(Hypervisor, IsRuledOutByTheModeOfTheKernelAndTheNameOfTheMachine) {
  FakeMachine machine;
  const std::string root = machine.Root();
  const std::string real = "CPU: All CPU(s) started at EL2\n";
  EXPECT_FALSE(FindHypervisor(real, root).present);
  EXPECT_TRUE(FindHypervisor("CPU: All CPU(s) started at EL1\n", root).present);
  EXPECT_TRUE(FindHypervisor(std::nullopt, root).present);
  // A guest that has a hypervisor mode of its own.
  machine.Write("sys/class/dmi/id/sys_vendor", "QEMU\n");
  EXPECT_TRUE(FindHypervisor(real, root).present);
  EXPECT_EQ(FindHypervisor(real, root).name, "QEMU");
}

}  // namespace
}  // namespace irqcost
