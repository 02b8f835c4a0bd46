/* SPDX-License-Identifier: GPL-2.0-only */
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "backends/bpf/derive.h"
#include "backends/bpf/live_code.h"

namespace irqcost {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(PossibleTargets, FollowsDisplacementsOf32Bits) {
  // nop; call +0x10; jmp -0x10
  const FunctionCode code{"f", 0x1000, {0x90, 0xe8, 0x10, 0, 0, 0, 0xe9, 0xf0, 0xff, 0xff, 0xff}};
  EXPECT_EQ(PossibleTargets(code), (Targets{{1, 0x1016}, {6, 0xffb}}));
  // Cut off after the opcode.
  EXPECT_TRUE(PossibleTargets({"f", 0x1000, {0xe8, 0, 0, 0}}).empty());
}

TEST(FindReturn, ByRetAndThunk) {
  EXPECT_EQ(FindReturn(Bytes{0x90, 0xc3}, false), Return::kDirect);
  EXPECT_EQ(FindReturn(Bytes{0x90, 0xe9}, true), Return::kThunk);
  EXPECT_EQ(FindReturn(Bytes{0xc3, 0xe9}, true), Return::kEither);
  EXPECT_EQ(FindReturn(Bytes{0x90, 0xe9}, false), Return::kElsewhere);
}

TEST(FindWithin, EndsWithTheFirstReturn) {
  // call a; ret; int3; call slow
  const Bytes code = {0xe8, 0, 0, 0, 0, 0xc3, 0xcc, 0xe8, 0, 0, 0, 0};
  EXPECT_EQ(FindWithin(code, {{0, "a"}, {7, "slow"}}).calls, std::vector<std::string>{"a"});
  // A byte like that of a return is not a return where no int3 follows: jmp thunk ends the
  // function.
  const Bytes thunk = {0xc3, 0x90, 0xe8, 0, 0, 0, 0, 0xe9, 0, 0, 0, 0, 0xe8, 0, 0, 0, 0};
  const Within found = FindWithin(thunk, {{2, "a"}, {7, "its_return_thunk"}, {12, "slow"}});
  EXPECT_EQ(found.calls, std::vector<std::string>{"a"});
  EXPECT_TRUE(found.jumps.empty());
}

TEST(FindWithin, TellsJumpsFromCalls) {
  const Bytes code = {0x90, 0xe9, 0, 0, 0, 0};
  const Within found = FindWithin(code, {{1, "__rcu_read_lock"}});
  EXPECT_TRUE(found.calls.empty());
  EXPECT_EQ(found.jumps, std::vector<std::string>{"__rcu_read_lock"});
  EXPECT_TRUE(FindWithin(code, {}).jumps.empty());
}

TEST(KnownBodyInstructions, KnowsTheBodiesOfTheCallRows) {
  // bpf_get_numa_node_id and bpf_dynptr_is_null of Linux 6.18.
  EXPECT_EQ(KnownBodyInstructions(Bytes{0x0f, 0x1f, 0x44, 0x00, 0x00, 0x65, 0x48, 0x63, 0x05, 0x43,
                                        0x2e, 0x61, 0x02, 0xc3}),
            1U);
  EXPECT_EQ(KnownBodyInstructions(Bytes{0x48, 0x83, 0x3f, 0x00, 0x0f, 0x94, 0xc0, 0x31, 0xff}), 2U);
  EXPECT_EQ(KnownBodyInstructions(Bytes{0x90, 0xc3}), std::nullopt);
  EXPECT_EQ(KnownBodyInstructions({}), std::nullopt);
}

}  // namespace
}  // namespace irqcost
