/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BACKENDS_KVM_EXECUTION_H
#define IRQCOST_BENCH_USER_BACKENDS_KVM_EXECUTION_H

#include "backends/backend.h"
#include "measure/estimate.h"

namespace irqcost {

/** Three rows, whose ticks alone tell. */
struct Trial {
  Estimate nop;
  Estimate dep_add;
  Estimate dep_imul;
};

/**
 * How the host executes the guest's ring 0: the same controls, in the guest and in ring 3 of this
 * process. `virtualised` where the guest's run as fast, else `emulated`.
 */
BackendExecution JudgeGuest(const Trial& guest, const Trial& ring3);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_KVM_EXECUTION_H
