/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/execution.h"

#include <gtest/gtest.h>

namespace irqcost {
namespace {

Controls Costs(double nop, double add, double imul) {
  Controls controls;
  controls.nop.ticks = nop;
  controls.dep_add.ticks = add;
  controls.dep_imul.ticks = imul;
  return controls;
}

const Controls kGoldenCove = Costs(0.13, 0.766, 2.298);

TEST(Execution, FollowsCpuidWhereTheControlsAreACpusOwn) {
  const Execution bare = Classify({}, kGoldenCove);
  EXPECT_EQ(bare.kind, "bare-metal");
  EXPECT_TRUE(bare.counts_cycles);
  EXPECT_FALSE(bare.instruction_clock);

  const Execution guest = Classify({true, "KVMKVMKVM", {}}, kGoldenCove);
  EXPECT_EQ(guest.kind, "virtualised");
  EXPECT_TRUE(guest.counts_cycles);
  EXPECT_NE(guest.reason.find("KVMKVMKVM"), std::string::npos);
}

TEST(Execution, KnowsTcgByName) {
  const Execution tcg = Classify({true, "TCGTCGTCGTCG", {}}, kGoldenCove);
  EXPECT_EQ(tcg.kind, "emulated");
  EXPECT_FALSE(tcg.counts_cycles);
}

TEST(Execution, KnowsAnEmulatorThatHides) {
  EXPECT_EQ(Classify({}, Costs(1, 1.2, 1.4)).kind, "emulated");          // all alike
  EXPECT_EQ(Classify({}, Costs(1800, 1800, 5500)).kind, "emulated");     // a hypervisor's emulation
  EXPECT_EQ(Classify({}, Costs(0.001, 0.766, 2.298)).kind, "emulated");  // QEMU translates so
  EXPECT_EQ(Classify({}, Costs(0, 0, 0)).kind, "emulated");              // a TSC that stands still
}

TEST(Execution, KnowsTheInstructionClock) {
  EXPECT_TRUE(Classify({true, "TCGTCGTCGTCG", {}}, Costs(1, 1, 1)).instruction_clock);
  EXPECT_TRUE(Classify({}, Costs(1, 1, 1)).instruction_clock);
  EXPECT_EQ(Classify({}, Costs(1, 1, 1)).kind, "emulated");
  EXPECT_FALSE(Classify({}, Costs(1, 1, 1.001)).instruction_clock);
  Controls spread = Costs(1, 1, 1);
  spread.nop.spread = 0.01;
  EXPECT_FALSE(Classify({}, spread).instruction_clock);
}

TEST(Execution, CountsNoCyclesWhereAMultiplyTakesAnotherNumber) {
  const Execution atom = Classify({}, Costs(0.5, 1, 5));  // Silvermont
  EXPECT_EQ(atom.kind, "bare-metal");
  EXPECT_FALSE(atom.counts_cycles);
  EXPECT_NE(atom.reason.find("5.00"), std::string::npos);
}

}  // namespace
}  // namespace irqcost
