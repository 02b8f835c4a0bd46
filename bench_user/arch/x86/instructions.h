/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_ARCH_X86_INSTRUCTIONS_H
#define IRQCOST_BENCH_USER_ARCH_X86_INSTRUCTIONS_H

#include <string>

#include "backends/instructions.h"

namespace irqcost {

/** CPUID leaf 0x80000001, and ECX of leaf 1. */
struct ExtendedFeatures {
  unsigned ecx = 0, edx = 0, basic_ecx = 0;
};

/** MissingInstruction() of a CPU with these features. */
std::string MissingInstruction(unsigned needs, const ExtendedFeatures& features);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_ARCH_X86_INSTRUCTIONS_H
