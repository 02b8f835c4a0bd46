/* SPDX-License-Identifier: GPL-2.0-only */
// A machine that is not there (docs/SIMULATE.md): its backends, clock and identity.
#ifndef IRQCOST_BENCH_USER_SIMULATE_SIMULATED_MACHINE_H
#define IRQCOST_BENCH_USER_SIMULATE_SIMULATED_MACHINE_H

#include <memory>

#include "run/machine.h"
#include "run/options.h"

namespace irqcost::simulate {

/** The machine of --irqcost_simulate. Throws UsageError. */
std::unique_ptr<irqcost::Machine> MakeMachine(const Options& options);

}  // namespace irqcost::simulate

#endif  // IRQCOST_BENCH_USER_SIMULATE_SIMULATED_MACHINE_H
