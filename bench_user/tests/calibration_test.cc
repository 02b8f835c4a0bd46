/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/calibration.h"

#include <gtest/gtest.h>

#include "fake_backend.h"

namespace irqcost {
namespace {

/** A core whose adds and exclusive ors take a cycle, and whose nops and zeroing idioms a quarter.
 */
class Core {
 public:
  explicit Core(double imul_latency) {
    backend.imul_latency = imul_latency;
    backend.ticks_per_cycle = 0.7;
    backend.ticks_per_nop = 0.25 * backend.ticks_per_cycle;
    backend.cycles = {{"nop", 0.25},
                      {"dep_add", 1},
                      {"dep_xor", 1},
                      {"dep_imul", imul_latency},
                      {"zero_idiom", 0.25}};
    for (const auto& [key, unused] : backend.cycles)
      backend.probes.push_back({FindProbe(key), {IRQCOST_THROUGHPUT}, 4, 64, {}});
  }

  Controls Measure() {
    SamplerOptions options;
    options.ticks_per_us = 2300;
    options.tsc_step = 1;
    return MeasureControls(backend, options, [this] {
      double us = 0;
      for (const Request& request : backend.requests)
        us += 35 * static_cast<double>(request.samples);
      return us;
    });
  }

  Calibration Found() { return Calibrate(Measure()); }

  FakeBackend backend;
};

TEST(Calibration, FindsTheLatencyOfAMultiply) {
  for (const unsigned latency : {1U, 2U, 3U, 4U, 5U, 6U, 10U, 14U, 20U}) {
    const Calibration found = Core(latency).Found();
    ASSERT_TRUE(found.imul_latency) << found.reason;
    EXPECT_EQ(*found.imul_latency, latency);
    EXPECT_NEAR(found.imul_per_add, latency, 0.005 * latency);
    EXPECT_NEAR(found.xor_per_add, 1, 0.005);
  }
}

// By a neighbour or by what a control costs of the loop around it.
TEST(Calibration, ForgivesOnePerCent) {
  Core core(3);
  core.backend.cycles["dep_add"] = 1.005;
  EXPECT_EQ(core.Found().imul_latency, 3U);
}

TEST(Calibration, RefusesWhatIsNoWholeNumberAndSaysWhichItIs) {
  const Calibration found = Core(3.4).Found();
  EXPECT_FALSE(found.imul_latency);
  EXPECT_NEAR(found.imul_per_add, 3.4, 0.01);
  EXPECT_NEAR(found.xor_per_add, 1, 0.005);
  EXPECT_NE(found.reason.find("takes 3.400 times as long"), std::string::npos) << found.reason;
  EXPECT_NE(found.reason.find("1 to 20"), std::string::npos) << found.reason;
}

TEST(Calibration, RefusesWhatNoMultiplyTakes) {
  EXPECT_FALSE(Core(21).Found().imul_latency);
  EXPECT_FALSE(Core(0.5).Found().imul_latency);
}

// Six adds in a cycle make 18 of a multiply of 3: a whole number, and a wrong one.
TEST(Calibration, RefusesACoreThatFoldsAdds) {
  Core core(3);
  core.backend.cycles["dep_add"] = 1.0 / 6;
  const Calibration found = core.Found();
  EXPECT_FALSE(found.imul_latency);
  EXPECT_NEAR(found.imul_per_add, 18, 0.1);
  EXPECT_NEAR(found.xor_per_add, 6, 0.03);
  EXPECT_NE(found.reason.find("exclusive or takes 6.0"), std::string::npos) << found.reason;
}

TEST(Calibration, RefusesAddsThatTakeNoTime) {
  Core core(3);
  core.backend.cycles["dep_add"] = 0;
  const Calibration found = core.Found();
  EXPECT_FALSE(found.imul_latency);
  EXPECT_NE(found.reason.find("no time"), std::string::npos) << found.reason;
}

std::size_t SamplesOf(const FakeBackend& backend) {
  std::size_t samples = 0;
  for (const Request& request : backend.requests) samples += request.samples;
  return samples;
}

TEST(Calibration, RetriesAfterADisturbance) {
  Core quiet(3), disturbed(3), always(3);
  quiet.Measure();
  const std::size_t once = SamplesOf(quiet.backend);
  disturbed.backend.noisy = "dep_add";
  disturbed.backend.noise = 3;
  disturbed.backend.noisy_until = 600;
  EXPECT_EQ(disturbed.Found().imul_latency, 3U);
  EXPECT_GT(SamplesOf(disturbed.backend), once);
  always.backend.noisy = "dep_add";
  always.backend.noise = 3;
  EXPECT_FALSE(always.Found().imul_latency);
  EXPECT_GT(SamplesOf(always.backend), SamplesOf(disturbed.backend));
}

// In multiplies of the chain, since nobody knows a cycle yet; and whatever was known before.
TEST(Calibration, ControlsAreInMultiplies) {
  const Controls controls = Core(4).Measure();
  EXPECT_NEAR(*controls.dep_imul.core_cycles, 1, 0.001);
  EXPECT_NEAR(*controls.dep_add.core_cycles, 0.25, 0.001);
  EXPECT_NEAR(*controls.nop.core_cycles, 0.0625, 0.001);
  EXPECT_NEAR(controls.dep_add.ticks, 0.7, 0.001);
}

TEST(Calibration, SaysWhichBackendFailed) {
  Core core(3);
  core.backend.most_unroll = 2;
  EXPECT_THROW(core.Measure(), std::runtime_error);
}

}  // namespace
}  // namespace irqcost
