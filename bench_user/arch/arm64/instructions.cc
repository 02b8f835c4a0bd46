/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/instructions.h"

#include <asm/hwcap.h>
#include <irqcost/catalogue.h>
#include <sys/auxv.h>

namespace irqcost {

std::string MissingInstruction(unsigned needs) {
  if (needs & IRQCOST_NEEDS_LSE && !(getauxval(AT_HWCAP) & HWCAP_ATOMICS))
    return "the CPU has no LSE, the atomic instructions of ARMv8.1";
  return {};
}

std::span<const std::string_view> MaskingRows() {
  static constexpr std::string_view kRows[] = {"daifset_daifclr", "pmr_off_on"};
  return kRows;
}

}  // namespace irqcost
