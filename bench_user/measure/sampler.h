/* SPDX-License-Identifier: GPL-2.0-only */
// How long and how often: from a benchmark to enough samples of the right size.
// Time is read from the samples' own time stamps, so a fake backend tests it all.
#ifndef IRQCOST_BENCH_USER_MEASURE_SAMPLER_H
#define IRQCOST_BENCH_USER_MEASURE_SAMPLER_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "measure/estimate.h"
#include "measure/recording.h"
#include "measure/sample_budget.h"

namespace irqcost {

/** Longest that a process may measure, in seconds. */
inline constexpr double kMostSeconds = 86400;

/**
 * Time of the greater window of a pair, and with it of the chain's. The whole
 * sample then takes about 35 µs: long against the step of the TSC (10 ns on Zen 3:
 * 0.2 % of the difference), short against the ticks of the kernel and the changes
 * of the clock, and far below the 100 µs that interrupts may be off.
 */
inline constexpr double kPairUs = 10;
/** Time of the sensor: it only has to tell 3 % apart. */
inline constexpr double kSensorUs = 2.5;

/** Samples of a benchmark where the user names no number: about 15 ms of them. */
inline constexpr std::size_t kDefaultSamples = 400;
/** Under the instruction clock all samples are equal; these are for the interrupted ones. */
inline constexpr std::size_t kExactSamples = 20;
/** Where there is a time for all of them, each has this many first, and the rest goes to those
 * whose figures need them (`measure/sample_budget.h`) … */
inline constexpr std::size_t kFirstSamples = 50;
/** … up to this many. */
inline constexpr std::size_t kMostSamples = 1600;
/** Clean samples to wait for … */
inline constexpr std::size_t kWantedClean = 50;
/** … for at most this long. On a shared machine 29 % of 20 ms windows, but only 2 % of 500 ms
 * have fewer than 10 clean samples (docs/method/noise.md): waiting helps where averaging does not.
 */
inline constexpr double kTimeoutUs = 500'000;
/** Part of the time that samples are planned for; the rest is for waiting. */
inline constexpr double kSampling = 0.75;

/** How well a figure is to be known: the greater of the two. Those of ./irqcost run. */
struct Target {
  double percent = 0.2;
  double cycles = 0.05;
};

/** What all benchmarks of a process have in common. */
struct SamplerOptions {
  int cpu = 0;
  std::optional<unsigned> unroll;      ///< nothing: the greatest that the row allows
  std::optional<std::size_t> samples;  ///< exactly so many; nothing: as many as it needs
  double ticks_per_us = 0;             ///< of the TSC
  double tsc_step = 0;                 ///< ticks per advance
  /** The level of the interference sensor by backend, as other processes found it. */
  std::map<std::string, double> sensor_levels;
  /** Core cycles of a multiply of the chain (measure/calibration.h). With 1, what is called a core
   * cycle is a multiply. */
  unsigned imul_latency = 1;
  const Probe* sensor = FindProbe("nop");  ///< the row that the interference sensor is made of
  bool with_cycles = true;                 ///< whether the chain counts core cycles here
  bool exact = false;                      ///< whether one tick is one instruction
  Target target;                           ///< how well figures are to be known
  double share_us = kTimeoutUs;            ///< time for a benchmark that is measured by itself
};

/** What came of one benchmark. */
struct Measurement {
  Estimate estimate;
  Distribution distribution;                      ///< core cycles where counted, else ticks
  std::uint64_t operations = 0;                   ///< operations timed, over all samples
  std::optional<std::uint64_t> longest_irqs_off;  ///< ticks
  std::optional<std::uint64_t> exits;             ///< of a guest to its host, over all samples
};

/** How the figures of a mode are made. @step: of the backend's clock, in its units. */
Method MethodOf(const Mode& mode, const SamplerOptions& options, double step);

/** What a backend's clock counts in a microsecond. */
double UnitsPerUs(const Backend& backend, const SamplerOptions& options);

/** By what a backend's clock advances, in its units. */
double StepOf(const Backend& backend, const SamplerOptions& options);

/** The samples of a run of this backend, as Recording takes them. */
std::vector<Point> PointsOf(const Backend& backend, const Run& run, const SamplerOptions& options);

/** The level of a backend's sensor as other processes found it. */
std::optional<double> KnownLevel(const Backend& backend, const SamplerOptions& options);

/** A request whose loops were found by trial, without a number of samples. */
struct Piloted {
  Request request;
  double sample_us = 0;  ///< what one sample of it takes
};

/** Finds the loops with which each window takes the time that it should. */
Piloted FindLoops(Backend& backend, const SupportedProbe& supported, Mode mode,
                  const SamplerOptions& options);

/**
 * One benchmark under way. Its samples come in slices, for round-robin sampling
 * (measure/round_robin.h), and lie in a recording with those of the others. All throw what the
 * backend throws. Results follow what Recording::Judge() last found of the samples.
 */
class Sampling {
 public:
  /** Finds the loops by trial. The backend, the probe and the recording must outlive it. */
  Sampling(Backend& backend, const SupportedProbe& supported, Mode mode,
           const SamplerOptions& options, Recording& recording);

  /**
   * Sets how many samples are taken in any case, by the time that there is for them.
   * @most: but no more than so many.
   */
  void Plan(double share_us, std::size_t most = kDefaultSamples);
  /** What more samples would do for the figure. Nothing where their number is given. */
  [[nodiscard]] SampleDemand GetDemand() const;
  /** Adds samples to the plan. */
  void Allow(std::size_t samples) { planned_ += samples; }
  /** Samples of the plan that have not been taken. */
  [[nodiscard]] std::size_t Ahead() const;
  /** Takes samples: at most so many, and at least one. */
  void Take(std::size_t samples);
  /** Whether too few of the samples are clean, so that others are worth waiting for. */
  [[nodiscard]] bool WantsMore() const;
  /** Microseconds that its samples took together, without what lay between slices. */
  [[nodiscard]] double ElapsedUs() const { return elapsed_us_; }

  /** The figures of the samples taken so far, at least one. */
  [[nodiscard]] Measurement Finish() const;

 private:
  [[nodiscard]] Method GetMethod() const;

  Backend& backend_;
  SamplerOptions options_;
  Recording& recording_;
  std::size_t row_;
  Request request_;
  double units_per_us_;  ///< what the backend's clock counts in a microsecond
  double sample_us_ = 0;
  std::size_t planned_ = 0;
  std::size_t taken_ = 0;
  double elapsed_us_ = 0;
  std::uint64_t operations_ = 0;
  std::optional<std::uint64_t> longest_irqs_off_;
  std::optional<std::uint64_t> exits_;
};

/** Measures one benchmark by itself. Throws what the backend throws. */
Measurement MeasureProbe(Backend& backend, const SupportedProbe& supported, Mode mode,
                         const SamplerOptions& options);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MEASURE_SAMPLER_H
