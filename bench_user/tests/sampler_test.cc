/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/sampler.h"

#include <gtest/gtest.h>

#include "fake_backend.h"

namespace irqcost {
namespace {

Offer Popf() { return {FindProbe("popf"), {IRQCOST_THROUGHPUT, IRQCOST_LATENCY}, 4, 64, {}}; }

SamplerOptions At(double ticks_per_us) {
  SamplerOptions options;
  options.ticks_per_us = ticks_per_us;
  return options;
}

TEST(Sampler, FindsTheCostInBothModes) {
  for (const irqcost_mode mode : kModes) {
    FakeBackend backend;
    const Measurement m = MeasureProbe(backend, Popf(), mode, At(2300));
    EXPECT_DOUBLE_EQ(m.estimate.ticks, 10);
    EXPECT_DOUBLE_EQ(*m.estimate.core_cycles, 10);
    EXPECT_EQ(m.estimate.samples, kDefaultSamples);
    EXPECT_EQ(m.operations, kDefaultSamples * backend.requests.back().loops.body *
                                (mode == IRQCOST_THROUGHPUT ? 64 : 1));
    EXPECT_FALSE(m.longest_irqs_off);
  }
}

// Whatever a row costs, its windows come near their time and stay far below 100 µs.
TEST(Sampler, PilotMakesWindowsOfTheRightLength) {
  for (const double cost : {0.01, 0.25, 10.0, 300.0}) {
    FakeBackend backend;
    backend.ticks_per_op = cost;
    MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
    const Loops loops = backend.requests.back().loops;
    const double body_us = (60 + cost * 128 * loops.body) / 2300;
    const double chain_us = (60 + 192.0 * loops.chain) / 2300;
    const double sensor_us = (60 + 32.0 * loops.sensor) / 2300;
    EXPECT_GT(body_us, kPairUs / 4) << cost;
    EXPECT_LT(body_us, kPairUs * 4) << cost;
    EXPECT_GT(chain_us, kPairUs / 4) << cost;
    EXPECT_LT(chain_us, kPairUs * 4) << cost;
    EXPECT_GT(sensor_us, kSensorUs / 4) << cost;
    EXPECT_LT(sensor_us, kSensorUs * 4) << cost;
  }
}

TEST(Sampler, TakesNoLoopTooMuchWhereOneIsLong) {
  FakeBackend backend;
  backend.ticks_per_op = 2000;  // an emulated instruction: 128 of them take 111 µs
  MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
  EXPECT_EQ(backend.requests.back().loops.body, 1U);
}

TEST(Sampler, UsesWhatTheBackendReallyDid) {
  FakeBackend backend;
  backend.most_body_loops = 3;
  const Measurement m = MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
  EXPECT_DOUBLE_EQ(m.estimate.ticks, 10);
  EXPECT_EQ(m.operations, kDefaultSamples * 3 * 64);
}

TEST(Sampler, TakesExactlyTheSamplesAskedFor) {
  FakeBackend backend;
  backend.disturbed_until = 1'000'000;
  SamplerOptions options = At(2300);
  options.samples = 7;
  const Measurement m = MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, options);
  EXPECT_EQ(m.estimate.samples, 7U);
  EXPECT_EQ(m.estimate.free, 0U);
}

TEST(Sampler, TakesFewUnderTheInstructionClock) {
  FakeBackend backend;
  SamplerOptions options = At(1000);
  options.exact = true;
  const Measurement m = MeasureProbe(backend, Popf(), IRQCOST_LATENCY, options);
  EXPECT_EQ(m.estimate.samples, kExactSamples);
}

TEST(Sampler, WaitsForFreeSamples) {
  FakeBackend backend;
  backend.disturbed_until = 1000;
  const Measurement m = MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
  EXPECT_GE(m.estimate.free, kWantedFree);
  EXPECT_EQ(m.estimate.label, "free");
  EXPECT_GT(m.estimate.samples, kDefaultSamples);
}

TEST(Sampler, GivesUpWaitingInTheEnd) {
  FakeBackend backend;
  backend.disturbed_until = 1'000'000'000;
  const Measurement m = MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
  EXPECT_EQ(m.estimate.free, 0U);
  const double sample_us = 35;
  EXPECT_NEAR(static_cast<double>(m.estimate.samples) * sample_us, kPatienceUs, kPatienceUs / 2);
}

TEST(Sampler, TakesFewerWhereASampleIsLong) {
  FakeBackend backend;
  backend.overhead = 2300.0 * 4000;  // 4 ms a window, 20 ms a sample
  const Measurement m = MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
  EXPECT_EQ(m.estimate.samples, 24U);  // of a little more than 20 ms, in 500
}

TEST(Sampler, UsesTheUnrollFactorAskedFor) {
  FakeBackend backend;
  SamplerOptions options = At(2300);
  options.unroll = 8;
  MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, options);
  EXPECT_EQ(backend.requests.back().unroll, 8U);
  MeasureProbe(backend, Popf(), IRQCOST_LATENCY, options);
  EXPECT_EQ(backend.requests.back().unroll, 0U);
}

}  // namespace
}  // namespace irqcost
