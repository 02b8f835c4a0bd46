/* SPDX-License-Identifier: GPL-2.0-only */
#include "arch/x86/instructions.h"

#include <cpuid.h>
#include <irqcost/catalogue.h>

namespace irqcost {
namespace {

constexpr unsigned kRdtscpBit = 1U << 27;  // EDX

}  // namespace

std::string MissingInstruction(unsigned needs) {
  unsigned eax = 0, ebx = 0;
  ExtendedFeatures features;
  unsigned basic_edx = 0;
  __get_cpuid(1, &eax, &ebx, &features.basic_ecx, &basic_edx);
  __get_cpuid(0x80000001, &eax, &ebx, &features.ecx, &features.edx);
  return MissingInstruction(needs, features);
}

std::string MissingInstruction(unsigned needs, const ExtendedFeatures& features) {
  if (needs & IRQCOST_NEEDS_RDTSCP && !(features.edx & kRdtscpBit)) return "the CPU has no RDTSCP";
  if (needs & IRQCOST_NEEDS_LAHF && !(features.ecx & bit_LAHF_LM))
    return "the CPU has no LAHF and SAHF in 64-bit mode";
  if (needs & IRQCOST_NEEDS_CX16 && !(features.basic_ecx & bit_CMPXCHG16B))
    return "the CPU has no CMPXCHG16B";
  return {};
}

std::span<const std::string_view> MaskingRows() {
  static constexpr std::string_view kRows[] = {"cli_sti", "save_cli_popf"};
  return kRows;
}

}  // namespace irqcost
