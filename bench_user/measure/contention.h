/* SPDX-License-Identifier: GPL-2.0-only */
// From runs of lock contention and deferred interrupts to figures. Pure functions: no input, no
// output, no clock.
#ifndef IRQCOST_BENCH_USER_MEASURE_CONTENTION_H
#define IRQCOST_BENCH_USER_MEASURE_CONTENTION_H

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/contention.h"
#include "measure/estimate.h"

namespace irqcost {

/**
 * Jain's index of fairness: (Σx)² / (n Σx²), 1 where all have the same and 1/n where one has
 * all (R. Jain, D. Chiu, W. Hawe, DEC-TR-301, 1984). 1 where nobody has anything.
 */
double JainIndex(std::span<const double> shares);

/**
 * Quantile (0 to 1) of waiting times in a histogram of IRQCOST_WAIT_BINS bins, in ticks: the
 * middle of the bin that holds it, so within 1/32 of the truth. 0 of an empty histogram.
 */
double WaitQuantile(std::span<const std::uint64_t> histogram, double q);

/** A distribution in ticks. */
struct Percentiles {
  double min = 0, p1 = 0, p10 = 0, p25 = 0, p50 = 0, p75 = 0, p90 = 0, p99 = 0, max = 0;
};

/** What lock contention and deferred interrupts share: figures per operation or interrupt, as in
 * Estimate. */
struct ContentionEstimate {
  double ticks = 0;                   ///< the median of the samples used
  std::optional<double> core_cycles;  ///< the same
  double ticks_min = 0;               ///< min, p50 and p99 are of all samples
  double ticks_p50 = 0;
  double ticks_p99 = 0;
  double spread = 0;  ///< ticks, p75 - p25 of the samples used
  std::size_t samples = 0;
  std::size_t clean = 0;
  std::size_t interrupted = 0;
  std::size_t preempted = 0;
  std::uint64_t operations = 0;
  std::uint64_t longest_irqs_off = 0;  ///< ticks
  Distribution distribution;           ///< core cycles where counted, else ticks
  std::string label;                   ///< "clean", or why it is unreliable
};

/** What came of several runs of the same contention. */
struct LockContention {
  ContentionEstimate
      estimate;  ///< a sample is a run; ticks are time that passed, by operations of all
  std::vector<std::uint64_t> operations;  ///< by CPU, of the runs used
  std::vector<unsigned> rounds;           ///< by CPU, of all runs
  std::vector<int> not_run;               ///< CPUs that were asked for and have not run
  double jain = 1;
  double min_over_max = 1;
  double alone = 0;     ///< ticks, the least of all runs
  Percentiles wait;     ///< from the call until the lock was held
  bool masks = false;   ///< whether interrupts were off meanwhile
  bool sleeps = false;  ///< whether a waiter may sleep
};

/** Makes figures of at least one run. @imul_latency: core cycles of a multiply of the chain;
 * nothing where it counts none. */
LockContention SummariseLock(const LockRequest& request, std::span<const LockRun> runs,
                             std::optional<unsigned> imul_latency);

/** Which part of a deferred interrupt a figure is about. */
enum class DeferredPart { kHandler, kReturn, kMasked };

/** What masked work costs with and without an interrupt pending, in ticks an instruction. */
struct MaskedWork {
  double quiet = 0;
  double pending = 0;
};

/** What came of deferred interrupts. */
struct DeferredInterrupts {
  ContentionEstimate estimate;  ///< a sample is an interrupt
  Percentiles ticks;            ///< of the samples used
  std::size_t late = 0;         ///< interrupts that came after the stamp after the unmasking
  std::optional<MaskedWork> add, nop;
};

/** Makes figures of at least one sample. */
DeferredInterrupts SummariseDeferred(DeferredPart part, const DeferredRun& run,
                                     std::optional<unsigned> imul_latency);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MEASURE_CONTENTION_H
