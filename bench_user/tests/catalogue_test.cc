/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/catalogue.h"

#include <gtest/gtest.h>

#include <algorithm>
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
  std::string text;
  for (const char* row : irqcost_catalogue_text) text += row;
  EXPECT_EQ(irqcost_catalogue_hash(), Fnv1a(text));
  EXPECT_TRUE(text.starts_with("insn|1|empty|control|ANY"));
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
  int changing = 0;
  for (const Probe& probe : kCatalogue) {
    if (probe.kind != Kind::kInstruction || IRQCOST_REPEATABLE(probe.irqs)) continue;
    ++changing;
    EXPECT_EQ(Ring0Modes(probe), std::vector<Mode>{IRQCOST_ISOLATED}) << probe.key;
    EXPECT_TRUE(KernelModes(probe, IRQCOST_SOFTIRQ).empty()) << probe.key;
  }
  EXPECT_GT(changing, 0);
  EXPECT_EQ(Ring0Modes(*FindProbe("nop")),
            (std::vector<Mode>{IRQCOST_THROUGHPUT, IRQCOST_ISOLATED}));
}

TEST(Catalogue, OtherContextsHaveAThroughputOnly) {
  const Mode softirq(IRQCOST_THROUGHPUT, 0, IRQCOST_SOFTIRQ);
  EXPECT_EQ(KernelModes(*FindProbe("nop"), IRQCOST_SOFTIRQ), std::vector{softirq});
}

// A row of instructions that encloses a section.
const Probe& AnyPair() {
  return *std::find_if(kCatalogue.begin(), kCatalogue.end(), [](const Probe& probe) {
    return probe.kind == Kind::kInstruction &&
           probe.code.find(IRQCOST_SECTION_MARKER) != std::string_view::npos;
  });
}

TEST(Catalogue, DataOfACpuAreInRing0Alone) {
  const std::vector<Mode> ring3 = RepeatableModes(AnyPair());
  const std::vector<Mode> ring0 = KernelModes(AnyPair(), IRQCOST_PROCESS);
  EXPECT_EQ(std::count(ring3.begin(), ring3.end(), Mode(IRQCOST_IN_SITU_PERCPU)), 0);
  EXPECT_EQ(std::count(ring0.begin(), ring0.end(), Mode(IRQCOST_IN_SITU_PERCPU)), 1);
}

std::vector<unsigned> Sections(const Probe& probe) {
  std::vector<unsigned> sections;
  for (const Mode mode : Ring0Modes(probe))
    if (mode.kind == IRQCOST_IN_SITU) sections.push_back(mode.section);
  return sections;
}

// A row says by its marker that it encloses a critical section.
TEST(Catalogue, PairsHaveAnInSituMode) {
  const std::vector<unsigned> all = {0, 20, 100, 500};
  for (const Probe& probe : kCatalogue) {
    const bool marked = probe.code.find("irqcost_section") != std::string_view::npos;
    EXPECT_EQ(Sections(probe), marked ? all : std::vector<unsigned>{}) << probe.key;
  }
  for (const char* pair :
       {"spin_lock_irqsave", "local_irq_save_restore", "preempt_disable_enable", "mutex_lock"})
    EXPECT_EQ(Sections(*FindProbe(pair)), all) << pair;
  for (const char* alone : {"nop", "local_save_flags"})
    EXPECT_TRUE(Sections(*FindProbe(alone)).empty()) << alone;
}

// A lock's half without the other, or a section outside of what masks, would be a marker astray.
TEST(Catalogue, ALockOrMaskHasItsSectionMarked) {
  for (const Probe& probe : kCatalogue) {
    const std::string_view key = probe.key;
    const bool encloses = key.starts_with("spin_lock") || key.starts_with("raw_spin_lock") ||
                          key.starts_with("local_irq_save_restore");
    if (encloses) {
      EXPECT_FALSE(Sections(probe).empty()) << key;
    }
  }
}

TEST(Catalogue, ModesHaveTheirNames) {
  EXPECT_EQ(ModeName(IRQCOST_THROUGHPUT), "throughput");
  EXPECT_EQ(ModeName(IRQCOST_ISOLATED), "isolated");
  EXPECT_EQ(ModeName({IRQCOST_IN_SITU, 20}), "in_situ/20");
  EXPECT_EQ(ModeName(IRQCOST_IN_SITU_PERCPU), "in_situ/percpu");
  EXPECT_EQ(ModeName({IRQCOST_THROUGHPUT, 0, IRQCOST_SOFTIRQ}), "throughput/softirq");
  EXPECT_EQ(ModeName({IRQCOST_THROUGHPUT, 0, IRQCOST_HARDIRQ}), "throughput/hardirq");
  EXPECT_EQ(ModeName({IRQCOST_THROUGHPUT, 0, IRQCOST_TIMER}), "throughput/timer");
}

TEST(Catalogue, SectionsAreFoundByTheirLength) {
  for (std::size_t i = 0; i < IRQCOST_NR_SECTIONS; ++i)
    EXPECT_EQ(irqcost_section_index(irqcost_sections[i]), static_cast<int>(i));
  EXPECT_EQ(irqcost_section_index(1), -1);
}

}  // namespace
}  // namespace irqcost
