/* SPDX-License-Identifier: GPL-2.0-only */
// The parts of backend bpf that need no kernel.
#include <gtest/gtest.h>
#include <linux/capability.h>

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "backends/bpf/called.h"
#include "backends/bpf/derive.h"
#include "backends/bpf/live_code.h"
#include "backends/bpf/symbols.h"
#include "backends/bpf/unavailable.h"
#include "base/hex.h"
#include "base/sha256.h"

namespace irqcost {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes FromText(std::string_view text) { return {text.begin(), text.end()}; }

TEST(CalledFunctions, AreTheBpfNamesBeforeAParenthesis) {
  EXPECT_EQ(CalledFunctions("bpf_local_irq_save(&flags); bpf_local_irq_restore(&flags)"),
            (std::vector<std::string>{"bpf_local_irq_save", "bpf_local_irq_restore"}));
  EXPECT_EQ(CalledFunctions("if (!bpf_lock(&x->bpf_field)) bpf_unlock (&x)"),
            (std::vector<std::string>{"bpf_lock", "bpf_unlock"}));
  EXPECT_TRUE(CalledFunctions("").empty());
  EXPECT_TRUE(CalledFunctions("my_bpf_call()").empty());
}

TEST(CalledFunctions, EveryRowOfTheCatalogueHasSome) {
  int rows = 0;
  for (const Probe& probe : kCatalogue) {
    if (probe.kind != Kind::kBpf) {
      EXPECT_TRUE(CalledFunctions(probe.code).empty()) << probe.key;
      continue;
    }
    EXPECT_FALSE(CalledFunctions(probe.code).empty()) << probe.key;
    ++rows;
  }
  EXPECT_GT(rows, 0);
}

// Vectors of FIPS 180-4's examples (NIST).
TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(Sha256({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256(FromText("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256(FromText("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256(Bytes(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Hexadecimal, TwoDigitsAByte) { EXPECT_EQ(Hexadecimal(Bytes{0x00, 0x9c, 0xfa}), "009cfa"); }

TEST(KernelSymbols, EndWhereTheNextBegins) {
  std::istringstream lines(
      "ffffffff81000000 T _text\n"
      "ffffffff81000040 t twice\n"
      "ffffffff81000050 T alias\n"
      "ffffffff81000050 T f\n"
      "ffffffff81000058 D data\n"
      "ffffffff81000060 t twice\n"
      "ffffffff81000068 t bpf_prog_1\t[bpf]\n"
      "ffffffff81000070 t last\t[module]\n");
  const KernelSymbols symbols(lines);
  EXPECT_FALSE(symbols.Hidden());
  ASSERT_EQ(symbols.Find("f").size(), 1U);
  EXPECT_EQ(symbols.Find("f").front().address, 0xffffffff81000050U);
  EXPECT_EQ(symbols.Find("f").front().size, 0x10U);
  EXPECT_EQ(symbols.Find("twice").size(), 2U);
  EXPECT_EQ(symbols.Find("last").front().size, 0U);
  EXPECT_TRUE(symbols.Find("data").empty());
  EXPECT_TRUE(symbols.Find("bpf_prog_1").empty());
  EXPECT_EQ(symbols.At(0xffffffff81000050U), "alias");
  EXPECT_EQ(symbols.At(0xffffffff81000051U), "");
}

TEST(KernelSymbols, ZeroesAreHidden) {
  std::istringstream lines("0000000000000000 T _text\n0000000000000000 T f\n");
  EXPECT_TRUE(KernelSymbols(lines).Hidden());
}

TEST(MissingCapabilities, NamesWhatLacks) {
  constexpr std::uint64_t kBpf = std::uint64_t{1} << CAP_BPF;
  constexpr std::uint64_t kPerfmon = std::uint64_t{1} << CAP_PERFMON;
  EXPECT_EQ(MissingCapabilities(0), "CAP_BPF and CAP_PERFMON");
  EXPECT_EQ(MissingCapabilities(kBpf), "CAP_PERFMON");
  EXPECT_EQ(MissingCapabilities(kPerfmon), "CAP_BPF");
  EXPECT_EQ(MissingCapabilities(kBpf | kPerfmon), "");
  EXPECT_EQ(MissingCapabilities(std::uint64_t{1} << CAP_SYS_ADMIN), "");
}

const std::map<Return, CallPrice> kPrices = {{Return::kDirect, {"call", {4, 0.5}, 1}},
                                             {Return::kThunk, {"call_thunk", {7, 0.25}, 2}}};

TEST(WithoutCalls, TakesEachCallsPriceAway) {
  const std::vector returns = {Return::kThunk, Return::kThunk};
  const auto derived = WithoutCalls("pair", {36, 1}, returns, kPrices);
  ASSERT_TRUE(derived);
  EXPECT_DOUBLE_EQ(derived->core_cycles, 36 - 2 * 7);
  // Least: the row at its lowest, the calls at their most expensive.
  EXPECT_DOUBLE_EQ(derived->low, 35 - 2 * 7.25);
  // Most: the row at its highest, the calls at their cheapest, without their bodies.
  EXPECT_DOUBLE_EQ(derived->high, 37 - 2 * (7 - 0.25 - 2));
  EXPECT_EQ(derived->formula, "pair - 2 * call_thunk");
  EXPECT_EQ(derived->inputs, (std::map<std::string, double>{{"pair", 36}, {"call_thunk", 7}}));
}

TEST(WithoutCalls, PricesAnUncertainReturnBetweenBoth) {
  const std::vector returns = {Return::kDirect, Return::kEither};
  const auto derived = WithoutCalls("pair", {20, 0}, returns, kPrices);
  ASSERT_TRUE(derived);
  EXPECT_DOUBLE_EQ(derived->core_cycles, 20 - 4 - 5.5);
  EXPECT_DOUBLE_EQ(derived->low, 20 - 4.5 - 7.25);
  EXPECT_DOUBLE_EQ(derived->high, 20 - 2 * (4 - 0.5 - 1));
  EXPECT_EQ(derived->formula, "pair - 1 * call - 1 * (call + call_thunk) / 2");
  EXPECT_EQ(derived->inputs,
            (std::map<std::string, double>{{"pair", 20}, {"call", 4}, {"call_thunk", 7}}));
}

TEST(WithoutCalls, NeedsThePriceOfEachReturn) {
  const std::map<Return, CallPrice> direct = {*kPrices.begin()};
  EXPECT_TRUE(WithoutCalls("pair", {20, 0}, std::vector{Return::kDirect}, direct));
  EXPECT_FALSE(WithoutCalls("pair", {20, 0}, std::vector{Return::kThunk}, direct));
  EXPECT_FALSE(WithoutCalls("pair", {20, 0}, std::vector{Return::kEither}, direct));
  EXPECT_FALSE(WithoutCalls("pair", {20, 0}, std::vector{Return::kElsewhere}, direct));
}

}  // namespace
}  // namespace irqcost
