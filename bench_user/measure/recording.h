/* SPDX-License-Identifier: GPL-2.0-only */
// All samples of a backend in one process, in the order of time, and what they say of each other's
// conditions: how fast the core clock ran, and whether the core was shared. docs/method/noise.md
// argues for each step; the tables there are made by this code (scripts/evidence/replay.cc).
#ifndef IRQCOST_BENCH_USER_MEASURE_RECORDING_H
#define IRQCOST_BENCH_USER_MEASURE_RECORDING_H

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "backends/backend.h"

namespace irqcost {

/** Samples that one benchmark takes before the next one has its slice: about a millisecond of them.
 */
inline constexpr std::size_t kSlice = 25;

/** With fewer clean samples than this, a figure is made of all and says so. */
inline constexpr std::size_t kFewestClean = 10;

/** A sample is clean while its sensor is within this fraction of the sensor's level. The sensors of
 * clean samples scatter by about 1 %; beside a neighbour who stayed their medians lay 45 to
 * 105 % above (docs/method/noise.md). */
inline constexpr double kSensorTolerance = 0.03;

/** One sample: two windows of the row and two of the chain, and what each pair differs by. */
struct Point {
  double body = 0;          ///< ticks
  double chain_body = 0;    ///< ticks
  double sensor = 0;        ///< ticks per operation of the sensor
  unsigned flags = 0;       ///< irqcost_sample_flags
  double base = 0;          ///< ticks
  double chain_base = 0;    ///< ticks
  double ops = 1;           ///< operations in body beyond those in base
  double chain_cycles = 1;  ///< core cycles in chain_body beyond those in chain_base
  /** Core cycles in a tick by the CPU's counter around the whole sample; 0: it did not tell. */
  double counted = 0;

  /** Ticks per operation; may be negative, as measured. */
  [[nodiscard]] double Ticks() const { return (body - base) / ops; }
  /** Ticks of one core cycle by the chain. */
  [[nodiscard]] double Cycle() const { return (chain_body - chain_base) / chain_cycles; }
};

/**
 * The samples of a run as points.
 * @imul_latency: core cycles of a multiply of the chain (measure/calibration.h). With 1, a "core
 * cycle" is one multiply.
 * @sensor_scale: what a unit of the sensor is in units of the other windows.
 */
std::vector<Point> ToPoints(const Run& run, unsigned imul_latency, double sensor_scale = 1);

/** The level of a sensor: what one of its operations costs while nothing shares the core. */
struct SensorLevel {
  double value = 0;     ///< core cycles; 0 where there is none
  bool steady = false;  ///< whether enough samples agree on it
  double low = 0;       ///< quartiles of what the sensor read
  double high = 0;
};

/** A point and its conditions. */
struct Judged {
  const Point* point = nullptr;
  double clock = 0;  ///< ticks of a core cycle at that time; 0: it could not be told
  bool clean = false;
};

/** See above. */
class Recording {
 public:
  /** @step: by what the clock of the samples advances, in its units. */
  explicit Recording(double step) : step_(step) {}

  [[nodiscard]] double Step() const { return step_; }
  /** A benchmark that will add samples. */
  std::size_t NewRow() { return rows_++; }
  /** Adds samples that a row took in one go. */
  void Add(std::size_t row, std::vector<Point> points);

  /**
   * Judges all samples so far.
   * @known: the sensor's level as other processes found it. It counts where this process has no
   * level of its own, or a higher one: a neighbour makes a sensor slower and never faster.
   */
  void Judge(std::optional<double> known);

  /** As Judge() found it. */
  [[nodiscard]] const SensorLevel& Level() const { return level_; }
  /** The level that samples were compared with; nothing where none was steady or known. */
  [[nodiscard]] std::optional<double> JudgedBy() const { return judged_by_; }
  /** The points of a row as Judge() found them. They point into this object. */
  [[nodiscard]] std::vector<Judged> Of(std::size_t row) const;

 private:
  struct Slice {
    std::size_t row;
    std::vector<Point> points;
    double own_clock;         ///< by its own chain alone
    double clock = 0;         ///< the local clock
    std::vector<bool> clean;  ///< of each point
  };

  void SetClocks();
  void FindLevel();
  void SetClean(Slice& slice) const;

  double step_;
  std::size_t rows_ = 0;
  std::size_t points_ = 0;
  std::size_t points_at_level_ = 0;  ///< when the level was found last
  std::vector<Slice> slices_;
  SensorLevel level_;
  std::optional<double> judged_by_;
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MEASURE_RECORDING_H
