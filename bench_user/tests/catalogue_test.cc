/* SPDX-License-Identifier: GPL-2.0-only */
#include "catalogue.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace irqcost {
namespace {

// FNV-1a as its authors describe it, written anew.
std::uint64_t Fnv1a(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211U;
  }
  return hash;
}

TEST(Catalogue, HashIsFnv1aOfTheRows) {
  // Test vectors of the authors (http://www.isthe.com/chongo/tech/comp/fnv/).
  EXPECT_EQ(Fnv1a(""), 0xcbf29ce484222325U);
  EXPECT_EQ(Fnv1a("a"), 0xaf63dc4c8601ec8cU);
  EXPECT_EQ(Fnv1a("foobar"), 0x85944171f73967e8U);
  EXPECT_EQ(irqcost_catalogue_hash(), Fnv1a(irqcost_catalogue_text));
  EXPECT_TRUE(
      std::string_view(irqcost_catalogue_text).starts_with("insn|1|empty|control|ANY|IF_00||\n"));
}

TEST(Catalogue, IdsAndKeysAreUnique) {
  std::set<std::uint32_t> ids;
  std::set<std::string_view> keys;
  for (const Probe& probe : kCatalogue) {
    EXPECT_TRUE(ids.insert(probe.id).second) << probe.id;
    EXPECT_TRUE(keys.insert(probe.key).second) << probe.key;
    EXPECT_EQ(FindProbe(probe.id), &probe);
    EXPECT_EQ(FindProbe(probe.key), &probe);
  }
  EXPECT_EQ(FindProbe("no such row"), nullptr);
  EXPECT_EQ(FindProbe(0U), nullptr);
}

TEST(Catalogue, RowsThatChangeTheFlagHaveALatencyOnly) {
  EXPECT_EQ(Ring0Modes(*FindProbe("cli_clearing")), std::vector{IRQCOST_LATENCY});
  EXPECT_EQ(Ring0Modes(*FindProbe("sti_setting")), std::vector{IRQCOST_LATENCY});
  EXPECT_EQ(Ring0Modes(*FindProbe("cli_sti")), (std::vector{IRQCOST_THROUGHPUT, IRQCOST_LATENCY}));
}

}  // namespace
}  // namespace irqcost
