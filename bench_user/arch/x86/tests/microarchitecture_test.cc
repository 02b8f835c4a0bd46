/* SPDX-License-Identifier: GPL-2.0-only */
#include "arch/x86/microarchitecture.h"

#include <gtest/gtest.h>

#include "arch/x86/cpu.h"

namespace irqcost {
namespace {

TEST(Microarchitecture, NamesTheCoreOfAKnownCpu) {
  EXPECT_EQ(Microarchitecture("GenuineIntel", 6, 0x9E), "Kaby Lake");
  EXPECT_EQ(Microarchitecture("GenuineIntel", 6, 0xCF), "Raptor Cove");  // Emerald Rapids
  EXPECT_EQ(Microarchitecture("AuthenticAMD", 0x19, 0x01), "Zen 3");     // Milan
  EXPECT_EQ(Microarchitecture("AuthenticAMD", 0x19, 0x11), "Zen 4");     // Genoa
}

TEST(Microarchitecture, KeepsSilentOnAnUnknownOne) {
  EXPECT_EQ(Microarchitecture("GenuineIntel", 6, 0xFF), std::nullopt);
  EXPECT_EQ(Microarchitecture("AuthenticAMD", 6, 0xCF), std::nullopt);
  EXPECT_EQ(Microarchitecture("GenuineIntel", 6, 0x97),
            std::nullopt);  // Alder Lake: two kinds of core
}

TEST(Microarchitecture, NamesBothKindsOfAHybridCpu) {
  struct Expected {
    int model;
    const char* performance;
    const char* efficiency;
  };
  for (const Expected& cpu : {Expected{0x97, "Golden Cove", "Gracemont"},   // Alder Lake
                              Expected{0xB7, "Raptor Cove", "Gracemont"},   // Raptor Lake
                              Expected{0xAA, "Redwood Cove", "Crestmont"},  // Meteor Lake
                              Expected{0xC6, "Lion Cove", "Skymont"},       // Arrow Lake
                              Expected{0xBD, "Lion Cove", "Skymont"}}) {    // Lunar Lake
    EXPECT_EQ(Microarchitecture("GenuineIntel", 6, cpu.model, "performance"), cpu.performance);
    EXPECT_EQ(Microarchitecture("GenuineIntel", 6, cpu.model, "efficiency"), cpu.efficiency);
    EXPECT_EQ(Microarchitecture("GenuineIntel", 6, cpu.model), std::nullopt);
  }
  EXPECT_EQ(Microarchitecture("GenuineIntel", 6, 0x9E, "performance"), std::nullopt);
  EXPECT_EQ(Microarchitecture("GenuineIntel", 7, 0x97, "performance"), std::nullopt);
}

TEST(CoreType, HasAName) {
  EXPECT_EQ(CoreTypeName(0x40), "performance");
  EXPECT_EQ(CoreTypeName(0x20), "efficiency");
  EXPECT_EQ(CoreTypeName(0), std::nullopt);
  EXPECT_EQ(CoreTypeName(0x30), std::nullopt);
}

TEST(LfenceWaits, OnAmdOnlyWhereSomethingSaysSo) {
  EXPECT_EQ(LfenceWaits("GenuineIntel", {}), true);
  EXPECT_EQ(LfenceWaits("AuthenticAMD", {true, std::nullopt, false}), true);
  EXPECT_EQ(LfenceWaits("AuthenticAMD", {false, std::nullopt, true}), true);
  EXPECT_EQ(LfenceWaits("AuthenticAMD", {false, 0x2, false}), true);
  EXPECT_EQ(LfenceWaits("HygonGenuine", {false, 0x1, false}), false);
  EXPECT_EQ(LfenceWaits("AuthenticAMD", {}), std::nullopt);
}

TEST(Confidential, IsWhatAGuestHas) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(Confidential("fpu hypervisor tdx_guest", std::nullopt), Names{"TDX"});
  EXPECT_EQ(Confidential("hypervisor sev sev_es", std::nullopt), (Names{"SEV", "SEV-ES"}));
  EXPECT_EQ(
      Confidential("hypervisor", "Memory Encryption Features active: AMD SEV SEV-ES SEV-SNP\n"),
      (Names{"SEV", "SEV-ES", "SEV-SNP"}));
  EXPECT_EQ(Confidential("hypervisor", "Memory Encryption Features active: Intel TDX\n"),
            Names{"TDX"});
  // A host that could have such guests.
  EXPECT_EQ(Confidential("fpu sev sev_es sev_snp", std::nullopt), Names{});
}

}  // namespace
}  // namespace irqcost
