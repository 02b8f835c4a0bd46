/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/instructions.h"

#include <cpuid.h>

namespace irqcost {
namespace {

constexpr unsigned kRdtscpBit = 1U << 27;  // EDX

}  // namespace

std::string MissingInstruction(std::string_view key) {
  unsigned eax = 0, ebx = 0;
  ExtendedFeatures features;
  __get_cpuid(0x80000001, &eax, &ebx, &features.ecx, &features.edx);
  return MissingInstruction(key, features);
}

std::string MissingInstruction(std::string_view key, const ExtendedFeatures& features) {
  if (key == "rdtscp" && !(features.edx & kRdtscpBit)) return "the CPU has no RDTSCP";
  if ((key == "lahf" || key == "sahf") && !(features.ecx & bit_LAHF_LM))
    return "the CPU has no LAHF and SAHF in 64-bit mode";
  return {};
}

}  // namespace irqcost
