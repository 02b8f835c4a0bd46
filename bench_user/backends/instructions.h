/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BACKENDS_INSTRUCTIONS_H
#define IRQCOST_BENCH_USER_BACKENDS_INSTRUCTIONS_H

#include <string>
#include <string_view>

namespace irqcost {

/**
 * Empty where this CPU has the instructions of an assembler row, else what it lacks. All other
 * rows are part of x86-64 itself.
 */
std::string MissingInstruction(std::string_view key);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_INSTRUCTIONS_H
