/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/execution.h"

#include <gtest/gtest.h>

namespace irqcost {
namespace {

const Hypervisor kNone;
const Hypervisor kEmulator{true, true, {}, {}, "an emulator"};

// In ticks.
Controls Costs(double nop, double add, double imul, double zero_idiom) {
  Controls controls;
  for (const auto& [control, ticks] : {std::pair{&controls.nop, nop},
                                       {&controls.dep_add, add},
                                       {&controls.dep_xor, add},
                                       {&controls.dep_imul, imul},
                                       {&controls.zero_idiom, zero_idiom}}) {
    control->ticks = ticks;
    // Estimates are made in multiplies of the chain.
    if (imul > 0) control->core_cycles = ticks / imul;
  }
  return controls;
}

Execution Classified(const Hypervisor& hypervisor, const Controls& controls) {
  return Classify(hypervisor, controls, Calibrate(controls));
}

const Controls kGoldenCove = Costs(0.13, 0.766, 2.298, 0.13);

TEST(Execution, FollowsTheCpuWhereTheControlsAreItsOwn) {
  const Execution bare = Classified(kNone, kGoldenCove);
  EXPECT_EQ(bare.kind, "bare-metal");
  EXPECT_TRUE(bare.counts_cycles);
  EXPECT_FALSE(bare.instruction_clock);

  const Execution guest = Classified({true, false, {}, {}, "a hypervisor (KVM)"}, kGoldenCove);
  EXPECT_EQ(guest.kind, "virtualised");
  EXPECT_TRUE(guest.counts_cycles);
  EXPECT_NE(guest.reason.find("a hypervisor (KVM)"), std::string::npos);
}

TEST(Execution, KnowsAnEmulatorThatTheCpuTells) {
  const Execution tcg = Classified(kEmulator, kGoldenCove);
  EXPECT_EQ(tcg.kind, "emulated");
  EXPECT_FALSE(tcg.counts_cycles);
}

TEST(Execution, KnowsAnEmulatorThatHides) {
  EXPECT_EQ(Classified(kNone, Costs(1, 1.2, 1.4, 1)).kind, "emulated");          // all equal
  EXPECT_EQ(Classified(kNone, Costs(1800, 1800, 5500, 1800)).kind, "emulated");  // a hypervisor's
  EXPECT_EQ(Classified(kNone, Costs(0, 0, 0, 0)).kind, "emulated");  // a TSC that stands still
}

// It leaves the work of adds and multiplies to the CPU, so that their ratio is that of the CPU.
TEST(Execution, KnowsAnEmulatorThatTranslates) {
  const Execution translated = Classified(kNone, Costs(0.001, 0.766, 2.298, 0.002));
  EXPECT_EQ(translated.kind, "emulated");
  EXPECT_FALSE(translated.counts_cycles);
  EXPECT_NE(translated.reason.find("nops and zeroing idioms"), std::string::npos);
  EXPECT_EQ(Classified(kNone, Costs(0, 1, 3, 0)).kind, "emulated");
}

// One of the two may come near to nothing on a CPU: both do not.
TEST(Execution, ACpuMayHideOneOfTheTwo) {
  EXPECT_EQ(Classified(kNone, Costs(0.01, 1, 3, 0.17)).kind, "bare-metal");
  EXPECT_EQ(Classified(kNone, Costs(0.17, 1, 3, 0.01)).kind, "bare-metal");
  EXPECT_EQ(Classified(kNone, Costs(0.125, 1, 3, 0.125)).kind, "bare-metal");
}

TEST(Execution, KnowsTheInstructionClock) {
  EXPECT_TRUE(Classified(kEmulator, Costs(1, 1, 1, 1)).instruction_clock);
  EXPECT_TRUE(Classified(kNone, Costs(1, 1, 1, 1)).instruction_clock);
  EXPECT_EQ(Classified(kNone, Costs(1, 1, 1, 1)).kind, "emulated");
  EXPECT_FALSE(Classified(kNone, Costs(1, 1, 1, 1)).counts_cycles);
  EXPECT_FALSE(Classified(kNone, Costs(1, 1, 1.001, 1)).instruction_clock);
  Controls spread = Costs(1, 1, 1, 1);
  spread.nop.spread = 0.01;
  EXPECT_FALSE(Classified(kNone, spread).instruction_clock);
}

TEST(Execution, CountsCyclesWhateverAMultiplyTakes) {
  for (const double latency : {3.0, 4.0, 5.0, 14.0}) {  // 5 on Silvermont
    const Execution execution = Classified(kNone, Costs(0.5, 1, latency, 0.5));
    EXPECT_EQ(execution.kind, "bare-metal");
    EXPECT_TRUE(execution.counts_cycles) << latency;
  }
}

TEST(Execution, CountsNoCyclesWhereTheCalibrationFailed) {
  const Execution execution = Classified(kNone, Costs(0.25, 1, 3.4, 0.25));
  EXPECT_EQ(execution.kind, "bare-metal");
  EXPECT_FALSE(execution.counts_cycles);
}

}  // namespace
}  // namespace irqcost
