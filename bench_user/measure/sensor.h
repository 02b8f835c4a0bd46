/* SPDX-License-Identifier: GPL-2.0-only */
// Which row's window tells of a neighbour on this core. Nops tell best on the cores that were
// recorded; on another one they may tell nothing, which is tried where a second thread is at hand.
#ifndef IRQCOST_BENCH_USER_MEASURE_SENSOR_H
#define IRQCOST_BENCH_USER_MEASURE_SENSOR_H

#include <string>

#include "backends/backend.h"
#include "measure/calibration.h"
#include "measure/sampler.h"

namespace irqcost {

/** A thread of ours on the core's other hardware thread, which keeps that busy. */
class Sibling {
 public:
  Sibling() = default;
  Sibling(const Sibling&) = delete;
  Sibling& operator=(const Sibling&) = delete;
  virtual ~Sibling() = default;

  /** What it is, for a sentence: "CPU 3". */
  [[nodiscard]] virtual std::string Name() const = 0;
  /** Begins to work; returns when it does. */
  virtual void Start() = 0;
  /** Ends; returns when it has. */
  virtual void Stop() = 0;
};

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
