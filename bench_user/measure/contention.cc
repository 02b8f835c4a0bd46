/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/contention.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "measure/location.h"

namespace irqcost {
namespace {

constexpr double kMultiplies = IRQCOST_CONTENTION_CHAIN;

/** A sample before it is judged. */
struct Value {
  double ticks = 0;
  bool clean = false;
  double multiply = 0;  ///< ticks of a multiply of the chain; 0 where it could not be told
};

Percentiles PercentilesOf(const std::vector<double>& values) {
  return {Quantile(values, 0),    Quantile(values, 0.01), Quantile(values, 0.10),
          Quantile(values, 0.25), Quantile(values, 0.50), Quantile(values, 0.75),
          Quantile(values, 0.90), Quantile(values, 0.99), Quantile(values, 1)};
}

std::vector<double> Ticks(const std::vector<Value>& values) {
  std::vector<double> ticks;
  ticks.reserve(values.size());
  for (const Value& value : values) ticks.push_back(value.ticks);
  return ticks;
}

// The clean ones, or all where they are too few to speak for themselves.
std::vector<Value> Used(const std::vector<Value>& values) {
  std::vector<Value> used;
  std::copy_if(values.begin(), values.end(), std::back_inserter(used),
               [](const Value& value) { return value.clean; });
  return used.size() < kFewestClean ? values : used;
}

ContentionEstimate Judge(const std::vector<Value>& values, std::optional<unsigned> imul_latency,
                         const char* noun) {
  ContentionEstimate estimate;
  const std::vector<double> all = Ticks(values);
  estimate.samples = values.size();
  estimate.clean = static_cast<std::size_t>(
      std::count_if(values.begin(), values.end(), [](const Value& v) { return v.clean; }));
  estimate.ticks_min = Quantile(all, 0);
  estimate.ticks_p50 = Quantile(all, 0.50);
  estimate.ticks_p99 = Quantile(all, 0.99);
  const std::vector<Value> used = Used(values);
  const std::vector<double> ticks = Ticks(used);
  estimate.ticks = Quantile(ticks, 0.50);
  estimate.spread = Quantile(ticks, 0.75) - Quantile(ticks, 0.25);

  std::vector<double> multiplies;
  for (const Value& value : used)
    if (value.multiply > 0) multiplies.push_back(value.multiply);
  // Noise only adds to a chain, as to any window: its low quantile is the clock.
  double cycle = 1;
  if (imul_latency && !multiplies.empty()) {
    cycle = LowQuantile(multiplies).value / *imul_latency;
    estimate.core_cycles = estimate.ticks / cycle;
  }
  for (const Value& value : values)
    (value.clean ? estimate.distribution.clean : estimate.distribution.contaminated)
        .push_back(value.ticks / cycle);
  estimate.label = estimate.clean < kFewestClean
                       ? "disturbed: " + std::to_string(estimate.clean) + " of " +
                             std::to_string(values.size()) + " " + noun + " clean"
                       : "clean";
  return estimate;
}

bool IsClean(const LockRun& run) {
  return std::all_of(run.contenders.begin(), run.contenders.end(), [](const auto& c) {
    return c.rounds > 0 && c.preempted == 0 && c.missed == 0 && c.elsewhere == 0;
  });
}

Value ValueOf(const LockRun& run) {
  double ticks = 0, operations = 0, chain = 0;
  std::size_t chains = 0;
  for (const irqcost_contender& c : run.contenders) {
    operations += static_cast<double>(c.operations);
    // All end at once, so the time that passed is that of the one that began first.
    ticks = std::max(ticks, static_cast<double>(c.ticks));
    if (c.chain > 0) {
      chain += static_cast<double>(c.chain);
      ++chains;
    }
  }
  Value value;
  value.clean = IsClean(run);
  if (operations > 0) value.ticks = ticks / operations;
  if (chains > 0) value.multiply = chain / static_cast<double>(chains) / kMultiplies;
  return value;
}

std::uint64_t Part(DeferredPart part, const irqcost_pending_sample& sample) {
  if (part == DeferredPart::kHandler) return sample.handler;
  return part == DeferredPart::kReturn ? sample.back : sample.masked;
}

MaskedWork Work(const std::vector<const irqcost_pending_sample*>& samples,
                __u64 irqcost_pending_sample::*quiet, __u64 irqcost_pending_sample::*pending,
                double instructions) {
  const auto lowest = [&](auto member) {
    std::vector<double> values;
    values.reserve(samples.size());
    for (const auto* sample : samples) values.push_back(static_cast<double>(sample->*member));
    return LowQuantile(std::move(values)).value / instructions;
  };
  return {lowest(quiet), lowest(pending)};
}

}  // namespace

double JainIndex(std::span<const double> shares) {
  double sum = 0, squares = 0;
  for (const double share : shares) {
    sum += share;
    squares += share * share;
  }
  return squares > 0 ? sum * sum / (static_cast<double>(shares.size()) * squares) : 1;
}

double WaitQuantile(std::span<const std::uint64_t> histogram, double q) {
  const auto total = std::accumulate(histogram.begin(), histogram.end(), std::uint64_t{0});
  if (total == 0) return 0;
  const auto rank = static_cast<std::uint64_t>(q * static_cast<double>(total - 1));
  std::uint64_t below = 0;
  unsigned bin = 0;
  while (below + histogram[bin] <= rank) below += histogram[bin++];
  const auto low = static_cast<double>(irqcost_wait_bin_low(bin));
  const auto next = static_cast<double>(irqcost_wait_bin_low(bin + 1));
  // A bin of one tick holds just that one.
  return low + (next - low - 1) / 2;
}

LockContention SummariseLock(const LockRequest& request, std::span<const LockRun> runs,
                             std::optional<unsigned> imul_latency) {
  std::vector<Value> values;
  LockContention found;
  const std::size_t cpus = request.cpus.size();
  found.operations.resize(cpus);
  found.rounds.resize(cpus);
  found.alone = static_cast<double>(runs.front().alone);
  std::vector<std::uint64_t> histogram(IRQCOST_WAIT_BINS);
  std::uint64_t longest_wait = 0, longest_irqs_off = 0;
  std::size_t preempted = 0;
  const auto clean = static_cast<std::size_t>(std::count_if(runs.begin(), runs.end(), IsClean));
  for (const LockRun& run : runs) {
    const bool used = clean < kFewestClean || IsClean(run);
    // Where nobody did anything there is nothing to divide by.
    if (const Value value = ValueOf(run); value.ticks > 0) values.push_back(value);
    found.alone = std::min(found.alone, static_cast<double>(run.alone));
    found.masks |= (run.traits & IRQCOST_LOCK_MASKS) != 0;
    found.sleeps |= (run.traits & IRQCOST_LOCK_SLEEPS) != 0;
    for (std::size_t i = 0; i < cpus; ++i) {
      const irqcost_contender& c = run.contenders[i];
      if (used) found.operations[i] += c.operations;
      found.rounds[i] += c.rounds;
      longest_wait = std::max<std::uint64_t>(longest_wait, c.longest_wait);
      longest_irqs_off = std::max<std::uint64_t>(longest_irqs_off, c.longest_irqs_off);
      preempted += c.preempted;
      for (std::size_t bin = 0; bin < histogram.size(); ++bin) histogram[bin] += c.histogram[bin];
    }
  }
  if (values.empty()) values.emplace_back();
  found.estimate = Judge(values, imul_latency, "runs");
  found.estimate.preempted = preempted;
  found.estimate.longest_irqs_off = longest_irqs_off;
  found.estimate.operations =
      std::accumulate(found.operations.begin(), found.operations.end(), std::uint64_t{0});
  const std::vector<double> shares(found.operations.begin(), found.operations.end());
  found.jain = JainIndex(shares);
  const auto [least, most] = std::minmax_element(shares.begin(), shares.end());
  found.min_over_max = *most > 0 ? *least / *most : 1;
  found.wait = {WaitQuantile(histogram, 0),       WaitQuantile(histogram, 0.01),
                WaitQuantile(histogram, 0.10),    WaitQuantile(histogram, 0.25),
                WaitQuantile(histogram, 0.50),    WaitQuantile(histogram, 0.75),
                WaitQuantile(histogram, 0.90),    WaitQuantile(histogram, 0.99),
                static_cast<double>(longest_wait)};
  for (std::size_t i = 0; i < cpus; ++i)
    if (found.rounds[i] == 0) found.not_run.push_back(request.cpus[i]);
  if (!found.not_run.empty())
    found.estimate.label = "disturbed: CPU " + std::to_string(found.not_run.front()) +
                           " has not run: something else keeps it busy";
  return found;
}

DeferredInterrupts SummariseDeferred(DeferredPart part, const DeferredRun& run,
                                     std::optional<unsigned> imul_latency) {
  unsigned contaminating = IRQCOST_PENDING_INTERRUPTED | IRQCOST_PENDING_PREEMPTED;
  // Late, an interrupt has not been served before the instruction after the unmasking.
  if (part == DeferredPart::kReturn) contaminating |= IRQCOST_PENDING_LATE;
  DeferredInterrupts found;
  std::vector<Value> values;
  std::vector<const irqcost_pending_sample*> clean;
  std::uint64_t longest = 0;
  std::size_t interrupted = 0, preempted = 0;
  for (const irqcost_pending_sample& sample : run.samples) {
    const bool is_clean = (sample.flags & contaminating) == 0;
    values.push_back({static_cast<double>(Part(part, sample)), is_clean,
                      static_cast<double>(sample.chain) / kMultiplies});
    if (is_clean) clean.push_back(&sample);
    longest = std::max<std::uint64_t>(longest, sample.masked);
    found.late += (sample.flags & IRQCOST_PENDING_LATE) != 0;
    interrupted += (sample.flags & IRQCOST_PENDING_INTERRUPTED) != 0;
    preempted += (sample.flags & IRQCOST_PENDING_PREEMPTED) != 0;
  }
  found.estimate = Judge(values, imul_latency, "samples");
  found.estimate.interrupted = interrupted;
  found.estimate.preempted = preempted;
  found.estimate.longest_irqs_off = longest;
  found.estimate.operations = values.size();
  found.ticks = PercentilesOf(Ticks(Used(values)));
  if (part == DeferredPart::kMasked && run.loops > 0 && !clean.empty()) {
    found.add =
        Work(clean, &irqcost_pending_sample::quiet_add, &irqcost_pending_sample::pending_add,
             double{IRQCOST_PENDING_ADDS} * run.loops);
    found.nop =
        Work(clean, &irqcost_pending_sample::quiet_nop, &irqcost_pending_sample::pending_nop,
             double{IRQCOST_PENDING_NOPS} * run.loops);
  }
  return found;
}

}  // namespace irqcost
