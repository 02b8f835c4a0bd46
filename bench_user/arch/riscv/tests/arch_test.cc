/* SPDX-License-Identifier: GPL-2.0-only */
#include <gtest/gtest.h>

#include "backends/bpf/derive.h"
#include "backends/bpf/live_code.h"
#include "machine/hypervisor.h"

namespace irqcost {
namespace {

TEST(Hypervisor, IsNeverRuledOut) {
  EXPECT_TRUE(FindHypervisor(std::nullopt).present);
  EXPECT_FALSE(FindHypervisor(std::nullopt).reason.empty());
}

// jal ra, +12; auipc t1, 0; jr -4(t1); ret; nop
const FunctionCode kCode{"f",
                         0x1000,
                         {0xef, 0x00, 0xc0, 0x00, 0x17, 0x03, 0x00, 0x00, 0x67, 0x00, 0xc3, 0xff,
                          0x82, 0x80, 0x01, 0x00}};

TEST(KernelCode, FindsCallsAndJumps) {
  EXPECT_EQ(PossibleTargets(kCode), (Targets{{0, 0x100c}, {4, 0x1000}}));
  const Within within = FindWithin(kCode.bytes, {{0, "called"}, {4, "jumped"}});
  EXPECT_EQ(within.calls, std::vector<std::string>{"called"});
  EXPECT_EQ(within.jumps, std::vector<std::string>{"jumped"});
  EXPECT_EQ(FindReturn(kCode.bytes, false), Return::kDirect);
}

TEST(KernelCode, LosesItsPadding) {
  std::vector<std::uint8_t> bytes = kCode.bytes;
  TrimPadding(bytes);
  EXPECT_EQ(bytes.size(), 14U);
}

}  // namespace
}  // namespace irqcost
