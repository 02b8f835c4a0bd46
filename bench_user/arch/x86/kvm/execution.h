/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_ARCH_X86_KVM_EXECUTION_H
#define IRQCOST_BENCH_USER_ARCH_X86_KVM_EXECUTION_H

#include "backends/backend.h"

namespace irqcost {

/** Ticks per operation of three rows. */
struct Trial {
  double nop = 0;
  double dep_add = 0;
  double dep_imul = 0;
};

/** Ticks per operation by the shortest windows of a run, which has at least one sample. */
double LeastTicks(const Run& run);

/**
 * How the host executes the guest's ring 0: the same controls, in the guest and in ring 3 of this
 * process. `virtualised` where the guest's run as fast, else `emulated`.
 */
BackendExecution JudgeGuest(const Trial& guest, const Trial& ring3);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_ARCH_X86_KVM_EXECUTION_H
