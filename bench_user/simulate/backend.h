/* SPDX-License-Identifier: GPL-2.0-only */
// A backend whose windows take what the simulated machine makes of them.
#ifndef IRQCOST_BENCH_USER_SIMULATE_BACKEND_H
#define IRQCOST_BENCH_USER_SIMULATE_BACKEND_H

#include <memory>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "simulate/timeline.h"

namespace irqcost::simulate {

/**
 * @name: ring3, kmod or bpf; another one cannot be there.
 * @there: whether the machine has it; where not, it has a reason.
 * @contexts: those in which kmod calls its rows.
 * Description and timeline must outlive it.
 */
std::unique_ptr<Backend> MakeBackend(const std::string& name, bool there,
                                     const Description& description, int process,
                                     Timeline& timeline, std::vector<irqcost_context> contexts);

}  // namespace irqcost::simulate

#endif  // IRQCOST_BENCH_USER_SIMULATE_BACKEND_H
