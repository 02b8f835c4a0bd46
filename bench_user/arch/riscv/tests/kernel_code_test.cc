/* SPDX-License-Identifier: GPL-2.0-only */
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "backends/bpf/derive.h"
#include "backends/bpf/live_code.h"
#include "backends/machine_code.h"

namespace irqcost {
namespace {

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

using Bytes = std::vector<std::uint8_t>;

std::string By(const Bytes& code) {
  const Masks masks = Decode(code)->masks;
  EXPECT_EQ(masks.priority, "");
  return masks.flag;
}

TEST(Masks, AreWritesOfTheInterruptBit) {
  EXPECT_EQ(By({0x73, 0x77, 0x01, 0x10, 0x82, 0x80}), "csrrci sstatus");  // csrrci a4, sstatus, 2
  EXPECT_EQ(By({0x73, 0x60, 0x01, 0x10, 0x82, 0x80}), "csrrsi sstatus");
  EXPECT_EQ(By({0x73, 0x90, 0x07, 0x10, 0x82, 0x80}), "csrrw sstatus");  // csrw sstatus, a5
  // Another bit, another register, a read, and the same bytes inside of another instruction.
  EXPECT_EQ(By({0x73, 0x70, 0x02, 0x10, 0x82, 0x80}), "");
  EXPECT_EQ(By({0x73, 0x70, 0x01, 0x30, 0x82, 0x80}), "");
  EXPECT_EQ(By({0x73, 0x27, 0x00, 0x10, 0x82, 0x80}), "");
  EXPECT_EQ(By({0x37, 0x05, 0x73, 0x77, 0x01, 0x10, 0x82, 0x80}), "");
  // Set by a register, which may be of another bit.
  EXPECT_EQ(By({0x73, 0xa0, 0x07, 0x10, 0x82, 0x80}), "");
  EXPECT_EQ(By({}), "");
  EXPECT_EQ(By({0x73}), "");
}

bool Same(const Bytes& one, const Bytes& other) {
  return Decode(one)->without_addresses == Decode(other)->without_addresses;
}

TEST(WithoutAddresses, IsEqualWhereOnlyPlacesDiffer) {
  // jal ra, out of the function
  EXPECT_TRUE(Same({0xef, 0x00, 0xc0, 0x00}, {0xef, 0x00, 0xc0, 0x10}));
  EXPECT_FALSE(Same({0xef, 0x00, 0xc0, 0x00}, {0xef, 0x00, 0x00, 0x00}));
  // slli a1, a5 after auipc a5
  EXPECT_FALSE(Same({0x97, 0x07, 0x00, 0x00, 0x93, 0x95, 0x37, 0x00},
                    {0x97, 0x07, 0x00, 0x00, 0x93, 0x95, 0x47, 0x00}));
  // j +4 and +6, in the function
  EXPECT_FALSE(Same({0x6f, 0x00, 0x40, 0x00, 1, 0, 1, 0}, {0x6f, 0x00, 0x60, 0x00, 1, 0, 1, 0}));
  // auipc a5; ld a4, x(a5)
  EXPECT_TRUE(Same({0x97, 0x07, 0x00, 0x00, 0x03, 0xb7, 0x87, 0x00},
                   {0x97, 0x17, 0x34, 0x12, 0x03, 0xb7, 0x07, 0x01}));
  // auipc a5; sd a4, x(a5)
  EXPECT_TRUE(Same({0x97, 0x07, 0x00, 0x00, 0x23, 0xb4, 0xe7, 0x00},
                   {0x97, 0x07, 0x00, 0x00, 0x23, 0xb8, 0xe7, 0x02}));
  // ld a4, x(a6) after it, and without it
  EXPECT_FALSE(Same({0x97, 0x07, 0x00, 0x00, 0x03, 0x37, 0x88, 0x00},
                    {0x97, 0x07, 0x00, 0x00, 0x03, 0x37, 0x08, 0x01}));
  EXPECT_FALSE(Same({0x03, 0xb7, 0x87, 0x00}, {0x03, 0xb7, 0x07, 0x01}));
}

}  // namespace
}  // namespace irqcost
