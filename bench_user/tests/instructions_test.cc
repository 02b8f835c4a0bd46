/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/instructions.h"

#include <gtest/gtest.h>

#include "catalogue.h"

namespace irqcost {
namespace {

constexpr ExtendedFeatures kAll{~0U, ~0U}, kNone{};

TEST(MissingInstruction, OnlyThreeRowsNeedMoreThanX86Has) {
  int missing = 0;
  for (const Probe& probe : kCatalogue) {
    EXPECT_EQ(MissingInstruction(probe.key, kAll), "") << probe.key;
    missing += !MissingInstruction(probe.key, kNone).empty();
  }
  EXPECT_EQ(missing, 3);
}

TEST(MissingInstruction, IsNamed) {
  EXPECT_EQ(MissingInstruction("rdtscp", kNone), "the CPU has no RDTSCP");
  EXPECT_EQ(MissingInstruction("rdtsc", kNone), "");
  EXPECT_EQ(MissingInstruction("lahf", {0, ~0U}), "the CPU has no LAHF and SAHF in 64-bit mode");
  EXPECT_EQ(MissingInstruction("rdtscp", {0, 1U << 27}), "");
}

}  // namespace
}  // namespace irqcost
