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

Measurement Measure(Backend& backend, const Offer& offer, Mode mode,
                    const SamplerOptions& options) {
  Floors floors;
  return MeasureProbe(backend, offer, mode, options, floors);
}

TEST(Sampler, FindsTheCostInEveryMode) {
  for (const Mode mode : kModes) {
    FakeBackend backend;
    const Measurement m = Measure(backend, Popf(), mode, At(2300));
    EXPECT_DOUBLE_EQ(m.estimate.ticks, 10);
    EXPECT_DOUBLE_EQ(*m.estimate.core_cycles, 10);
    EXPECT_EQ(m.estimate.samples, kDefaultSamples);
    EXPECT_EQ(m.operations, kDefaultSamples * backend.requests.back().loops.body *
                                (mode == IRQCOST_THROUGHPUT ? 64 : 1));
    EXPECT_FALSE(m.longest_irqs_off);
  }
}

// Where so many copies would mask for too long, fewer are measured; never other than demanded.
TEST(Sampler, HalvesTheUnrollFactorWhereAWindowIsTooLong) {
  FakeBackend backend;
  backend.most_unroll = 16;
  const Mode hardirq(IRQCOST_THROUGHPUT, 0, IRQCOST_HARDIRQ);
  EXPECT_DOUBLE_EQ(Measure(backend, Popf(), hardirq, At(2300)).estimate.ticks, 10);
  EXPECT_EQ(backend.requests.back().unroll, 16U);
  SamplerOptions demanded = At(2300);
  demanded.unroll = 32;
  EXPECT_THROW(Measure(backend, Popf(), hardirq, demanded), std::system_error);
  backend.most_unroll = 2;
  EXPECT_THROW(Measure(backend, Popf(), hardirq, At(2300)), std::system_error);
  EXPECT_EQ(backend.requests.back().unroll, 4U);
}

// The section itself is no part of the figure; what it hides of the row is missing from it.
TEST(Sampler, InSituIsWhatIsAddedToTheSection) {
  FakeBackend backend;
  backend.ticks_per_op = 30;
  backend.ticks_per_cycle = 0.75;
  backend.hidden_in_section = 12;
  for (const unsigned section : irqcost_sections) {
    const Measurement m = Measure(backend, Popf(), Mode(IRQCOST_IN_SITU, section), At(2300));
    EXPECT_DOUBLE_EQ(m.estimate.ticks, section == 0 ? 30 : 18) << section;
    EXPECT_DOUBLE_EQ(*m.estimate.core_cycles, section == 0 ? 40 : 24) << section;
    EXPECT_EQ(backend.requests.back().unroll, 0U);
  }
}

// A section and nothing else: the window is as long as any other, whatever K is.
TEST(Sampler, InSituWindowsAreOfTheRightLength) {
  FakeBackend backend;
  for (const unsigned section : irqcost_sections) {
    Measure(backend, Popf(), Mode(IRQCOST_IN_SITU, section), At(2300));
    const double us = (60 + (10.0 + section) * backend.requests.back().loops.body) / 2300;
    EXPECT_GT(us, kPairUs / 4) << section;
    EXPECT_LT(us, kPairUs * 4) << section;
  }
}

// A row that costs less around work than its loop does is below zero, and said to be.
TEST(Sampler, InSituMayBeNegative) {
  FakeBackend backend;
  backend.ticks_per_op = 2;
  backend.hidden_in_section = 3;
  EXPECT_DOUBLE_EQ(Measure(backend, Popf(), Mode(IRQCOST_IN_SITU, 20), At(2300)).estimate.ticks,
                   -1);
}

// Whatever a row costs, its windows come near their time and stay far below 100 µs.
TEST(Sampler, PilotMakesWindowsOfTheRightLength) {
  for (const double cost : {0.01, 0.25, 10.0, 300.0}) {
    FakeBackend backend;
    backend.ticks_per_op = cost;
    Measure(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
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
  Measure(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
  EXPECT_EQ(backend.requests.back().loops.body, 1U);
}

TEST(Sampler, UsesWhatTheBackendReallyDid) {
  FakeBackend backend;
  backend.most_body_loops = 3;
  const Measurement m = Measure(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
  EXPECT_DOUBLE_EQ(m.estimate.ticks, 10);
  EXPECT_EQ(m.operations, kDefaultSamples * 3 * 64);
}

TEST(Sampler, TakesExactlyTheSamplesAskedFor) {
  FakeBackend backend;
  backend.disturbed_until = 1'000'000;
  SamplerOptions options = At(2300);
  options.samples = 7;
  const Measurement m = Measure(backend, Popf(), IRQCOST_THROUGHPUT, options);
  EXPECT_EQ(m.estimate.samples, 7U);
  EXPECT_EQ(m.estimate.free, 0U);
}

TEST(Sampler, TakesFewUnderTheInstructionClock) {
  FakeBackend backend;
  SamplerOptions options = At(1000);
  options.exact = true;
  const Measurement m = Measure(backend, Popf(), IRQCOST_LATENCY, options);
  EXPECT_EQ(m.estimate.samples, kExactSamples);
}

TEST(Sampler, WaitsForFreeSamples) {
  FakeBackend backend;
  backend.disturbed_until = 1000;
  const Measurement m = Measure(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
  EXPECT_GE(m.estimate.free, kWantedFree);
  EXPECT_EQ(m.estimate.label, "free");
  EXPECT_GT(m.estimate.samples, kDefaultSamples);
}

TEST(Sampler, GivesUpWaitingInTheEnd) {
  FakeBackend backend;
  backend.disturbed_until = 1'000'000'000;
  const Measurement m = Measure(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
  EXPECT_EQ(m.estimate.free, 0U);
  const double sample_us = 35;
  EXPECT_NEAR(static_cast<double>(m.estimate.samples) * sample_us, kPatienceUs, kPatienceUs / 2);
}

TEST(Sampler, TakesFewerWhereASampleIsLong) {
  FakeBackend backend;
  backend.overhead = 2300.0 * 3000;  // 3 ms a window, 15 ms a sample
  const Measurement m = Measure(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
  EXPECT_EQ(m.estimate.samples, 24U);  // of a little more than 15 ms, in 375
}

TEST(Sampler, TakesFewerAndWaitsLessWhereItsShareIsShort) {
  const auto samples = [](double share_us, std::size_t disturbed_until) {
    FakeBackend backend;
    backend.disturbed_until = disturbed_until;
    SamplerOptions options = At(2300);
    options.share_us = share_us;
    return Measure(backend, Popf(), IRQCOST_THROUGHPUT, options).estimate.samples;
  };
  constexpr std::size_t kAll = 1'000'000'000;
  EXPECT_LT(samples(7000, 0), kDefaultSamples);
  EXPECT_EQ(samples(7000, 0) / 2, samples(3500, 0));
  // Some of the time is kept for waiting.
  EXPECT_EQ(samples(7000, kAll), 2 * samples(7000, 0));
}

// All samples beside a neighbour look alike: only a floor from elsewhere tells.
TEST(Sampler, KnowsAContendedFigureByTheFloorOfAnother) {
  FakeBackend backend;
  Floors floors;
  MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, At(2300), floors);
  EXPECT_NEAR(floors.sensor, 0.25, 0.01);
  EXPECT_NEAR(floors.cycle, 1, 1e-6);
  backend.ticks_per_nop = 0.4;
  const Measurement contended = MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, At(2300), floors);
  EXPECT_EQ(contended.estimate.free, 0U);
  EXPECT_NEAR(floors.sensor, 0.25, 0.01);
  // A lower clock is none: everything takes more ticks, and no more cycles.
  backend.ticks_per_nop = 0.5;
  backend.ticks_per_cycle = 2;
  const Measurement slower = MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, At(2300), floors);
  EXPECT_EQ(slower.estimate.free, slower.estimate.samples);
}

TEST(Sampler, NoFigureIsKnownBetterThanAStepOfTheClock) {
  FakeBackend backend;
  backend.ticks_per_cycle = 2;
  SamplerOptions options = At(2300);
  options.tsc_step = 24;
  const Measurement m = Measure(backend, Popf(), IRQCOST_THROUGHPUT, options);
  const Loops loops = backend.requests.back().loops;
  const double ticks = 24.0 / (64.0 * loops.body);
  EXPECT_DOUBLE_EQ(m.estimate.ticks_resolution, ticks);
  EXPECT_DOUBLE_EQ(m.estimate.cycles_resolution, ticks / 2 + 5 * 24.0 / (2 * 96.0 * loops.chain));
}

TEST(Sampler, KeepsEverySampleInTheUnitOfTheEstimate) {
  FakeBackend backend;
  backend.ticks_per_cycle = 2;
  backend.disturbed_until = 150;
  const Measurement m = Measure(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
  EXPECT_EQ(m.distribution.free.size(), m.estimate.free);
  EXPECT_EQ(m.distribution.free.size() + m.distribution.disturbed.size(), m.estimate.samples);
  EXPECT_DOUBLE_EQ(Quantile(m.distribution.free, kFloorQuantile), *m.estimate.core_cycles);
  SamplerOptions options = At(2300);
  options.with_cycles = false;
  EXPECT_DOUBLE_EQ(Measure(backend, Popf(), IRQCOST_THROUGHPUT, options).distribution.free.front(),
                   10);
}

TEST(Sampler, UsesTheUnrollFactorAskedFor) {
  FakeBackend backend;
  SamplerOptions options = At(2300);
  options.unroll = 8;
  Measure(backend, Popf(), IRQCOST_THROUGHPUT, options);
  EXPECT_EQ(backend.requests.back().unroll, 8U);
  Measure(backend, Popf(), IRQCOST_LATENCY, options);
  EXPECT_EQ(backend.requests.back().unroll, 0U);
}

// A fake of the module's MSRs: 1.25 core cycles a tick where the chain has a cycle of 0.8 ticks.
TEST(Sampler, HoldsTheChainAgainstTheCounter) {
  FakeBackend backend;
  backend.ticks_per_cycle = 0.8;
  backend.aperf_per_tick = 1.25;
  const Measurement agrees = Measure(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
  ASSERT_TRUE(agrees.estimate.imul_by_counter);
  EXPECT_NEAR(*agrees.estimate.imul_by_counter, 3, 0.001);
  EXPECT_NEAR(*agrees.estimate.core_cycles, 12.5, 0.01);  // by the chain

  backend.aperf_per_tick = 1.5;
  const Measurement differs = Measure(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
  EXPECT_NEAR(*differs.estimate.imul_by_counter, 3.6, 0.001);
}

TEST(Sampler, DoesNotBelieveACounterThatHaltedOrDidNotCount) {
  FakeBackend backend;
  EXPECT_FALSE(Measure(backend, Popf(), IRQCOST_LATENCY, At(2300)).estimate.imul_by_counter);
  backend.aperf_per_tick = 1;
  backend.mperf_per_tick = 0.98;
  EXPECT_FALSE(Measure(backend, Popf(), IRQCOST_LATENCY, At(2300)).estimate.imul_by_counter);
  backend.mperf_per_tick = 0.995;
  EXPECT_TRUE(Measure(backend, Popf(), IRQCOST_LATENCY, At(2300)).estimate.imul_by_counter);
}

}  // namespace
}  // namespace irqcost
