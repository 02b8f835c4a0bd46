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
    fake->probes = {
        {FindProbe("dep_add"), {IRQCOST_THROUGHPUT, IRQCOST_ISOLATED}, 4, 64, ""},
        {FindProbe("dep_xor"), {IRQCOST_THROUGHPUT, IRQCOST_ISOLATED}, 4, 16, ""},
        {FindProbe("zero_idiom"), {IRQCOST_ISOLATED}, 4, 64, "the CPU has no such instruction"}};
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
  const NameList all = {"fake/dep_add/throughput", "fake/dep_add/isolated",
                        "fake/dep_xor/throughput", "fake/dep_xor/isolated"};
  EXPECT_EQ(Names(""), all);
  EXPECT_EQ(Names("all"), all);
}

TEST_F(SelectTest, FilterSeesTheBareName) {
  EXPECT_EQ(Names("^fake/dep_add/throughput$"), NameList{"fake/dep_add/throughput"});
  EXPECT_EQ(Names("dep_xor/(isolated|throughput)"),
            (NameList{"fake/dep_xor/throughput", "fake/dep_xor/isolated"}));
  EXPECT_EQ(Names("-isolated$"), (NameList{"fake/dep_add/throughput", "fake/dep_xor/throughput"}));
  EXPECT_EQ(Names("nothing"), NameList{});
}

TEST_F(SelectTest, InSituIsNamedByItsSection) {
  auto fake = std::make_unique<FakeBackend>();
  fake->probes = {{FindProbe("spin_lock_irqsave"), RepeatableModes(*FindProbe("spin_lock_irqsave")),
                   4, 64, ""}};
  backends_.clear();
  backends_.push_back(std::move(fake));
  EXPECT_EQ(Names("in_situ"),
            (NameList{"fake/spin_lock_irqsave/in_situ/0", "fake/spin_lock_irqsave/in_situ/20",
                      "fake/spin_lock_irqsave/in_situ/100", "fake/spin_lock_irqsave/in_situ/500"}));
}

TEST_F(SelectTest, UnusableRowsAreAbsentWithTheirReason) {
  const Selection selection = Select(backends_, "", {});
  ASSERT_EQ(selection.results.absent.size(), 1U);
  EXPECT_EQ(selection.results.absent[0].name, "fake/zero_idiom/isolated");
  EXPECT_EQ(selection.results.absent[0].reason, "the CPU has no such instruction");
  EXPECT_TRUE(Select(backends_, "dep_add", {}).results.absent.empty());
}

TEST_F(SelectTest, RowsWithoutTheUnrollFactorAreAbsent) {
  const Selection selection = Select(backends_, "dep_xor", 32);
  ASSERT_EQ(selection.results.absent.size(), 1U);
  EXPECT_EQ(selection.results.absent[0].name, "fake/dep_xor/throughput");
  EXPECT_EQ(selection.benchmarks.size(), 1U);
}

TEST_F(SelectTest, RefusesABrokenExpression) {
  EXPECT_THROW(Select(backends_, "(", {}), UsageError);
}

}  // namespace
}  // namespace irqcost
