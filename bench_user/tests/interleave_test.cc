/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/interleave.h"

#include <gtest/gtest.h>

#include "fake_backend.h"
#include "report/interleaved.h"

namespace irqcost {
namespace {

SupportedProbe SupportedProbeOf(const char* key) {
  return {FindProbe(key), {IRQCOST_THROUGHPUT}, IRQCOST_MIN_UNROLL, IRQCOST_MAX_UNROLL, ""};
}

SamplerOptions OptionsOfTheFake() {
  SamplerOptions options;
  options.ticks_per_us = 2000;
  options.tsc_step = 1;
  options.imul_latency = 3;
  return options;
}

// The keys of the rows in the order in which samples were taken, without the pilots.
std::vector<std::string> Turns(const FakeBackend& backend) {
  std::vector<std::string> keys;
  for (const Request& request : backend.requests)
    if (request.samples == kTurnSamples) keys.emplace_back(request.probe->key);
  return keys;
}

TEST(InterleaveTest, ContendersTakeTurnsForwardsAndBackwards) {
  FakeBackend backend;
  const std::vector<Contender> contenders = {
      {&backend, SupportedProbeOf("dep_add"), IRQCOST_THROUGHPUT},
      {&backend, SupportedProbeOf("nop"), IRQCOST_THROUGHPUT}};
  const auto blocks = Interleave(contenders, 2, OptionsOfTheFake());
  ASSERT_EQ(blocks.size(), 2U);
  ASSERT_EQ(blocks[0].size(), 2U);
  const std::vector<std::string> turns = Turns(backend);
  ASSERT_EQ(turns.size(), 2 * kBlockRounds * 4);
  for (std::size_t i = 0; i < turns.size(); i += 4)
    EXPECT_EQ(std::vector<std::string>(turns.begin() + static_cast<std::ptrdiff_t>(i),
                                       turns.begin() + static_cast<std::ptrdiff_t>(i) + 4),
              (std::vector<std::string>{"dep_add", "nop", "nop", "dep_add"}));
}

TEST(InterleaveTest, BlocksShareNoSample) {
  FakeBackend backend;
  const std::vector<Contender> contenders(
      2, {&backend, SupportedProbeOf("dep_add"), IRQCOST_THROUGHPUT});
  const auto blocks = Interleave(contenders, 3, OptionsOfTheFake());
  for (const auto& block : blocks)
    for (const Estimate& estimate : block) {
      EXPECT_EQ(estimate.samples, 2 * kBlockRounds * kTurnSamples);
      EXPECT_EQ(estimate.clean, estimate.samples);
      EXPECT_NEAR(*estimate.core_cycles, backend.ticks_per_op, 1e-9);
    }
}

TEST(InterleaveTest, WaitsForCleanSamplesOfAll) {
  FakeBackend backend;
  backend.contaminated_until = 1000;
  const std::vector<Contender> contenders(
      2, {&backend, SupportedProbeOf("dep_add"), IRQCOST_THROUGHPUT});
  const auto blocks = Interleave(contenders, 1, OptionsOfTheFake());
  for (const Estimate& estimate : blocks[0]) {
    EXPECT_GE(estimate.clean, kWantedClean);
    EXPECT_GT(estimate.samples, estimate.clean);
  }
}

TEST(InterleaveTest, GivesUpWaitingInTheEnd) {
  FakeBackend backend;
  backend.contaminated_until = 1'000'000'000;
  const std::vector<Contender> contenders(
      2, {&backend, SupportedProbeOf("dep_add"), IRQCOST_THROUGHPUT});
  const auto blocks = Interleave(contenders, 1, OptionsOfTheFake());
  EXPECT_EQ(blocks[0][0].clean, 0U);
  EXPECT_NE(blocks[0][0].label, kCleanLabel);
}

TEST(InterleaveTest, ANeighbourThroughoutABlockIsKnownByTheBlocksBefore) {
  FakeBackend backend;
  const std::vector<Contender> contenders(
      2, {&backend, SupportedProbeOf("dep_add"), IRQCOST_THROUGHPUT});
  backend.shared = 1.5;
  backend.shared_from = 300;  // of the 240 samples of a block, and the pilots before the first
  const auto blocks = Interleave(contenders, 4, OptionsOfTheFake());
  EXPECT_EQ(blocks[0][0].label, kCleanLabel);
  EXPECT_EQ(blocks[3][0].clean, 0U);
  EXPECT_EQ(blocks[3][1].clean, 0U);
}

TEST(InterleavedJsonTest, HasAListForEachBlock) {
  Estimate counted;
  counted.core_cycles = 30;
  counted.ticks = 23;
  counted.samples = 60;
  counted.clean = 50;
  counted.label = kCleanLabel;
  Estimate ticks_only;
  ticks_only.ticks = 4;
  const auto json = InterleavedJson({"a", "b"}, {{counted, ticks_only}});
  EXPECT_EQ(json["names"], nlohmann::json({"a", "b"}));
  ASSERT_EQ(json["blocks"].size(), 1U);
  EXPECT_EQ(json["blocks"][0][0]["core_cycles"], 30);
  EXPECT_EQ(json["blocks"][0][0]["clean"], 50);
  EXPECT_FALSE(json["blocks"][0][1].contains("core_cycles"));
  EXPECT_EQ(json["blocks"][0][1]["ticks"], 4);
}

}  // namespace
}  // namespace irqcost
