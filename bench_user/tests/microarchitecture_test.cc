/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/microarchitecture.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace irqcost
