/* SPDX-License-Identifier: GPL-2.0-only */
#include "run/contention.h"

#include <gtest/gtest.h>

#include <numeric>

#include "backends/instructions.h"
#include "base/usage_error.h"
#include "fake_contention.h"
#include "run/bench.h"
#include "run/options.h"

namespace irqcost {
namespace {

using Shares = std::vector<double>;

TEST(JainIndexTest, KnownAnswers) {
  EXPECT_DOUBLE_EQ(JainIndex(Shares{5, 5, 5, 5}), 1);
  EXPECT_DOUBLE_EQ(JainIndex(Shares{8, 0, 0, 0}), 0.25);
  EXPECT_DOUBLE_EQ(JainIndex(Shares{1, 3}), 16.0 / 20);
  EXPECT_DOUBLE_EQ(JainIndex(Shares{7}), 1);
  EXPECT_DOUBLE_EQ(JainIndex(Shares{0, 0}), 1);
}

TEST(WaitBinTest, BinsFollowEachOtherWithoutAGap) {
  for (unsigned bin = 0; bin < IRQCOST_WAIT_BINS; ++bin) {
    const auto low = irqcost_wait_bin_low(bin), next = irqcost_wait_bin_low(bin + 1);
    EXPECT_EQ(irqcost_wait_bin(low), bin);
    EXPECT_EQ(irqcost_wait_bin(next - 1), bin);
    EXPECT_LE((next - low) * 16, std::max<std::uint64_t>(low, 16));
  }
  EXPECT_EQ(irqcost_wait_bin(~0ULL), unsigned{IRQCOST_WAIT_BINS} - 1);
}

std::vector<std::uint64_t> HistogramOf(const std::vector<std::uint64_t>& waits) {
  std::vector<std::uint64_t> histogram(IRQCOST_WAIT_BINS);
  for (const auto wait : waits) ++histogram[irqcost_wait_bin(wait)];
  return histogram;
}

TEST(WaitQuantileTest, ExactBelow32AndWithinA32ndAbove) {
  std::vector<std::uint64_t> waits(31);
  std::iota(waits.begin(), waits.end(), 0);
  const auto small = HistogramOf(waits);
  EXPECT_DOUBLE_EQ(WaitQuantile(small, 0), 0);
  EXPECT_DOUBLE_EQ(WaitQuantile(small, 0.5), 15);
  EXPECT_DOUBLE_EQ(WaitQuantile(small, 1), 30);
  waits.clear();
  for (std::uint64_t wait = 1; wait <= 100'000; ++wait) waits.push_back(wait * 7);
  const auto great = HistogramOf(waits);
  for (const double q : {0.01, 0.5, 0.9, 0.99})
    EXPECT_NEAR(WaitQuantile(great, q), q * 700'000, q * 700'000 / 32 + 7);
  EXPECT_DOUBLE_EQ(WaitQuantile(HistogramOf({}), 0.5), 0);
  EXPECT_DOUBLE_EQ(WaitQuantile(HistogramOf({1'000'000}), 0.99),
                   WaitQuantile(HistogramOf({1'000'000}), 0));
}

TEST(ContentionSizesTest, EachUpToEightThenPowersAndAll) {
  using Sizes = std::vector<std::size_t>;
  EXPECT_EQ(ContentionSizes(0), Sizes{});
  EXPECT_EQ(ContentionSizes(1), Sizes{1});
  EXPECT_EQ(ContentionSizes(2), (Sizes{1, 2}));
  EXPECT_EQ(ContentionSizes(8), (Sizes{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(ContentionSizes(48), (Sizes{1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 48}));
  EXPECT_EQ(ContentionSizes(4000).back(), std::size_t{IRQCOST_MAX_CONTENDERS});
}

constexpr unsigned kImulLatency = 4;

const LockRequest kTwo{FindProbe("spin_lock"), 50, {1, 0}, 1};

LockRun RunOf(std::uint64_t first, std::uint64_t second) {
  LockRun run;
  run.rounds = 1;
  run.alone = 40;
  run.traits = IRQCOST_LOCK_MASKS;
  for (const auto operations : {first, second}) {
    irqcost_contender c{};
    c.rounds = operations > 0 ? 1 : 0;
    c.operations = operations;
    c.ticks = 2000;
    c.chain = std::uint64_t{IRQCOST_CONTENTION_CHAIN} * kImulLatency * 2;
    c.waits = operations;
    c.longest_wait = 900;
    c.longest_irqs_off = 950;
    c.histogram[irqcost_wait_bin(20)] = static_cast<std::uint32_t>(operations);
    run.contenders.push_back(c);
  }
  return run;
}

TEST(SummariseLockTest, TimeThatPassedByOperationsOfAll) {
  const std::vector<LockRun> runs(12, RunOf(30, 10));
  const LockContention found = SummariseLock(kTwo, runs, kImulLatency);
  EXPECT_DOUBLE_EQ(found.estimate.ticks, 50);
  EXPECT_DOUBLE_EQ(found.estimate.core_cycles.value(), 25);
  EXPECT_EQ(found.operations, (std::vector<std::uint64_t>{360, 120}));
  EXPECT_EQ(found.estimate.operations, 480U);
  EXPECT_DOUBLE_EQ(found.min_over_max, 1.0 / 3);
  EXPECT_DOUBLE_EQ(found.jain, 0.8);
  EXPECT_DOUBLE_EQ(found.wait.p50, 20);
  EXPECT_DOUBLE_EQ(found.wait.max, 900);
  EXPECT_EQ(found.estimate.longest_irqs_off, 950U);
  EXPECT_TRUE(found.masks);
  EXPECT_TRUE(found.not_run.empty());
  EXPECT_EQ(found.estimate.label, "clean");
  EXPECT_EQ(found.estimate.distribution.clean.size(), 12U);
}

TEST(SummariseLockTest, TheTimeIsThatOfWhoBeganFirst) {
  std::vector<LockRun> runs(12, RunOf(30, 10));
  for (LockRun& run : runs) run.contenders[1].ticks = 4;
  EXPECT_DOUBLE_EQ(SummariseLock(kTwo, runs, kImulLatency).estimate.ticks, 50);
}

TEST(SummariseLockTest, WithoutACycleThereAreTicksAlone) {
  const std::vector<LockRun> runs(12, RunOf(30, 10));
  const LockContention found = SummariseLock(kTwo, runs, std::nullopt);
  EXPECT_FALSE(found.estimate.core_cycles);
  EXPECT_DOUBLE_EQ(found.estimate.distribution.clean.front(), 50);
}

TEST(SummariseLockTest, ACpuThatHasNotRunIsNamed) {
  const std::vector<LockRun> runs(12, RunOf(30, 0));
  const LockContention found = SummariseLock(kTwo, runs, kImulLatency);
  EXPECT_EQ(found.not_run, std::vector<int>{0});
  EXPECT_EQ(found.estimate.clean, 0U);
  EXPECT_EQ(found.estimate.label, "disturbed: CPU 0 has not run: something else keeps it busy");
  EXPECT_DOUBLE_EQ(found.min_over_max, 0);
  EXPECT_DOUBLE_EQ(found.jain, 0.5);
}

TEST(SummariseLockTest, NobodyRan) {
  const std::vector<LockRun> runs(2, RunOf(0, 0));
  const LockContention found = SummariseLock(kTwo, runs, kImulLatency);
  EXPECT_EQ(found.not_run, (std::vector<int>{1, 0}));
  EXPECT_DOUBLE_EQ(found.estimate.ticks, 0);
}

TEST(SummariseLockTest, ContaminatedRunsAreCountedAndNotUsed) {
  std::vector<LockRun> runs(12, RunOf(30, 10));
  for (int i = 0; i < 5; ++i) runs.push_back(RunOf(1, 1));
  runs[12].contenders[0].preempted = 1;
  runs[13].contenders[1].missed = 1;
  runs[14].contenders[1].elsewhere = 1;
  runs[15].contenders[1].rounds = 0;
  runs[16].contenders[0].missed = 1;
  const LockContention found = SummariseLock(kTwo, runs, kImulLatency);
  EXPECT_EQ(found.estimate.samples, 17U);
  EXPECT_EQ(found.estimate.clean, 12U);
  EXPECT_EQ(found.estimate.distribution.contaminated.size(), 5U);
  EXPECT_DOUBLE_EQ(found.estimate.ticks, 50);
  EXPECT_DOUBLE_EQ(found.estimate.ticks_p99, 1000);
  EXPECT_EQ(found.operations, (std::vector<std::uint64_t>{360, 120}));
  EXPECT_EQ(found.rounds, (std::vector<unsigned>{17, 16}));
  EXPECT_EQ(found.estimate.preempted, 1U);
}

DeferredRun Interrupts(std::size_t count) {
  DeferredRun run;
  run.loops = 2;
  for (std::size_t i = 0; i < count; ++i) {
    irqcost_pending_sample s{};
    s.chain = std::uint64_t{IRQCOST_CONTENTION_CHAIN} * kImulLatency;
    s.quiet_add = 128;
    s.pending_add = 192;
    s.quiet_nop = 64;
    s.pending_nop = 64;
    s.masked = 46'000 + i;
    s.handler = 400 + i;
    s.back = 900 + i;
    s.interrupts = 1;
    run.samples.push_back(s);
  }
  return run;
}

TEST(SummariseDeferredTest, EachPartHasItsDistribution) {
  const DeferredRun run = Interrupts(101);
  const DeferredInterrupts handler = SummariseDeferred(DeferredPart::kHandler, run, kImulLatency);
  EXPECT_DOUBLE_EQ(handler.ticks.min, 400);
  EXPECT_DOUBLE_EQ(handler.ticks.p10, 410);
  EXPECT_DOUBLE_EQ(handler.ticks.p50, 450);
  EXPECT_DOUBLE_EQ(handler.ticks.p99, 499);
  EXPECT_DOUBLE_EQ(handler.ticks.max, 500);
  EXPECT_DOUBLE_EQ(handler.estimate.core_cycles.value(), 450);
  EXPECT_EQ(handler.estimate.longest_irqs_off, 46'100U);
  EXPECT_FALSE(handler.add);
  EXPECT_DOUBLE_EQ(SummariseDeferred(DeferredPart::kReturn, run, kImulLatency).estimate.ticks, 950);
  const DeferredInterrupts masked = SummariseDeferred(DeferredPart::kMasked, run, kImulLatency);
  EXPECT_DOUBLE_EQ(masked.estimate.ticks, 46'050);
  EXPECT_DOUBLE_EQ(masked.add->quiet, 1);
  EXPECT_DOUBLE_EQ(masked.add->pending, 1.5);
  EXPECT_DOUBLE_EQ(masked.nop->quiet, 0.25);
  EXPECT_DOUBLE_EQ(masked.nop->pending, 0.25);
}

TEST(SummariseDeferredTest, ALateOneTellsOfTheHandlerButNotOfTheReturn) {
  DeferredRun run = Interrupts(30);
  run.samples[3].flags = IRQCOST_PENDING_LATE;
  run.samples[4].flags = IRQCOST_PENDING_INTERRUPTED;
  run.samples[5].flags = IRQCOST_PENDING_PREEMPTED;
  const DeferredInterrupts handler = SummariseDeferred(DeferredPart::kHandler, run, kImulLatency);
  EXPECT_EQ(handler.estimate.clean, 28U);
  EXPECT_EQ(handler.late, 1U);
  EXPECT_EQ(handler.estimate.interrupted, 1U);
  EXPECT_EQ(handler.estimate.preempted, 1U);
  EXPECT_EQ(SummariseDeferred(DeferredPart::kReturn, run, kImulLatency).estimate.clean, 27U);
}

TEST(SummariseDeferredTest, WithoutMaskedWorkThereIsNone) {
  DeferredRun run = Interrupts(30);
  run.loops = 0;
  EXPECT_FALSE(SummariseDeferred(DeferredPart::kMasked, run, kImulLatency).add);
}

// Three parts each of the architecture's own ways to mask and of three of the kernel's.
std::size_t Pending() { return 3 * (MaskingRows().size() + 3); }

class ContentionSelectionTest : public testing::Test {
 protected:
  void SetUp() override {
    auto fake = std::make_unique<FakeContention>();
    fake_ = fake.get();
    backends_.push_back(std::move(fake));
    options_.cpus = {1, 0, 2};
  }

  Selection Selected(const std::string& filter) { return Select(backends_, filter, {}, options_); }

  FakeContention* fake_ = nullptr;
  std::vector<std::unique_ptr<Backend>> backends_;
  ContentionOptions options_;
};

TEST_F(ContentionSelectionTest, OnlyWhereTheyAreWantedOrNamed) {
  EXPECT_TRUE(Selected("").contention.empty());
  EXPECT_TRUE(Selected("spin_lock").contention.empty());
  EXPECT_TRUE(Selected("-contention").contention.empty());
  EXPECT_EQ(Selected("/contention/").contention.size(), 27U);
  EXPECT_EQ(Selected("/pending/").contention.size(), Pending());
  EXPECT_EQ(Selected("^fake/spin_lock/contention/cpus2/section50$").contention.size(), 1U);
  options_.wanted = true;
  EXPECT_EQ(Selected("").contention.size(), 27U + Pending());
  EXPECT_EQ(Selected("-contention").contention.size(), Pending());
}

TEST_F(ContentionSelectionTest, CpusContendFromTheMeasuringOneOn) {
  const Selection selection = Selected("^fake/spin_lock/contention/cpus2/section500$");
  EXPECT_EQ(selection.contention.at(0).cpus, (std::vector<int>{1, 0}));
  EXPECT_EQ(selection.contention.at(0).section, 500U);
}

TEST_F(ContentionSelectionTest, ALockThatSleepsMasksNothing) {
  fake_->locks_sleep = true;
  const Selection selection = Selected("/pending/");
  EXPECT_EQ(selection.contention.size(), Pending() - 3);
  ASSERT_EQ(selection.results.absent.size(), 3U);
  EXPECT_EQ(selection.results.absent[0].name, "fake/spin_lock_irqsave/pending/handler");
  EXPECT_EQ(selection.results.absent[0].reason, "masks nothing on PREEMPT_RT, where it sleeps");
}

TEST_F(ContentionSelectionTest, ARowThatCannotRunDoesNotMask) {
  const Probe* own = FindProbe(MaskingRows().front());
  const Mode in_handler{IRQCOST_THROUGHPUT, 0, IRQCOST_HARDIRQ};
  fake_->probes = {{own, {in_handler}, 4, 64, "unmasks"},
                   {FindProbe("spin_lock_irqsave"), {IRQCOST_THROUGHPUT}, 4, 64, {}},
                   {own, {IRQCOST_THROUGHPUT}, 4, 64, "the kernel masks in another way"}};
  const Selection selection = Selected("/pending/");
  EXPECT_EQ(selection.contention.size(), Pending() - 3);
  ASSERT_EQ(selection.results.absent.size(), 3U);
  EXPECT_EQ(selection.results.absent[0].reason, "the kernel masks in another way");
  // What it may not do in a handler is nothing to a process.
  fake_->probes.pop_back();
  EXPECT_EQ(Selected("/pending/").contention.size(), Pending());
}

TEST_F(ContentionSelectionTest, AnUnavailableBackendHasNothing) {
  fake_->unavailable = Unavailable{"no device", "load it"};
  EXPECT_TRUE(Selected("/pending/").contention.empty());
}

TEST_F(ContentionSelectionTest, MeasuresWhatWasAskedFor) {
  SamplerOptions sampler;
  sampler.ticks_per_us = 2000;
  sampler.cpu = 1;
  const auto contention = Selected("^fake/spin_lock/contention/cpus3/section50$");
  const ContentionMeasurement measured = MeasureContention(contention.contention.at(0), sampler);
  EXPECT_EQ(measured.key, "contention");
  EXPECT_EQ(measured.object.at("cpus"), (std::vector<int>{1, 0, 2}));
  EXPECT_EQ(measured.object.at("section"), 50);
  EXPECT_EQ(measured.object.at("fairness").at("jain"), 1);
  EXPECT_TRUE(measured.object.at("irqs_off_ticks").is_null());
  // 100 ticks an operation of any CPU are 20 million operations a second.
  EXPECT_DOUBLE_EQ(measured.object.at("per_second").get<double>(), 2e7);
  ASSERT_FALSE(fake_->contended.empty());
  EXPECT_EQ(fake_->contended.front().cpus.size(), 3U);

  sampler.samples = 37;
  options_.hold_ns = 5000;
  const auto pending = Selected("^fake/[a-z_]+/pending/masked$");
  const ContentionMeasurement masked = MeasureContention(pending.contention.at(0), sampler);
  EXPECT_EQ(masked.key, "pending");
  EXPECT_EQ(masked.object.at("requested_ns"), 5000);
  EXPECT_TRUE(masked.object.at("work_ticks").at("add").is_object());
  EXPECT_EQ(fake_->raised.at(0).samples, 37U);
  EXPECT_EQ(fake_->raised.at(0).cpu, 1);
}

TEST(ContentionOptionsTest, HoldIsBounded) {
  EXPECT_EQ(ParseOptions({"--irqcost_hold_ns=90000"}).hold_ns, 90'000U);
  EXPECT_THROW(ParseOptions({"--irqcost_hold_ns=90001"}), UsageError);
  EXPECT_THROW(ParseOptions({"--irqcost_hold_ns=-1"}), UsageError);
  EXPECT_TRUE(ParseOptions({"--irqcost_contention"}).contention);
  EXPECT_FALSE(ParseOptions({}).contention);
}

}  // namespace
}  // namespace irqcost
