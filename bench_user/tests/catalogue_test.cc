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

// What the column says is held against the code, which is written beside it.
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

// Named here once more, so that a marker that was lost or strayed is seen.
TEST(Catalogue, PairsHaveAnInSituMode) {
  const std::set<std::string_view> pairs = {"pushf_popf",
                                            "pushf_pop_push_popf",
                                            "cli_sti",
                                            "save_cli_popf",
                                            "save_cli_test_sti",
                                            "popf_clearing_setting",
                                            "cli_sti_nop",
                                            "save_cli_popf_masked",
                                            "save_cli_test_sti_masked",
                                            "save_cli_popf_mem",
                                            "pushf_cli_popf",
                                            "save_test_cli_test_sti",
                                            "save_test_cli_test_sti_masked",
                                            "cr8_raise_lower",
                                            "local_irq_disable_enable",
                                            "local_irq_save_restore",
                                            "local_irq_save_restore_masked",
                                            "local_irq_save_restore_nested",
                                            "local_irq_save_restore_nested_3",
                                            "raw_local_irq_save_restore",
                                            "spin_lock",
                                            "spin_lock_irq",
                                            "spin_lock_irqsave",
                                            "spin_lock_irqsave_masked",
                                            "raw_spin_lock_irqsave",
                                            "spin_lock_bh",
                                            "spin_trylock",
                                            "spin_trylock_irq",
                                            "spin_trylock_irqsave",
                                            "spin_trylock_bh",
                                            "raw_spin_lock",
                                            "raw_spin_lock_irq",
                                            "raw_spin_lock_irqsave_masked",
                                            "raw_spin_lock_bh",
                                            "raw_spin_trylock",
                                            "raw_spin_trylock_irqsave",
                                            "irq_save_raw_spin_lock",
                                            "read_lock_irqsave",
                                            "write_lock_irqsave",
                                            "local_lock_irqsave",
                                            "read_lock",
                                            "write_lock",
                                            "bit_trylock",
                                            "write_seqlock_irqsave",
                                            "mutex_lock",
                                            "preempt_disable_enable",
                                            "local_bh_disable_enable",
                                            "rcu_read_lock",
                                            "rcu_read_lock_bh",
                                            "migrate_disable_enable",
                                            "disable_enable_irq",
                                            "disable_irq_nosync",
                                            "disable_irq_nested"};
  for (const Probe& probe : kCatalogue) {
    const std::vector<Mode> modes = Ring0Modes(probe);
    std::vector<unsigned> sections;
    for (const Mode mode : modes)
      if (mode.kind == IRQCOST_IN_SITU) sections.push_back(mode.section);
    EXPECT_EQ(sections, pairs.contains(probe.key) ? (std::vector<unsigned>{0, 20, 100, 500})
                                                  : std::vector<unsigned>{})
        << probe.key;
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
