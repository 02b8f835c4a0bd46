/* SPDX-License-Identifier: GPL-2.0-only */
// What rows cost on a simulated core: the truth that figures are compared with.
#ifndef IRQCOST_BENCH_USER_SIMULATE_COSTS_H
#define IRQCOST_BENCH_USER_SIMULATE_COSTS_H

#include "base/catalogue.h"
#include "simulate/timeline.h"

namespace irqcost::simulate {

/** Core cycles of one operation. */
double TrueCost(const Description& description, const Probe& probe, Mode mode);

/** Whether the CPU does not have a row. */
bool IsMissing(const Description& description, const Probe& probe);

/** How much longer a neighbour makes windows, as a part of them. @key: a row or other. */
double ShareOf(const Description& description, std::string_view key);

}  // namespace irqcost::simulate

#endif  // IRQCOST_BENCH_USER_SIMULATE_COSTS_H
