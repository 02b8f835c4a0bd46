/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/kernel.h"

#include <gtest/gtest.h>

namespace irqcost {
namespace {

TEST(KernelParameters, KeepWhatConcernsTheKernel) {
  EXPECT_EQ(KernelParameters("mitigations=off  isolcpus=1 quiet"),
            "mitigations=off isolcpus=1 quiet");
  EXPECT_EQ(KernelParameters(""), "");
}

TEST(KernelParameters, LeaveOutPlacesAndWhatIsForInit) {
  EXPECT_EQ(
      KernelParameters("BOOT_IMAGE=/boot/vmlinuz root=UUID=1 nosmt rdinit=/x -- --secret a=b"),
      "nosmt");
  EXPECT_EQ(KernelParameters("initcall_debug"), "initcall_debug");
}

}  // namespace
}  // namespace irqcost
