/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BACKENDS_INSTRUCTIONS_H
#define IRQCOST_BENCH_USER_BACKENDS_INSTRUCTIONS_H

#include <span>
#include <string>
#include <string_view>

namespace irqcost {

/** Empty where this CPU has the instructions that a row needs (irqcost_needs), else what it lacks.
 * Each architecture has its own way to tell. */
std::string MissingInstruction(unsigned needs);

/** The rows of instructions that the module masks with while an interrupt is raised (pending.h);
 * each architecture has its own. */
std::span<const std::string_view> MaskingRows();

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_INSTRUCTIONS_H
