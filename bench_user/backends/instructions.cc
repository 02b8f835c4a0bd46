/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/instructions.h"

#include <cpuid.h>

namespace irqcost {
namespace {

constexpr unsigned kRdtscpBit = 1U << 27;  // CPUID 0x80000001, EDX

}  // namespace

std::string MissingInstruction(std::string_view key) {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  __get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx);
  if (key == "rdtscp" && !(edx & kRdtscpBit)) return "the CPU has no RDTSCP";
  if ((key == "lahf" || key == "sahf") && !(ecx & bit_LAHF_LM))
    return "the CPU has no LAHF and SAHF in 64-bit mode";
  return {};
}

}  // namespace irqcost
