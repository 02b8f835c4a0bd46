/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/microarchitecture.h"

#include <gtest/gtest.h>

#include "machine/cpu.h"

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

}  // namespace
}  // namespace irqcost
