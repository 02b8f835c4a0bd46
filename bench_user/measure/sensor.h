/* SPDX-License-Identifier: GPL-2.0-only */
// Which row's window shows a neighbour on this core. Nops tell best on the cores that were
// recorded; on another one they may tell nothing, which is tried where a second thread is at hand.
#ifndef IRQCOST_BENCH_USER_MEASURE_SENSOR_H
#define IRQCOST_BENCH_USER_MEASURE_SENSOR_H

#include <string>

#include "backends/backend.h"
#include "backends/sibling.h"
#include "measure/calibration.h"
#include "measure/sampler.h"

namespace irqcost {

/** The row that the interference sensor is made of, and how it was chosen: a sentence. */
struct SensorChoice {
  const Probe* probe = FindProbe("nop");
  std::string reason;
};

/**
 * Chooses one of kSensors. With a sibling each is timed alone and beside it: nops, if they take
 * visibly longer there; else the one that is slowed down most, if any. Without one the controls
 * tell: where zeroing idioms scattered as beside a neighbour and nops did not, these tell nothing.
 * Throws what the backend throws.
 * @sibling: nullptr where the process may run on no other thread of the core.
 */
SensorChoice ChooseSensor(Backend& ring3, const SamplerOptions& options, const Controls& controls,
                          Sibling* sibling);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MEASURE_SENSOR_H
