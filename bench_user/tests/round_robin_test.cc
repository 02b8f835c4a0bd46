/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/round_robin.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "fake_backend.h"

namespace irqcost {
namespace {

const std::vector<SupportedProbe>& SupportedProbes() {
  static const std::vector<SupportedProbe> probes = {
      {FindProbe("dep_add"), {IRQCOST_THROUGHPUT}, 4, 64, {}},
      {FindProbe("push_pop"), {IRQCOST_THROUGHPUT}, 4, 64, {}},
      {FindProbe("dep_xor"), {IRQCOST_THROUGHPUT}, 4, 64, {}},
  };
  return probes;
}

std::vector<Job> JobsOf(Backend& backend) {
  std::vector<Job> jobs;
  for (const SupportedProbe& supported : SupportedProbes())
    jobs.push_back({&backend, &supported, IRQCOST_THROUGHPUT});
  return jobs;
}

SamplerOptions Options() {
  SamplerOptions options;
  options.ticks_per_us = 2300;
  options.tsc_step = 1;
  options.imul_latency = 3;
  return options;
}

// A clock that goes on with what the backend was asked for: 35 µs a sample.
std::function<double()> ClockOf(const FakeBackend& backend) {
  return [&backend] {
    double us = 0;
    for (const Request& request : backend.requests) us += 35 * static_cast<double>(request.samples);
    return us;
  };
}

// The rows in the order in which their slices were taken, without the pilots.
std::vector<std::string> Slices(const FakeBackend& backend) {
  std::vector<std::string> keys;
  for (const Request& request : backend.requests)
    if (request.samples == kSlice) keys.emplace_back(request.probe->key);
  return keys;
}

TEST(RoundRobin, NoRowHasTwoSlicesBeforeTheOthersHadOne) {
  FakeBackend backend;
  Found found;
  const auto outcomes =
      MeasureRoundRobin(JobsOf(backend), Options(), 0.021, ClockOf(backend), found);
  const std::vector<std::string> slices = Slices(backend);
  ASSERT_GE(slices.size(), 6U);
  for (std::size_t i = 0; i < slices.size(); ++i)
    EXPECT_EQ(slices[i], SupportedProbes()[i % 3].probe->key) << i;
  for (const Outcome& outcome : outcomes) {
    ASSERT_TRUE(outcome.measurement);
    EXPECT_DOUBLE_EQ(outcome.measurement->estimate.ticks, 10);
  }
}

// What would have been all of the first row's samples is a part of each row's.
TEST(RoundRobin, ADisturbanceIsSharedOut) {
  FakeBackend backend;
  backend.contaminated_until = 150;
  Found found;
  const auto outcomes =
      MeasureRoundRobin(JobsOf(backend), Options(), 0.021, ClockOf(backend), found);
  for (const Outcome& outcome : outcomes) {
    EXPECT_EQ(outcome.measurement->estimate.label, kCleanLabel);
    EXPECT_GT(outcome.measurement->estimate.preempted, 0U);
  }
}

TEST(RoundRobin, TheTimeIsKeptWhateverIsContaminated) {
  FakeBackend backend;
  backend.contaminated_until = 1'000'000'000;
  Found found;
  const auto clock = ClockOf(backend);
  const auto outcomes = MeasureRoundRobin(JobsOf(backend), Options(), 0.2, clock, found);
  EXPECT_GT(clock(), 0.19e6);
  EXPECT_LT(clock(), 0.2e6 + 3 * 35 * static_cast<double>(kSlice));
  for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.measurement->estimate.clean, 0U);
}

// A time for all goes to the row that needs it; the others have what identifies the clean samples.
TEST(RoundRobin, TheRowThatScattersHasMoreSamples) {
  FakeBackend backend;
  backend.noisy = "push_pop";
  backend.noise = 3;
  Found found;
  const auto outcomes = MeasureRoundRobin(JobsOf(backend), Options(), 0.1, ClockOf(backend), found);
  EXPECT_EQ(outcomes[0].measurement->estimate.samples, kFirstSamples);
  EXPECT_GT(outcomes[1].measurement->estimate.samples, 4 * kFirstSamples);
  EXPECT_EQ(outcomes[2].measurement->estimate.samples, kFirstSamples);
}

TEST(RoundRobin, WithoutATimeEachRowHasAllItsSamplesUntilTheTimeout) {
  FakeBackend backend;
  Found found;
  const auto outcomes =
      MeasureRoundRobin(JobsOf(backend), Options(), std::nullopt, ClockOf(backend), found);
  for (const Outcome& outcome : outcomes)
    EXPECT_EQ(outcome.measurement->estimate.samples, kDefaultSamples);
}

// The level on which samples of all rows agree judges all, also those taken before it was seen.
TEST(RoundRobin, ALaterLevelJudgesEarlierSamples) {
  FakeBackend contended;
  contended.ticks_per_nop = 0.4;
  FakeBackend free;
  std::vector<Job> jobs = {{&contended, &SupportedProbes()[0], IRQCOST_THROUGHPUT}};
  for (const Job& job : JobsOf(free)) jobs.push_back(job);
  Found found;
  const auto now_us = [one = ClockOf(contended), other = ClockOf(free)] { return one() + other(); };
  const auto outcomes = MeasureRoundRobin(jobs, Options(), 0.012, now_us, found);
  EXPECT_EQ(outcomes[0].measurement->estimate.clean, 0U);
  EXPECT_EQ(outcomes[3].measurement->estimate.label, kCleanLabel);
  EXPECT_NEAR(found.level.value, 0.25, 0.01);
  EXPECT_TRUE(found.level.steady);
  EXPECT_EQ(found.judged_by, found.level.value);
  EXPECT_NEAR(found.clock, 1, 0.01);
}

// Of processes before this one, of which it has no sample itself.
TEST(RoundRobin, AKnownLevelJudgesAllRows) {
  FakeBackend contended;
  contended.ticks_per_nop = 0.4;
  SamplerOptions options = Options();
  options.sensor_levels["fake"] = 0.25;
  Found found;
  const auto outcomes =
      MeasureRoundRobin(JobsOf(contended), options, 0.02, ClockOf(contended), found);
  for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.measurement->estimate.clean, 0U);
  EXPECT_EQ(found.judged_by, 0.25);
  EXPECT_NEAR(found.level.value, 0.4, 0.01);
}

class FailingBackend final : public Backend {
 public:
  FakeBackend fake;
  std::string fails;  ///< key of the row that cannot be measured

  [[nodiscard]] std::string_view Name() const override { return "fake"; }
  [[nodiscard]] std::optional<Unavailable> WhyUnavailable() const override { return std::nullopt; }
  [[nodiscard]] std::vector<SupportedProbe> SupportedProbes() const override { return {}; }
  [[nodiscard]] unsigned MaxLoops() const override { return fake.MaxLoops(); }
  Run Measure(const Request& request) override {
    if (request.probe->key == fails && request.samples == kSlice)
      throw std::runtime_error("the device is gone");
    return fake.Measure(request);
  }
};

TEST(RoundRobin, ARowThatFailsDoesNotEndTheOthers) {
  FailingBackend backend;
  backend.fails = "push_pop";
  Found found;
  const auto outcomes =
      MeasureRoundRobin(JobsOf(backend), Options(), 0.021, ClockOf(backend.fake), found);
  EXPECT_TRUE(outcomes[0].measurement);
  EXPECT_FALSE(outcomes[1].measurement);
  EXPECT_EQ(outcomes[1].error, "the device is gone");
  EXPECT_TRUE(outcomes[2].measurement);
}

}  // namespace
}  // namespace irqcost
