/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/kernel_code.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "backends/bpf/live_code.h"
#include "backends/machine_code.h"

namespace irqcost {
namespace {

// bl +8; b -4; ret; nop
const FunctionCode kCode{"f",
                         0x1000,
                         {0x02, 0x00, 0x00, 0x94, 0xff, 0xff, 0xff, 0x17, 0xc0, 0x03, 0x5f, 0xd6,
                          0x1f, 0x20, 0x03, 0xd5}};

TEST(KernelCode, HasCallsJumpsAReturnAndPadding) {
  ExpectCallAndJump(kCode, {{0, 0x1008}, {4, 0x1000}}, 12);
}

std::vector<std::uint8_t> Bytes(std::initializer_list<std::uint32_t> instructions) {
  std::vector<std::uint8_t> bytes;
  for (const std::uint32_t one : instructions)
    for (unsigned shift = 0; shift < 32; shift += 8)
      bytes.push_back(static_cast<std::uint8_t>(one >> shift));
  return bytes;
}

constexpr std::uint32_t kNop = 0xd503201f, kRet = 0xd65f03c0, kDaifSet = 0xd50343df,
                        kSetPriority = 0xd5184600;  // msr daifset, #3; msr icc_pmr_el1, x0

std::string By(std::initializer_list<std::uint32_t> instructions) {
  const Masks masks = Decode(Bytes(instructions))->masks;
  if (!masks.flag.empty() && !masks.priority.empty()) return "both";
  if (!masks.flag.empty()) return "flag: " + masks.flag;
  return masks.priority.empty() ? "" : "priority: " + masks.priority;
}

TEST(Masks, AreFlagsOrThePriority) {
  EXPECT_EQ(By({kDaifSet, kRet}), "flag: msr daifset");
  EXPECT_EQ(By({0xd50342ff, kRet}), "flag: msr daifclr");
  EXPECT_EQ(By({0xd51b4225, kRet}), "flag: msr daif");
  EXPECT_EQ(By({kSetPriority, kRet}), "priority: msr icc_pmr_el1");
  // Other masks than that of interrupts: daifset #1, daifclr #8; what reads: mrs daif, mrs pmr.
  EXPECT_EQ(By({0xd50341df, 0xd50348ff, 0xd53b4220, 0xd5384600, kRet}), "");
  EXPECT_EQ(By({}), "");
}

TEST(Masks, AreThoseThatCanBeReached) {
  // A branch that was patched at boot jumps over one way.
  EXPECT_EQ(By({0x14000003, kDaifSet, kRet, kSetPriority, kRet}), "priority: msr icc_pmr_el1");
  EXPECT_EQ(By({kNop, kDaifSet, kRet, kSetPriority, kRet}), "flag: msr daifset");
  // b.ne +12, cbz +12, tbz +12: both ways.
  for (const std::uint32_t branch : {0x54000061U, 0xb4000060U, 0x36000060U}) {
    EXPECT_EQ(By({branch, kDaifSet, kRet, kSetPriority, kRet}), "both");
    EXPECT_EQ(By({branch, kNop, kRet, kDaifSet, kRet}), "flag: msr daifset");
  }
  // What ends a way: br x1, retaa, braa x1, x2, eret, udf #0, b.al +8
  for (const std::uint32_t end :
       {0xd61f0020U, 0xd65f0bffU, 0xd71f0822U, 0xd69f03e0U, 0U, 0x5400004eU})
    EXPECT_EQ(By({end, kDaifSet, kRet}), "") << std::hex << end;
  // What does not: blr x1, brk #0x800, bl.
  for (const std::uint32_t on : {0xd63f0020U, 0xd4210000U, 0x94000010U})
    EXPECT_EQ(By({on, kDaifSet, kRet}), "flag: msr daifset") << std::hex << on;
  // A loop, and branches that leave at either end.
  EXPECT_EQ(By({kDaifSet, 0x17ffffff}), "flag: msr daifset");
  EXPECT_EQ(By({0x17ffffff, kDaifSet}), "");
  EXPECT_EQ(By({0x14000009, kDaifSet}), "");
}

bool Same(std::initializer_list<std::uint32_t> one, std::initializer_list<std::uint32_t> other) {
  return Decode(Bytes(one))->without_addresses == Decode(Bytes(other))->without_addresses;
}

TEST(WithoutAddresses, IsEqualWhereOnlyPlacesDiffer) {
  EXPECT_TRUE(Same({0x94000010, kRet}, {0x94001000, kRet}));   // bl
  EXPECT_TRUE(Same({0x14000010, kRet}, {0x17ff0000, kRet}));   // b, out of the function
  EXPECT_FALSE(Same({0x14000001, kRet}, {0x14000000, kRet}));  // b, in the function
  EXPECT_TRUE(Same({0x90000000, kRet}, {0xb0123400, kRet}));   // adrp x0
  EXPECT_FALSE(Same({0x90000000, kRet}, {0x90000001, kRet}));  // into another register
  EXPECT_FALSE(Same({0x94000010, kRet}, {0x14000010, kRet}));  // bl, b
  EXPECT_FALSE(Same({0xd2800020, kRet}, {0xd2800040, kRet}));  // mov x0, #1; #2
  EXPECT_FALSE(Same({0x92800020, kRet}, {0x92800040, kRet}));  // mov x0, #-2; #-3
  EXPECT_FALSE(Same({0x94000010, kRet}, {0x94000000, kRet}));  // bl, to itself
  EXPECT_FALSE(Same({0x14000010, kRet}, {0x14000000, kRet}));  // b, to itself
  EXPECT_TRUE(Same({0x10001000, kRet}, {0x30002000, kRet}));   // adr x0, out of the function
  EXPECT_FALSE(Same({0x10000020, kRet}, {0x10000000, kRet}));  // adr x0, in the function
  // movn x0; movk x0: a constant
  EXPECT_FALSE(Same({0x92800020, 0xf2a24680, kRet}, {0x92800020, 0xf2a86420, kRet}));
}

}  // namespace
}  // namespace irqcost
