/* SPDX-License-Identifier: GPL-2.0-only */
#include "run/options.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/usage_error.h"

namespace irqcost {
namespace {

TEST(Options, TakesItsOwnAndHandsOnTheRest) {
  const Options o =
      ParseOptions({"--irqcost_cpu=3", "--irqcost_samples=65536", "--irqcost_unroll=16",
                    "--irqcost_backends=kmod,ring3,kmod", "--benchmark_filter=-popf",
                    "--benchmark_repetitions=3", "--benchmark_out=x.json"});
  EXPECT_EQ(o.cpu, 3);
  EXPECT_EQ(o.samples, 65536U);
  EXPECT_EQ(o.unroll, 16U);
  EXPECT_EQ(o.backends, (std::vector<std::string>{"kmod", "ring3"}));
  EXPECT_EQ(o.filter, "-popf");
  EXPECT_EQ(o.out, "x.json");
  EXPECT_EQ(o.library_arguments, std::vector<std::string>{"--benchmark_repetitions=3"});
}

TEST(Options, TakesLevelsByBackendAndATime) {
  const Options o = ParseOptions({"--irqcost_sensor_level=ring3:0.172,bpf:0.25",
                                  "--irqcost_time=0.5", "--irqcost_keep_samples"});
  EXPECT_EQ(o.sensor_levels, (std::map<std::string, double>{{"ring3", 0.172}, {"bpf", 0.25}}));
  EXPECT_EQ(o.seconds, 0.5);
  EXPECT_EQ(o.target.percent, 0.2);
  const Target target = ParseOptions({"--irqcost_target=0.5,1"}).target;
  EXPECT_EQ(target.percent, 0.5);
  EXPECT_EQ(target.cycles, 1);
  EXPECT_TRUE(o.keep_samples);
}

TEST(Options, TakesContexts) {
  EXPECT_EQ(ParseOptions({}).backend.contexts, std::vector{IRQCOST_PROCESS});
  EXPECT_EQ(ParseOptions({"--irqcost_contexts=timer,softirq,timer"}).backend.contexts,
            (std::vector{IRQCOST_TIMER, IRQCOST_SOFTIRQ}));
}

TEST(Options, OldNamesWorkWithANote) {
  const Options o = ParseOptions({"--irqcost_waits"});
  EXPECT_TRUE(o.contention);
  EXPECT_EQ(o.notes,
            std::vector<std::string>{"--irqcost_waits is called --irqcost_contention now"});
  EXPECT_EQ(ParseOptions({"--irqcost_text=a,b"}).machine_code,
            (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(ParseOptions({"--irqcost_contention"}).notes.empty());
}

TEST(Options, BooleanFlagsStandAlone) {
  EXPECT_TRUE(ParseOptions({"--benchmark_list_tests"}).list_tests);
  EXPECT_TRUE(ParseOptions({"--benchmark_list_tests=true"}).list_tests);
  EXPECT_FALSE(ParseOptions({"--benchmark_list_tests=false"}).list_tests);
}

TEST(Options, ReadsTheEnvironmentAsTheLibraryDoes) {
  ASSERT_EQ(setenv("BENCHMARK_FILTER", "popf", 1), 0);
  EXPECT_EQ(ParseOptions({}).filter, "popf");
  EXPECT_EQ(ParseOptions({"--benchmark_filter=sahf"}).filter, "sahf");
  unsetenv("BENCHMARK_FILTER");
}

class BadOption : public testing::TestWithParam<const char*> {};

TEST_P(BadOption, IsRefusedWithItsName) {
  const std::string argument = GetParam();
  try {
    ParseOptions({argument});
    FAIL() << argument << " was taken";
  } catch (const UsageError& error) {
    const std::string name = argument.substr(0, argument.find('='));
    EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, BadOption,
    testing::Values("--irqcost_cpu=-1", "--irqcost_cpu=", "--irqcost_cpu=1x", "--irqcost_cpu",
                    "--irqcost_cpu=99999999999", "--irqcost_samples=0", "--irqcost_samples=65537",
                    "--irqcost_samples=18446744073709551616", "--irqcost_unroll=2",
                    "--irqcost_unroll=128", "--irqcost_unroll=24",
                    "--irqcost_backends=", "--irqcost_backends=ring3,", "--irqcost_backends=ring0",
                    "--irqcost_device=", "--irqcost_contexts=", "--irqcost_contexts=nmi",
                    "--irqcost_smaples=3", "--irqcost_target=0.2", "--irqcost_target=0,1",
                    "--irqcost_time=-1", "--irqcost_time=nan", "--irqcost_sensor_level=ring3",
                    "--irqcost_sensor_level=ring0:0.2", "--irqcost_sensor_level=bpf:0",
                    "--benchmark_format=xml", "--benchmark_out_format=", "--benchmark_min_time=1",
                    "--benchmark_min_warmup_time=1", "--benchmark_list_tests=perhaps",
                    "--benchmark_color=blue"));

}  // namespace
}  // namespace irqcost
