/* SPDX-License-Identifier: GPL-2.0-only */
// How the CPU executes this run: the figures of the three kinds never mix.
#ifndef IRQCOST_BENCH_USER_MEASURE_EXECUTION_H
#define IRQCOST_BENCH_USER_MEASURE_EXECUTION_H

#include <string>

#include "machine/hypervisor.h"
#include "measure/calibration.h"

namespace irqcost {

struct Execution {
  std::string kind;                ///< bare-metal, virtualised or emulated
  std::string reason;              ///< a sentence: how that was found
  bool instruction_clock = false;  ///< one tick is one instruction
  bool counts_cycles = true;       ///< the chain of multiplies counts core cycles
};

/** @calibration: of these controls. */
Execution Classify(const Hypervisor& hypervisor, const Controls& controls,
                   const Calibration& calibration);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MEASURE_EXECUTION_H
