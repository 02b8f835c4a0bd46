/* SPDX-License-Identifier: GPL-2.0-only */
#include <gtest/gtest.h>

#include "base/usage_error.h"
#include "fake_backend.h"
#include "run/bench.h"
#include "run/options.h"

namespace irqcost {
namespace {

class SelectTest : public testing::Test {
 protected:
  void SetUp() override {
    auto fake = std::make_unique<FakeBackend>();
    fake->probes = {{FindProbe("popf"), {IRQCOST_THROUGHPUT, IRQCOST_ISOLATED}, 4, 64, ""},
                    {FindProbe("cli"), {IRQCOST_THROUGHPUT, IRQCOST_ISOLATED}, 4, 16, ""},
                    {FindProbe("rdtscp"), {IRQCOST_ISOLATED}, 4, 64, "the CPU has no RDTSCP"}};
    backends_.push_back(std::move(fake));
  }

  std::vector<std::string> Names(const std::string& filter) {
    std::vector<std::string> names;
    for (const Benchmark& bench : Select(backends_, filter, {}).benchmarks)
      names.push_back(bench.name);
    return names;
  }

  std::vector<std::unique_ptr<Backend>> backends_;
};

using NameList = std::vector<std::string>;

TEST_F(SelectTest, NothingAndAllSelectEverythingUsable) {
  const NameList all = {"fake/popf/throughput", "fake/popf/isolated", "fake/cli/throughput",
                        "fake/cli/isolated"};
  EXPECT_EQ(Names(""), all);
  EXPECT_EQ(Names("all"), all);
}

TEST_F(SelectTest, FilterSeesTheBareName) {
  EXPECT_EQ(Names("^fake/popf/throughput$"), NameList{"fake/popf/throughput"});
  EXPECT_EQ(Names("cli/(isolated|throughput)"),
            (NameList{"fake/cli/throughput", "fake/cli/isolated"}));
  EXPECT_EQ(Names("-isolated$"), (NameList{"fake/popf/throughput", "fake/cli/throughput"}));
  EXPECT_EQ(Names("nothing"), NameList{});
}

TEST_F(SelectTest, InSituIsNamedByItsSection) {
  auto fake = std::make_unique<FakeBackend>();
  fake->probes = {{FindProbe("pushf_popf"), RepeatableModes(*FindProbe("pushf_popf")), 4, 64, ""}};
  backends_.clear();
  backends_.push_back(std::move(fake));
  EXPECT_EQ(Names("in_situ"),
            (NameList{"fake/pushf_popf/in_situ/0", "fake/pushf_popf/in_situ/20",
                      "fake/pushf_popf/in_situ/100", "fake/pushf_popf/in_situ/500"}));
}

TEST_F(SelectTest, UnusableRowsAreAbsentWithTheirReason) {
  const Selection selection = Select(backends_, "", {});
  ASSERT_EQ(selection.results.absent.size(), 1U);
  EXPECT_EQ(selection.results.absent[0].name, "fake/rdtscp/isolated");
  EXPECT_EQ(selection.results.absent[0].reason, "the CPU has no RDTSCP");
  EXPECT_TRUE(Select(backends_, "popf", {}).results.absent.empty());
}

TEST_F(SelectTest, RowsWithoutTheUnrollFactorAreAbsent) {
  const Selection selection = Select(backends_, "cli", 32);
  ASSERT_EQ(selection.results.absent.size(), 1U);
  EXPECT_EQ(selection.results.absent[0].name, "fake/cli/throughput");
  EXPECT_EQ(selection.benchmarks.size(), 1U);
}

TEST_F(SelectTest, RefusesABrokenExpression) {
  EXPECT_THROW(Select(backends_, "(", {}), UsageError);
}

}  // namespace
}  // namespace irqcost
