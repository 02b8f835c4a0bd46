/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/instructions.h"

namespace irqcost {

// All rows do with the base that Linux needs (RV64GC).
std::string MissingInstruction(unsigned /*needs*/) { return {}; }

std::span<const std::string_view> MaskingRows() {
  static constexpr std::string_view kRows[] = {"csrci_csrsi"};
  return kRows;
}

}  // namespace irqcost
