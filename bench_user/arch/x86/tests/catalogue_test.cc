/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/catalogue.h"

#include <gtest/gtest.h>

#include <string_view>

namespace irqcost {
namespace {

// Compares the column with the code beside it.
TEST(X86Catalogue, NeedsAreWhatTheCodeUses) {
  const auto uses = [](const Probe& probe, std::string_view word) {
    return probe.code.find(word) != std::string_view::npos;
  };
  for (const Probe& probe : kCatalogue) {
    const bool assembler = probe.kind == Kind::kInstruction;
    EXPECT_EQ(bool(probe.needs & IRQCOST_NEEDS_RDTSCP), assembler && uses(probe, "rdtscp"));
    EXPECT_EQ(bool(probe.needs & IRQCOST_NEEDS_LAHF),
              assembler && (uses(probe, "lahf") || uses(probe, "sahf")));
    EXPECT_EQ(bool(probe.needs & IRQCOST_NEEDS_POPF), assembler && uses(probe, "popfq"));
    EXPECT_EQ(bool(probe.needs & IRQCOST_NEEDS_CR8), assembler && uses(probe, "%cr8"));
    EXPECT_EQ(bool(probe.needs & IRQCOST_NEEDS_IRQ), !assembler && uses(probe, "o->irq"));
  }
}

}  // namespace
}  // namespace irqcost
