/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BACKENDS_INSTRUCTIONS_H
#define IRQCOST_BENCH_USER_BACKENDS_INSTRUCTIONS_H

#include <string>
#include <string_view>

namespace irqcost {

/** CPUID leaf 0x80000001. */
struct ExtendedFeatures {
  unsigned ecx = 0, edx = 0;
};

/**
 * Empty where this CPU has the instructions of an assembler row, else what it lacks. All other
 * rows are part of x86-64 itself.
 */
std::string MissingInstruction(std::string_view key);

/** The same of a CPU with these features. */
std::string MissingInstruction(std::string_view key, const ExtendedFeatures& features);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_INSTRUCTIONS_H
