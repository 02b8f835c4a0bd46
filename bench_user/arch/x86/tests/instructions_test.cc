/* SPDX-License-Identifier: GPL-2.0-only */
#include "arch/x86/instructions.h"

#include <gtest/gtest.h>

#include "base/catalogue.h"

namespace irqcost {
namespace {

constexpr ExtendedFeatures kAll{~0U, ~0U, ~0U}, kNone{};

TEST(MissingInstruction, OnlyFewRowsNeedMoreThanX86Has) {
  int missing = 0;
  for (const Probe& probe : kCatalogue) {
    EXPECT_EQ(MissingInstruction(probe.needs, kAll), "") << probe.key;
    if (probe.kind != Kind::kInstruction) continue;
    missing += !MissingInstruction(probe.needs, kNone).empty();
  }
  EXPECT_EQ(missing, 5);
}

TEST(MissingInstruction, IsNamed) {
  EXPECT_EQ(MissingInstruction(IRQCOST_NEEDS_RDTSCP, kNone), "the CPU has no RDTSCP");
  EXPECT_EQ(MissingInstruction(IRQCOST_NEEDS_NOTHING, kNone), "");
  EXPECT_EQ(MissingInstruction(IRQCOST_NEEDS_LAHF, {0, ~0U}),
            "the CPU has no LAHF and SAHF in 64-bit mode");
  EXPECT_EQ(MissingInstruction(IRQCOST_NEEDS_RDTSCP, {0, 1U << 27}), "");
  EXPECT_EQ(MissingInstruction(IRQCOST_NEEDS_CX16, {~0U, ~0U, ~(1U << 13)}),
            "the CPU has no CMPXCHG16B");
}

}  // namespace
}  // namespace irqcost
