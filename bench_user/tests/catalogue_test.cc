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
  EXPECT_TRUE(text.starts_with("insn|1|empty|control|ANY_BPF|IF_00|NOTHING||\n"));
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

// Compares the column with the code beside it.
TEST(Catalogue, NeedsAreWhatTheCodeUses) {
  const auto uses = [](const Probe& probe, std::string_view word) {
    return probe.code.find(word) != std::string_view::npos;
  };
  for (const Probe& probe : kCatalogue) {
    const bool assembler = probe.kind == Kind::kInstruction;
    EXPECT_EQ(bool(probe.needs & IRQCOST_NEEDS_RDTSCP), assembler && uses(probe, "rdtscp"));
    EXPECT_EQ(bool(probe.needs & IRQCOST_NEEDS_LAHF),
              assembler && (uses(probe, "lahf") || uses(probe, "sahf")));
    EXPECT_EQ(bool(probe.needs & IRQCOST_NEEDS_POPF), assembler && uses(probe, "popfq"));
    EXPECT_EQ(bool(probe.needs & IRQCOST_NEEDS_CR8), assembler && uses(probe, "%cr8"));
    EXPECT_EQ(bool(probe.needs & IRQCOST_NEEDS_IRQ), !assembler && uses(probe, "o->irq"));
  }
}

TEST(Catalogue, RowsThatChangeTheFlagHaveALatencyOnly) {
  EXPECT_EQ(Ring0Modes(*FindProbe("cli_clearing")), std::vector<Mode>{IRQCOST_ISOLATED});
  EXPECT_EQ(Ring0Modes(*FindProbe("sti_setting")), std::vector<Mode>{IRQCOST_ISOLATED});
  EXPECT_EQ(Ring0Modes(*FindProbe("cli")),
            (std::vector<Mode>{IRQCOST_THROUGHPUT, IRQCOST_ISOLATED}));
}

TEST(Catalogue, OtherContextsHaveAThroughputOnly) {
  const Mode softirq(IRQCOST_THROUGHPUT, 0, IRQCOST_SOFTIRQ);
  EXPECT_EQ(KernelModes(*FindProbe("cli_sti"), IRQCOST_SOFTIRQ), std::vector{softirq});
  EXPECT_TRUE(KernelModes(*FindProbe("cli_clearing"), IRQCOST_SOFTIRQ).empty());
}

TEST(Catalogue, DataOfACpuAreInRing0Alone) {
  const Probe& pair = *FindProbe("pushf_popf");
  const std::vector<Mode> ring3 = RepeatableModes(pair);
  const std::vector<Mode> ring0 = KernelModes(pair, IRQCOST_PROCESS);
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
  for (const char* pair : {"pushf_popf", "cli_sti", "save_cli_popf", "spin_lock_irqsave",
                           "local_irq_save_restore", "preempt_disable_enable", "mutex_lock"})
    EXPECT_EQ(Sections(*FindProbe(pair)), all) << pair;
  for (const char* alone : {"nop", "pushf", "popf", "cli", "sti", "local_save_flags"})
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
