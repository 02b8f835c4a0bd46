/* SPDX-License-Identifier: GPL-2.0-only */
// How many core cycles a multiply of the chain takes on this core. The chain is the clock of every
// sample, since a neighbour on the core's other thread hardly slows it; its length in core cycles
// is measured, not assumed.
#ifndef IRQCOST_BENCH_USER_MEASURE_CALIBRATION_H
#define IRQCOST_BENCH_USER_MEASURE_CALIBRATION_H

#include <functional>
#include <optional>
#include <string>

#include "backends/backend.h"
#include "measure/estimate.h"
#include "measure/sampler.h"

namespace irqcost {

/**
 * Probes of ring 3 whose costs tell how the CPU executes, measured side by side. In their estimates
 * a core cycle is one multiply of the chain.
 */
struct Controls {
  Estimate nop;
  Estimate dep_add;
  Estimate dep_xor;
  Estimate dep_imul;
  Estimate zero_idiom;
};

/** Throws what the backend throws. @ring3: has those rows. */
Controls MeasureControls(Backend& ring3, const SamplerOptions& options,
                         const std::function<double()>& now_us);

/** The ratio of multiply and add may be off a whole number by this part, and what else must equal
 * an add from one. */
inline constexpr double kCalibrationTolerance = 0.01;
/** The greatest latency that is believed: above the 14 of the slowest published CPU. */
inline constexpr double kGreatestLatency = 20;

/** The latency of the multiply, or why it could not be told. */
struct Calibration {
  std::optional<unsigned> imul_latency;  ///< core cycles
  double imul_per_add = 0;               ///< a dependent multiply over a dependent add
  double xor_per_add = 0;                ///< a dependent exclusive or over a dependent add
  std::string reason;                    ///< how it was found, or why it was not
};

/**
 * A dependent add with a register operand takes 1 core cycle on each of the 162 CPUs of
 * results/published/traits.csv that lists it, and a dependent multiply a whole number of them, from
 * 3 to 14. So the ratio of the two must be a whole number from 1 to 20, within 1 %. A core that
 * resolved adds at rename would give one as well, and a wrong one: the exclusive or, which takes 1
 * cycle too and would be resolved by other means, must cost the same as the add.
 */
Calibration Calibrate(const Controls& controls);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MEASURE_CALIBRATION_H
