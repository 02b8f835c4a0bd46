/* SPDX-License-Identifier: GPL-2.0-only */
#include <gtest/gtest.h>

#include "arch/arm64/midr.h"
#include "backends/bpf/derive.h"
#include "backends/bpf/live_code.h"
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

// bl +8; b -4; ret; nop
const FunctionCode kCode{"f",
                         0x1000,
                         {0x02, 0x00, 0x00, 0x94, 0xff, 0xff, 0xff, 0x17, 0xc0, 0x03, 0x5f, 0xd6,
                          0x1f, 0x20, 0x03, 0xd5}};

TEST(KernelCode, FindsCallsAndJumps) {
  EXPECT_EQ(PossibleTargets(kCode), (Targets{{0, 0x1008}, {4, 0x1000}}));
  const Within within = FindWithin(kCode.bytes, {{0, "called"}, {4, "jumped"}});
  EXPECT_EQ(within.calls, std::vector<std::string>{"called"});
  EXPECT_EQ(within.jumps, std::vector<std::string>{"jumped"});
  EXPECT_EQ(FindReturn(kCode.bytes, false), Return::kDirect);
}

TEST(KernelCode, LosesItsPadding) {
  std::vector<std::uint8_t> bytes = kCode.bytes;
  TrimPadding(bytes);
  EXPECT_EQ(bytes.size(), 12U);
}

}  // namespace
}  // namespace irqcost
