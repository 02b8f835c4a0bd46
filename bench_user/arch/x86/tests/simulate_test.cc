/* SPDX-License-Identifier: GPL-2.0-only */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "base/usage_error.h"
#include "measure/sampler.h"
#include "run/options.h"
#include "simulate/backend.h"
#include "simulate/costs.h"
#include "simulate/description.h"
#include "simulate/events.h"

namespace irqcost::simulate {
namespace {

Description Parsed(const std::string& text) {
  return ParseDescription(R"({"name": "x")" + (text.empty() ? "" : ", " + text) + "}", "x.json");
}

std::string WhyRefused(const std::string& text) {
  try {
    Parsed(text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

// A core without noise, whose cycle is a tick of 1 ns and whose TSC has the finest step.
constexpr const char* kPlain =
    R"("core": {"noise_percent": 0, "jitter_cycles": 0, "process_percent": 0, "dep_imul": 5},
       "clock": {"tsc_mhz": 1000, "core_mhz": 1000})";

Run Measured(const Description& d, const std::string& key, Mode mode, const Loops& loops,
             std::size_t samples, const std::string& backend = "ring3", double start_s = 0) {
  Timeline timeline(d, start_s, 0);
  const auto made = MakeBackend(backend, true, d, 0, timeline, {IRQCOST_PROCESS});
  const unsigned unroll = mode.kind == IRQCOST_THROUGHPUT ? 16 : 0;
  return made->Measure({FindProbe(key), mode, 0, unroll, loops, samples});
}

double Sum(const Run& run, __u64 irqcost_sample::*window) {
  double sum = 0;
  for (const irqcost_sample& sample : run.samples) sum += static_cast<double>(sample.*window);
  return sum / static_cast<double>(run.samples.size());
}

TEST(SimulateDescription, NamesWhatIsWrong) {
  EXPECT_TRUE(
      WhyRefused(R"("core": {"dep_imull": 3})")
          .starts_with(
              "x.json: core.dep_imull is not a field; the fields here are dep_add, dep_xor"));
  EXPECT_EQ(WhyRefused(R"("core": {"dep_imul": "3"})"),
            "x.json: core.dep_imul must be a number from 0.001 to 100");
  EXPECT_EQ(WhyRefused(R"("core": {"dep_imul": 101})"),
            "x.json: core.dep_imul must be a number from 0.001 to 100");
  EXPECT_EQ(WhyRefused(R"("core": 3)"), "x.json: core: must be a JSON object");
  EXPECT_EQ(WhyRefused(R"("rows": {"pushq": 3})"), "x.json: rows.pushq is no row of the catalogue");
  EXPECT_EQ(WhyRefused(R"("rows": {"nop": 3})"),
            "x.json: rows.nop is given by `core`, or is nothing");
  EXPECT_EQ(WhyRefused(R"("rows": {"zero_idiom": 3})"),
            "x.json: rows.zero_idiom is given by `core`, or is nothing");
  EXPECT_EQ(WhyRefused(R"("rows": {"popf": "3"})"),
            "x.json: rows.popf must be a number, an object or null");
  EXPECT_EQ(WhyRefused(R"("backends": ["kvm"])"),
            "x.json: backends must be a list of some of ring3, kmod, bpf");
  EXPECT_EQ(WhyRefused(R"("interrupts": {"every_s": 0.001})"),
            "x.json: interrupts.us must be above 0 and at most half of every_s");
  EXPECT_EQ(
      WhyRefused(R"("neighbour": {})"),
      "x.json: neighbour never comes: give always or every_s, or smt for a thread of our own");
  EXPECT_EQ(WhyRefused(R"("neighbour": {"always": true, "every_s": 1, "lasts_s": 0.1})"),
            "x.json: neighbour.always and every_s: only one of the two can be");
  EXPECT_EQ(WhyRefused(R"("clock": {"invariant": 1})"),
            "x.json: clock.invariant must be true or false");
  EXPECT_EQ(WhyRefused(R"("emulator": "instruction-counting", "steal": {"every_s": 1, "us": 1})"),
            "x.json: emulator counts instructions: nothing can happen to its clock");
  EXPECT_EQ(WhyRefused(R"("seed": -1)"), "x.json: seed must be a number from 0 to 9.0072e+15");
  EXPECT_EQ(WhyRefused(""), "accepted");
  EXPECT_THROW(ParseDescription("{", "x.json"), UsageError);
  EXPECT_THROW(ParseDescription("{}", "x.json"), UsageError);
  EXPECT_THROW(ReadDescription("/nonexistent/x.json"), UsageError);
}

TEST(SimulateCosts, FollowTheRuleWhereTheFileHasNone) {
  const Description d = Parsed(
      R"("rule": {"instruction": 2, "call": 30, "isolated": 3, "in_situ": 0.5},
         "rows": {"popf": 9, "lahf": {"isolated": 7}, "rdtscp": null,
                  "pushf_popf": {"in_situ": {"20": 1.5}}})");
  const auto cost = [&d](std::string_view key, Mode mode) {
    return TrueCost(d, *FindProbe(key), mode);
  };
  EXPECT_EQ(cost("pushf_pop_push_popf", IRQCOST_THROUGHPUT), 8);  // the marker is no instruction
  EXPECT_EQ(cost("pushf_pop_push_popf", IRQCOST_ISOLATED), 24);
  EXPECT_EQ(cost("pushf_pop_push_popf", {IRQCOST_IN_SITU, 100}), 4);
  EXPECT_EQ(cost("pushf_popf", {IRQCOST_IN_SITU, 20}), 1.5);
  EXPECT_EQ(cost("popf", IRQCOST_THROUGHPUT), 9);
  EXPECT_EQ(cost("popf", IRQCOST_ISOLATED), 27);
  EXPECT_EQ(cost("lahf", IRQCOST_THROUGHPUT), 2);
  EXPECT_EQ(cost("lahf", IRQCOST_ISOLATED), 7);
  EXPECT_EQ(cost("irq_save_restore", IRQCOST_THROUGHPUT), 60);
  EXPECT_EQ(cost("empty", IRQCOST_THROUGHPUT), 0);
  EXPECT_TRUE(IsMissing(d, *FindProbe("rdtscp")));
  EXPECT_FALSE(IsMissing(d, *FindProbe("popf")));
}

TEST(SimulateBackend, WindowsTakeWhatTheCoreMakesOfThem) {
  const Description d = Parsed(std::string(kPlain) + R"(, "rows": {"popf": 9})");
  const auto run = Measured(d, "popf", IRQCOST_THROUGHPUT, {10, 7, 3}, 4);
  EXPECT_EQ(run.ops, 160U);
  for (const irqcost_sample& sample : run.samples) {
    EXPECT_EQ(sample.body - sample.base, 160U * 9);
    EXPECT_EQ(sample.chain_body - sample.chain_base, 7U * 32 * 5);
    EXPECT_EQ(sample.sensor, 40 + 3 * (32 + 1));
    EXPECT_EQ(sample.flags, 0U);
  }
  const auto section = Measured(d, "pushf_popf", {IRQCOST_IN_SITU, 20}, {10, 1, 1}, 1);
  EXPECT_EQ(section.samples[0].base, 40U + 10 * 21);
  EXPECT_EQ(section.samples[0].body - section.samples[0].base, 10U * 8);
}

TEST(SimulateBackend, TheTscAdvancesInSteps) {
  const Description d = Parsed(
      R"("core": {"dep_imul": 5}, "clock": {"tsc_mhz": 2450, "core_mhz": 3000, "step_ticks": 24.5})");
  const auto run = Measured(d, "popf", IRQCOST_ISOLATED, {400, 100, 100}, 100);
  for (const irqcost_sample& sample : run.samples) {
    const double steps = static_cast<double>(sample.chain_body) / 24.5;
    EXPECT_NEAR(steps, std::round(steps), 1 / 24.5);
  }
  // Rounding averages out over the phases of hundreds of single windows.
  const double cost = TrueCost(d, *FindProbe("popf"), IRQCOST_ISOLATED);
  EXPECT_NEAR(
      (Sum(run, &irqcost_sample::body) - Sum(run, &irqcost_sample::base)) / 400 * 3000 / 2450, cost,
      0.1);
}

TEST(SimulateBackend, ManySingleWindowsAreTheSumOfThemOneByOne) {
  const Description quiet = Parsed(R"("clock": {"tsc_mhz": 2000, "step_ticks": 20})");
  // An interruption that never comes to pass within the run, but soon enough to be looked for.
  const Description watched = Parsed(
      R"("clock": {"tsc_mhz": 2000, "step_ticks": 20}, "steal": {"every_s": 1e-5, "us": 1e-6})");
  const auto together = Measured(quiet, "popf", IRQCOST_ISOLATED, {400, 1, 1}, 200);
  const auto singly = Measured(watched, "popf", IRQCOST_ISOLATED, {400, 1, 1}, 200);
  for (const auto window : {&irqcost_sample::base, &irqcost_sample::body})
    EXPECT_NEAR(Sum(together, window) / Sum(singly, window), 1, 0.005);
}

TEST(SimulateBackend, ANeighbourTakesItsShareOfEachKind) {
  const Description d = Parsed(std::string(kPlain) + R"(, "neighbour": {"always": true,
      "spread": 0, "wander": 0, "shares": {"nop": 0.5, "popf": 1, "other": 0}})");
  const auto run = Measured(d, "popf", IRQCOST_THROUGHPUT, {100, 100, 100}, 1);
  const irqcost_sample& sample = run.samples[0];
  EXPECT_EQ(sample.chain_body - sample.chain_base, 100U * 32 * 5);
  EXPECT_EQ(sample.sensor, 40U + 100 * (48 + 1));
  EXPECT_EQ(sample.body - sample.base, 2 * 1600U * 8);
}

TEST(SimulateBackend, OnlyTheKernelSeesAnInterruptThatLetsTheTaskGoOn) {
  const std::string often = R"("interrupts": {"every_s": 0.0001, "us": 20, "preempts": 0.5})";
  const auto flags = [&](const std::string& backend) {
    unsigned all = 0;
    for (const irqcost_sample& s :
         Measured(Parsed(often), "dep_add", IRQCOST_THROUGHPUT, {500, 100, 100}, 50, backend)
             .samples)
      all |= s.flags;
    return all;
  };
  EXPECT_EQ(flags("ring3"), unsigned{IRQCOST_SAMPLE_PREEMPTED});
  EXPECT_EQ(flags("kmod"), unsigned{IRQCOST_SAMPLE_PREEMPTED | IRQCOST_SAMPLE_INTERRUPTED});
  const Description stolen = Parsed(R"("steal": {"every_s": 0.001, "us": 400})");
  const auto run = Measured(stolen, "dep_add", IRQCOST_THROUGHPUT, {500, 100, 100}, 200);
  const bool seen = std::any_of(run.samples.begin(), run.samples.end(),
                                [](const irqcost_sample& s) { return s.flags != 0; });
  const bool long_one = std::any_of(run.samples.begin(), run.samples.end(),
                                    [](const irqcost_sample& s) { return s.body > 400'000; });
  EXPECT_FALSE(seen);
  EXPECT_TRUE(long_one);
}

TEST(SimulateBackend, BpfCountsNanosecondsAndItsSensorTicks) {
  const Description d = Parsed(R"("core": {"noise_percent": 0, "jitter_cycles": 0, "dep_imul": 5},
      "clock": {"tsc_mhz": 2000, "core_mhz": 1000})");
  const auto run = Measured(d, "irq_save_restore", IRQCOST_THROUGHPUT, {10, 10, 10}, 8, "bpf");
  for (const irqcost_sample& sample : run.samples) {
    EXPECT_EQ(sample.chain_body - sample.chain_base, 10U * 32 * 5);
    EXPECT_EQ(sample.sensor, 2U * (40 + 10 * (32 + 1)));
  }
}

TEST(SimulateBackend, TheClockMovesAsDescribed) {
  const Description d = Parsed(R"("core": {"noise_percent": 0, "jitter_cycles": 0},
      "clock": {"tsc_mhz": 1000, "core_mhz": 1000},
      "frequency": {"drift_percent": 2, "drift_s": 4, "ramp_percent": 50, "ramp_s": 0.5})");
  const auto ghz = [&d](double start_s) {
    const auto run = Measured(d, "dep_add", IRQCOST_THROUGHPUT, {1, 100, 1}, 1, "ring3", start_s);
    return 9600 / static_cast<double>(run.samples[0].chain_body - run.samples[0].chain_base);
  };
  EXPECT_NEAR(ghz(0), 0.5, 0.001);
  EXPECT_NEAR(ghz(1), 1.01, 0.001);
  EXPECT_NEAR(ghz(3), 0.99, 0.001);
}

TEST(SimulateEvents, AreTheSameFromWhereverTheyAreSeen) {
  const Schedule schedule({1.0, 0.3}, 7);
  double there = 0, total = 0;
  for (double ns = 0; ns < 100e9; ns = PresenceAt(schedule, ns).until) {
    const Presence now = PresenceAt(schedule, ns);
    ASSERT_GT(now.until, ns);
    const double middle = (ns + now.until) / 2;
    EXPECT_EQ(PresenceAt(schedule, middle).there, now.there);
    EXPECT_EQ(PresenceAt(schedule, middle).until, now.until);
    (now.there ? there : total) += now.until - ns;
  }
  EXPECT_NEAR(there / (there + total), 0.3, 0.03);
  EXPECT_FALSE(PresenceAt(Schedule({0, 0}, 7), 5e9).there);
}

TEST(SimulateBackend, TheSameSeedIsTheSameRun) {
  const std::string text = R"("neighbour": {"every_s": 0.01, "lasts_s": 0.002}, "seed": )";
  const auto bodies = [&](const std::string& seed) {
    std::vector<std::uint64_t> found;
    for (const irqcost_sample& s :
         Measured(Parsed(text + seed), "popf", IRQCOST_ISOLATED, {100, 100, 100}, 300).samples)
      found.push_back(s.body);
    return found;
  };
  EXPECT_EQ(bodies("1"), bodies("1"));
  EXPECT_NE(bodies("1"), bodies("2"));
}

}  // namespace
}  // namespace irqcost::simulate
