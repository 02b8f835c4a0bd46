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
    EXPECT_EQ(MissingInstruction(probe.needs, kAll), "") << probe.key;
    missing += !MissingInstruction(probe.needs, kNone).empty();
  }
  EXPECT_EQ(missing, 3);
}

TEST(MissingInstruction, IsNamed) {
  EXPECT_EQ(MissingInstruction(IRQCOST_NEEDS_RDTSCP, kNone), "the CPU has no RDTSCP");
  EXPECT_EQ(MissingInstruction(IRQCOST_NEEDS_NOTHING, kNone), "");
  EXPECT_EQ(MissingInstruction(IRQCOST_NEEDS_LAHF, {0, ~0U}),
            "the CPU has no LAHF and SAHF in 64-bit mode");
  EXPECT_EQ(MissingInstruction(IRQCOST_NEEDS_RDTSCP, {0, 1U << 27}), "");
}

}  // namespace
}  // namespace irqcost
