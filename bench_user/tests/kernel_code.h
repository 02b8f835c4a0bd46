/* SPDX-License-Identifier: GPL-2.0-only */
// What the tests of each architecture's kernel_code.cc have in common.
#ifndef IRQCOST_BENCH_USER_TESTS_KERNEL_CODE_H
#define IRQCOST_BENCH_USER_TESTS_KERNEL_CODE_H

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "backends/bpf/derive.h"
#include "backends/bpf/live_code.h"
#include "backends/machine_code.h"

namespace irqcost {

/** Expects a call at offset 0, a jump at 4, a return, and padding from @length on. */
inline void ExpectCallAndJump(const FunctionCode& code, const Targets& targets,
                              std::size_t length) {
  EXPECT_EQ(PossibleTargets(code), targets);
  const Within within = FindWithin(code.bytes, {{0, "called"}, {4, "jumped"}});
  EXPECT_EQ(within.calls, std::vector<std::string>{"called"});
  EXPECT_EQ(within.jumps, std::vector<std::string>{"jumped"});
  EXPECT_EQ(FindReturn(code.bytes, false), Return::kDirect);
  std::vector<std::uint8_t> bytes = code.bytes;
  TrimPadding(bytes);
  EXPECT_EQ(bytes.size(), length);
}

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_TESTS_KERNEL_CODE_H
