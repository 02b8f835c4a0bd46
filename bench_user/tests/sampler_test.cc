/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/sampler.h"

#include <gtest/gtest.h>

#include "fake_backend.h"

namespace irqcost {
namespace {

SupportedProbe Popf() {
  return {FindProbe("dep_add"), {IRQCOST_THROUGHPUT, IRQCOST_ISOLATED}, 4, 64, {}};
}

SamplerOptions At(double ticks_per_us) {
  SamplerOptions options;
  options.ticks_per_us = ticks_per_us;
  options.tsc_step = 1;
  options.imul_latency = 3;
  return options;
}

TEST(Sampler, FindsTheCostInEveryMode) {
  for (const Mode mode : kModes) {
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

// Where so many copies would mask for too long, fewer are measured; never other than demanded.
TEST(Sampler, HalvesTheUnrollFactorWhereAWindowIsTooLong) {
  FakeBackend backend;
  backend.most_unroll = 16;
  const Mode hardirq(IRQCOST_THROUGHPUT, 0, IRQCOST_HARDIRQ);
  EXPECT_DOUBLE_EQ(MeasureProbe(backend, Popf(), hardirq, At(2300)).estimate.ticks, 10);
  EXPECT_EQ(backend.requests.back().unroll, 16U);
  SamplerOptions demanded = At(2300);
  demanded.unroll = 32;
  EXPECT_THROW(MeasureProbe(backend, Popf(), hardirq, demanded), std::system_error);
  backend.most_unroll = 2;
  EXPECT_THROW(MeasureProbe(backend, Popf(), hardirq, At(2300)), std::system_error);
  EXPECT_EQ(backend.requests.back().unroll, 4U);
}

// The section itself is no part of the figure; what it hides of the row is missing from it.
TEST(Sampler, InSituIsWhatIsAddedToTheSection) {
  FakeBackend backend;
  backend.ticks_per_op = 30;
  backend.ticks_per_cycle = 0.75;
  backend.hidden_in_section = 12;
  for (const unsigned section : irqcost_sections) {
    const Measurement m = MeasureProbe(backend, Popf(), Mode(IRQCOST_IN_SITU, section), At(2300));
    EXPECT_DOUBLE_EQ(m.estimate.ticks, section == 0 ? 30 : 18) << section;
    EXPECT_DOUBLE_EQ(*m.estimate.core_cycles, section == 0 ? 40 : 24) << section;
    EXPECT_EQ(backend.requests.back().unroll, 0U);
  }
}

// A section and nothing else: the window is as long as any other, whatever K is.
TEST(Sampler, InSituWindowsAreOfTheRightLength) {
  FakeBackend backend;
  for (const unsigned section : irqcost_sections) {
    MeasureProbe(backend, Popf(), Mode(IRQCOST_IN_SITU, section), At(2300));
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
  EXPECT_DOUBLE_EQ(
      MeasureProbe(backend, Popf(), Mode(IRQCOST_IN_SITU, 20), At(2300)).estimate.ticks, -1);
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
  backend.contaminated_until = 1'000'000;
  SamplerOptions options = At(2300);
  options.samples = 7;
  const Measurement m = MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, options);
  EXPECT_EQ(m.estimate.samples, 7U);
  EXPECT_EQ(m.estimate.clean, 0U);
}

TEST(Sampler, TakesFewUnderTheInstructionClock) {
  FakeBackend backend;
  SamplerOptions options = At(1000);
  options.exact = true;
  const Measurement m = MeasureProbe(backend, Popf(), IRQCOST_ISOLATED, options);
  EXPECT_EQ(m.estimate.samples, kExactSamples);
}

TEST(Sampler, WaitsForCleanSamples) {
  FakeBackend backend;
  backend.contaminated_until = 1000;
  const Measurement m = MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
  EXPECT_GE(m.estimate.clean, kWantedClean);
  EXPECT_EQ(m.estimate.label, kCleanLabel);
  EXPECT_GT(m.estimate.samples, kDefaultSamples);
}

TEST(Sampler, GivesUpWaitingInTheEnd) {
  FakeBackend backend;
  backend.contaminated_until = 1'000'000'000;
  const Measurement m = MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
  EXPECT_EQ(m.estimate.clean, 0U);
  const double sample_us = 35;
  EXPECT_NEAR(static_cast<double>(m.estimate.samples) * sample_us, kTimeoutUs, kTimeoutUs / 2);
}

TEST(Sampler, TakesFewerWhereASampleIsLong) {
  FakeBackend backend;
  backend.overhead = 2300.0 * 3000;  // 3 ms a window, 15 ms a sample
  const Measurement m = MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
  EXPECT_EQ(m.estimate.samples, 24U);  // of a little more than 15 ms, in 375
}

TEST(Sampler, TakesFewerAndWaitsLessWhereItsShareIsShort) {
  const auto samples = [](double share_us, std::size_t contaminated_until) {
    FakeBackend backend;
    backend.contaminated_until = contaminated_until;
    SamplerOptions options = At(2300);
    options.share_us = share_us;
    return MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, options).estimate.samples;
  };
  constexpr std::size_t kAll = 1'000'000'000;
  EXPECT_LT(samples(7000, 0), kDefaultSamples);
  EXPECT_EQ(samples(7000, 0) / 2, samples(3500, 0));
  // Some of the time is kept for waiting.
  EXPECT_EQ(samples(7000, kAll), 2 * samples(7000, 0));
}

// All samples beside a neighbour look the same: only a level from elsewhere shows it.
TEST(Sampler, KnowsAContendedFigureByTheLevelOfAnother) {
  FakeBackend backend;
  SamplerOptions options = At(2300);
  const Measurement alone = MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, options);
  EXPECT_NEAR(alone.estimate.sensor, 0.25, 0.01);
  EXPECT_NEAR(alone.estimate.cycle, 1, 1e-6);
  options.sensor_levels = {{"another", 0.1}, {"fake", alone.estimate.sensor}};
  backend.ticks_per_nop = 0.4;
  const Measurement contended = MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, options);
  EXPECT_EQ(contended.estimate.clean, 0U);
  // A lower clock is not contention: everything takes more ticks, and no more cycles.
  backend.ticks_per_nop = 0.5;
  backend.ticks_per_cycle = 2;
  const Measurement slower = MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, options);
  EXPECT_EQ(slower.estimate.clean, slower.estimate.samples);
}

// Of a step over all samples, since they begin at any time within one.
TEST(Sampler, NoFigureIsKnownBetterThanItsPartOfAStepOfTheClock) {
  FakeBackend backend;
  backend.ticks_per_cycle = 2;
  SamplerOptions options = At(2300);
  options.tsc_step = 24;
  const Measurement m = MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, options);
  ASSERT_EQ(m.estimate.clean, 400U);
  const Loops loops = backend.requests.back().loops;
  const double step = 24.0 / 20;
  const double ticks = step / (64.0 * loops.body);
  EXPECT_DOUBLE_EQ(m.estimate.ticks_resolution, ticks);
  EXPECT_DOUBLE_EQ(m.estimate.cycles_resolution, ticks / 2 + 5 * step / (2 * 96.0 * loops.chain));
}

TEST(Sampler, KeepsEverySampleInTheUnitOfTheEstimate) {
  FakeBackend backend;
  backend.ticks_per_cycle = 2;
  backend.contaminated_until = 150;
  const Measurement m = MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
  EXPECT_EQ(m.distribution.clean.size(), m.estimate.clean);
  EXPECT_EQ(m.distribution.clean.size() + m.distribution.contaminated.size(), m.estimate.samples);
  for (const double cycles : m.distribution.clean)
    EXPECT_NEAR(cycles, *m.estimate.core_cycles, 1e-9);
  SamplerOptions options = At(2300);
  options.with_cycles = false;
  EXPECT_DOUBLE_EQ(
      MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, options).distribution.clean.front(), 10);
}

TEST(Sampler, UsesTheUnrollFactorAskedFor) {
  FakeBackend backend;
  SamplerOptions options = At(2300);
  options.unroll = 8;
  MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, options);
  EXPECT_EQ(backend.requests.back().unroll, 8U);
  MeasureProbe(backend, Popf(), IRQCOST_ISOLATED, options);
  EXPECT_EQ(backend.requests.back().unroll, 0U);
}

// A fake of the module's MSRs: 1.25 core cycles a tick where the chain has a cycle of 0.8 ticks.
TEST(Sampler, HoldsTheChainAgainstTheCounter) {
  FakeBackend backend;
  backend.ticks_per_cycle = 0.8;
  backend.aperf_per_tick = 1.25;
  const Measurement agrees = MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
  ASSERT_TRUE(agrees.estimate.counted_cycles);
  EXPECT_NEAR(*agrees.estimate.counted_cycles, 1, 0.001);
  EXPECT_NEAR(*agrees.estimate.core_cycles, 12.5, 0.01);  // by the chain

  backend.aperf_per_tick = 1.5;
  const Measurement differs = MeasureProbe(backend, Popf(), IRQCOST_THROUGHPUT, At(2300));
  EXPECT_NEAR(*differs.estimate.counted_cycles, 1.2, 0.001);
}

TEST(Sampler, DoesNotBelieveACounterThatHaltedOrDidNotCount) {
  FakeBackend backend;
  EXPECT_FALSE(MeasureProbe(backend, Popf(), IRQCOST_ISOLATED, At(2300)).estimate.counted_cycles);
  backend.aperf_per_tick = 1;
  backend.mperf_per_tick = 0.98;
  EXPECT_FALSE(MeasureProbe(backend, Popf(), IRQCOST_ISOLATED, At(2300)).estimate.counted_cycles);
  backend.mperf_per_tick = 0.995;
  EXPECT_TRUE(MeasureProbe(backend, Popf(), IRQCOST_ISOLATED, At(2300)).estimate.counted_cycles);
}

}  // namespace
}  // namespace irqcost
