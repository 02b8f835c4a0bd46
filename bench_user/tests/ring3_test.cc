/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/ring3/ring3.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <system_error>

#include "backends/kmod/kmod.h"
#include "backends/windows.h"
#include "base/affinity.h"
#include "measure/estimate.h"

namespace irqcost {
namespace {

TEST(Ring3, SupportsTheRowsOfUserModeInTheirModes) {
  const std::vector<SupportedProbe> probes = Ring3().SupportedProbes();
  for (const SupportedProbe& supported : probes) {
    EXPECT_TRUE(supported.probe->where & IRQCOST_RING3) << supported.probe->key;
    EXPECT_EQ(supported.modes, RepeatableModes(*supported.probe)) << supported.probe->key;
  }
  EXPECT_EQ(probes.size(), static_cast<std::size_t>(std::count_if(
                               kCatalogue.begin(), kCatalogue.end(),
                               [](const Probe& p) { return (p.where & IRQCOST_RING3) != 0; })));
}

// Every row runs, comes back, and leaves a sample in which time has passed: in what is long enough
// for any clock.
TEST(Ring3, MeasuresEveryRowInEveryMode) {
  const int cpu = AllowedCpus().front();
  Ring3 ring3;
  for (const SupportedProbe& supported : ring3.SupportedProbes()) {
    if (!supported.unusable.empty()) continue;
    for (const Mode mode : supported.modes) {
      const unsigned unroll = mode == IRQCOST_THROUGHPUT ? supported.min_unroll : 0;
      const irqcost::Run run =
          ring3.Measure({supported.probe, mode, cpu, unroll, {50, 1000, 1000}, 5});
      EXPECT_EQ(run.ops, mode == IRQCOST_THROUGHPUT ? 200U : 50U) << supported.probe->key;
      ASSERT_EQ(run.samples.size(), 5U);
      EXPECT_FALSE(run.longest_irqs_off);
      for (const irqcost_sample& sample : run.samples) {
        EXPECT_GT(sample.start, 0U);
        EXPECT_GT(sample.chain_body, 0U);
        EXPECT_GT(sample.sensor, 0U);
        EXPECT_EQ(sample.interrupts, 0U);
      }
    }
  }
  EXPECT_EQ(AllowedCpus(), std::vector{cpu});
}

// Seven cycles at each reading.
class FakeCycles final : public CycleCounter {
 public:
  std::optional<std::uint64_t> Read() override {
    if (readings_ == most) return std::nullopt;
    return 7 * ++readings_;
  }
  unsigned most = ~0U;

 private:
  unsigned readings_ = 0;
};

TEST(Ring3, CountsCyclesAroundAllWindows) {
  auto fake = std::make_unique<FakeCycles>();
  fake->most = 4;  // two samples; then another event has the counter
  Ring3 ring3({std::move(fake), {}});
  EXPECT_EQ(ring3.GetCounter().name, "perf");
  const int cpu = AllowedCpus().front();
  const irqcost::Run run =
      ring3.Measure({FindProbe("nop"), IRQCOST_THROUGHPUT, cpu, 4, {3, 2, 2}, 3});
  for (const std::size_t i : {0U, 1U}) {
    const irqcost_sample& s = run.samples[i];
    EXPECT_EQ(s.span_cycles, 7U);
    EXPECT_GE(s.span_ticks, s.chain_base + s.chain_body + s.sensor + s.base + s.body);
    EXPECT_EQ(s.span_mperf, 0U);
  }
  EXPECT_EQ(run.samples[2].span_ticks, 0U);
}

TEST(Ring3, SaysWhyItCountsNoCycles) {
  const Ring3 ring3({nullptr, "not here"});
  EXPECT_EQ(ring3.GetCounter().name, "");
  EXPECT_EQ(ring3.GetCounter().reason, "not here");
}

// A counter of 48 bits at -5 after an offset of 1000, as the kernel sets it up.
TEST(CycleCounter, ReadsThroughThePage) {
  perf_event_mmap_page page{};
  page.index = 3;
  page.offset = 1000;
  page.pmc_width = 48;
  unsigned asked = 0;
  const auto rdpmc = [&asked](unsigned index) {
    asked = index;
    return (std::uint64_t{1} << 48) - 5;
  };
  EXPECT_EQ(ReadThroughPage(page, rdpmc), 995U);
  EXPECT_EQ(asked, 2U);
  EXPECT_EQ(ReadThroughPage(page, [](unsigned) { return std::uint64_t{17}; }), 1017U);
  // One that no instruction reads is no count of 0.
  EXPECT_EQ(ReadThroughPage(page, [](unsigned) { return std::nullopt; }), std::nullopt);
  page.index = 0;
  EXPECT_EQ(ReadThroughPage(page, rdpmc), std::nullopt);
}

TEST(CycleCounter, ReadsAgainWhenTheKernelWroteMeanwhile) {
  perf_event_mmap_page page{};
  page.index = 1;
  page.offset = 10;
  page.pmc_width = 48;
  int calls = 0;
  const auto rdpmc = [&](unsigned) {
    if (++calls == 1) {
      page.lock += 2;
      page.offset = 20;
    }
    return std::uint64_t{1};
  };
  EXPECT_EQ(ReadThroughPage(page, rdpmc), 21U);
  EXPECT_EQ(calls, 2);
}

TEST(Ring3, SaysWhichCpuItCannotHave) {
  Ring3 ring3;
  EXPECT_THROW(ring3.Measure({FindProbe("nop"), IRQCOST_ISOLATED, 65535, 0, {}, 1}),
               std::system_error);
}

TEST(Kmod, AdvisesWhatThisKernelCanFollow) {
  const auto advice = [](int error, bool loads_modules) {
    return CannotOpen("/dev/irqcost", error, loads_modules).remedy;
  };
  EXPECT_NE(advice(ENOENT, true).find("insmod"), std::string::npos);
  EXPECT_NE(advice(ENOENT, false).find("loads no modules"), std::string::npos);
  EXPECT_EQ(advice(EACCES, false).find("loads no modules"), std::string::npos);
}

TEST(Kmod, SaysWhyItCannotRun) {
  const Kmod missing("/no/such/device");
  ASSERT_TRUE(missing.WhyUnavailable());
  EXPECT_NE(missing.WhyUnavailable()->reason.find("/no/such/device"), std::string::npos);
  EXPECT_TRUE(missing.SupportedProbes().empty());
  EXPECT_FALSE(missing.GetKernelFacts());

  const Kmod other("/dev/null");
  ASSERT_TRUE(other.WhyUnavailable());
  EXPECT_NE(other.WhyUnavailable()->reason.find("INFO failed"), std::string::npos);
}

}  // namespace
}  // namespace irqcost
