/* SPDX-License-Identifier: GPL-2.0-only */
#include <gtest/gtest.h>

#include "machine/hypervisor.h"

namespace irqcost {
namespace {

TEST(Hypervisor, IsNeverRuledOut) {
  EXPECT_TRUE(FindHypervisor(std::nullopt).present);
  EXPECT_FALSE(FindHypervisor(std::nullopt).reason.empty());
}

}  // namespace
}  // namespace irqcost
