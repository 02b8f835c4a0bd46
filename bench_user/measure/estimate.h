/* SPDX-License-Identifier: GPL-2.0-only */
// From samples to figures. Pure functions: no input, no output, no clock.
#ifndef IRQCOST_BENCH_USER_MEASURE_ESTIMATE_H
#define IRQCOST_BENCH_USER_MEASURE_ESTIMATE_H

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/backend.h"

namespace irqcost {

/**
 * The quantile that stands for a quantity, of samples found free. In recordings
 * of 607,475 rounds on a shared machine the p10 of free batches repeated within
 * 0.1 %, where median, mean and minimum did not (docs/METHOD.md).
 *
 * It is the floor of sensor and chain, too. The minimum would not do: where only
 * the base window of a pair is disturbed, the difference comes out too small.
 */
inline constexpr double kFloorQuantile = 0.10;

/**
 * What stands for the windows of a row. The floor, where noise only adds: throughput. In latency
 * mode a window is a sum over hundreds of pairs of stamps, which err to both sides, and in situ row
 * and section meet in several ways: there the mean of the windows from the 10th to the 75th
 * percentile stays nearer to the quiet value and scatters less (docs/METHOD.md).
 */
enum class Location { kFloor, kMiddle };
inline constexpr double kMiddleFrom = 0.10;
inline constexpr double kMiddleTo = 0.75;

/** A sample is free while its sensor lies between these multiples of the sensor's floor … */
inline constexpr double kSensorLow = 0.97;
inline constexpr double kSensorHigh = 1.05;
/** … and its chain within this fraction of the chain's floor. Same source. */
inline constexpr double kChainTolerance = 0.005;
/** A halted CPU's cycles stand still and the TSC does not: a span in which MPERF differs from the
 * TSC by more than this tells nothing. */
inline constexpr double kSpanTolerance = 0.01;
/** With fewer free samples than this, the estimate is made of all and says so. */
inline constexpr std::size_t kFewestFree = 10;

/** One sample: two windows of the row and two of the chain, and what each pair differs by. */
struct Point {
  double body = 0;          ///< ticks
  double chain_body = 0;    ///< ticks
  double sensor = 0;        ///< ticks per nop
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

/** The samples of a run as points. */
std::vector<Point> ToPoints(const Run& run);

/** Figures of one benchmark, per operation. */
struct Estimate {
  double ticks = 0;
  std::optional<double> core_cycles;
  double ticks_min = 0;  ///< min, p50 and p99 are of all samples
  double ticks_p50 = 0;
  double ticks_p99 = 0;
  double spread = 0;  ///< p75 - p25, ticks, of the samples used
  std::size_t samples = 0;
  std::size_t free = 0;
  std::size_t unknown = 0;  ///< neither free nor flagged, and without a floor to be judged by
  std::size_t interrupted = 0;
  std::size_t preempted = 0;
  std::size_t migrated = 0;
  /** What one step of the clock is of a figure, in its unit: no figure is known better. */
  double ticks_resolution = 0;
  double cycles_resolution = 0;
  double sensor = 0;  ///< chain cycles per nop: the floor of the sensor among the samples used
  double cycle = 0;   ///< ticks per chain cycle: the floor of the chain among them
  /** What a multiply of the chain costs by the CPU's counter of core cycles, where one counted. */
  std::optional<double> imul_by_counter;
  std::string label;  ///< "free", or why the figure is in doubt
};

/** A sensor's floor before anything is known of it. */
inline constexpr double kNoFloor = std::numeric_limits<double>::infinity();

/**
 * Estimates from at least one point.
 * @with_cycles: whether the chain counts core cycles on this machine. Where it
 * does not, core_cycles is absent.
 * @sensor_floor: lowest floor of the same sensor so far, in chain cycles per nop. Where
 * that of these points lies above it, they were all taken beside a neighbour.
 */
Estimate EstimateFrom(std::span<const Point> points, bool with_cycles,
                      double sensor_floor = kNoFloor, Location location = Location::kFloor);

/**
 * Standard error of that estimate by the number of its samples alone, in core cycles where it has
 * them, else in ticks. What differs from process to process is not in it.
 */
double SamplingError(std::span<const Point> points, bool with_cycles,
                     double sensor_floor = kNoFloor, Location location = Location::kFloor);

/** The windows that an estimate is made of, in what the backend's clock counts. */
struct WindowTicks {
  double ops = 1;           ///< operations in body beyond those in base
  double chain_cycles = 1;  ///< core cycles in chain_body beyond those in chain_base
  std::vector<double> base;
  std::vector<double> body;
  std::vector<double> chain_base;
  std::vector<double> chain_body;
  Location location = Location::kFloor;  ///< of base and body; the chain's is always the floor
};

/** Costs per operation of all samples, in one unit, and the windows of those used. */
struct Distribution {
  std::vector<double> free;
  std::vector<double> disturbed;
  WindowTicks used = {};
};

/** The costs in ticks that EstimateFrom() saw, by whether it found them free. */
Distribution Distribute(std::span<const Point> points, double sensor_floor = kNoFloor,
                        Location location = Location::kFloor);

/**
 * Quantile (0 to 1) of at least one value, interpolated linearly between order
 * statistics (Hyndman and Fan's type 7, NumPy's default).
 */
double Quantile(std::vector<double> values, double q);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MEASURE_ESTIMATE_H
