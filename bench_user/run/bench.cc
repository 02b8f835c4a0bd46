/* SPDX-License-Identifier: GPL-2.0-only */
#include "run/bench.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <regex>
#include <utility>

#include "base/usage_error.h"
#include "measure/round_robin.h"
#include "report/reporters.h"

namespace irqcost {
namespace {

// Figures of two estimators are not compared. History: absent, the 10th percentile of clean windows
// (of 0.1 to 0.2.1, and of the instruction clock still); 2, in latency mode and in situ their mean
// from the 10th to the 75th percentile; 3, Location by a local clock.
constexpr int kEstimator = 3;

// Google Benchmark's meaning of a filter: nothing and "all" select everything, a
// leading '-' negates, and it may match anywhere in the name.
class Filter {
 public:
  explicit Filter(std::string text) {
    if (text.starts_with('-')) {
      negative_ = true;
      text.erase(0, 1);
    }
    if (text.empty() || text == "all") text = ".";
    try {
      regex_.assign(text, std::regex::extended | std::regex::nosubs);
    } catch (const std::regex_error& error) {
      throw UsageError("--benchmark_filter: '" + text +
                       "' is no regular expression: " + error.what());
    }
  }

  [[nodiscard]] bool Selects(const std::string& name) const {
    return std::regex_search(name, regex_) != negative_;
  }

 private:
  std::regex regex_;
  bool negative_ = false;
};

std::string WhyAbsent(const SupportedProbe& supported, Mode mode, std::optional<unsigned> unroll) {
  if (!supported.unusable.empty()) return supported.unusable;
  if (mode.kind == IRQCOST_THROUGHPUT && unroll &&
      (*unroll < supported.min_unroll || *unroll > supported.max_unroll))
    return "has unroll factors from " + std::to_string(supported.min_unroll) + " to " +
           std::to_string(supported.max_unroll) + ", not " + std::to_string(*unroll);
  return {};
}

std::size_t Clean(const Estimate& e) { return e.clean; }
std::size_t Clean(const ContentionEstimate& e) { return e.clean; }

// What every kind of estimate has. @ns: per operation.
template <typename AnyEstimate>
void FillCommon(benchmark::State& state, const AnyEstimate& e, double ns,
                std::uint64_t operations) {
  auto& counters = state.counters;
  counters["ticks"] = e.ticks;
  if (e.core_cycles) counters["core_cycles"] = *e.core_cycles;
  counters["ticks_min"] = e.ticks_min;
  counters["ticks_p50"] = e.ticks_p50;
  counters["ticks_p99"] = e.ticks_p99;
  counters["spread"] = e.spread;
  counters["samples"] = static_cast<double>(e.samples);
  counters["clean"] = static_cast<double>(Clean(e));
  counters["interrupted"] = static_cast<double>(e.interrupted);
  counters["preempted"] = static_cast<double>(e.preempted);
  state.SetLabel(e.label);
  counters[kOperationsCounter] = static_cast<double>(operations);
  for ([[maybe_unused]] auto iteration : state) state.SetIterationTime(ns * 1e-9);
}

void Fill(benchmark::State& state, const Measurement& measurement, double ticks_per_us) {
  const Estimate& e = measurement.estimate;
  auto& counters = state.counters;
  counters["ticks_resolution"] = e.ticks_resolution;
  if (e.core_cycles) {
    counters["core_cycles_resolution"] = e.cycles_resolution;
    counters["sensor"] = e.sensor;
  }
  counters["unknown"] = static_cast<double>(e.unknown);
  counters["migrated"] = static_cast<double>(e.migrated);
  if (measurement.longest_irqs_off)
    counters["longest_irqs_off"] =
        static_cast<double>(*measurement.longest_irqs_off) / ticks_per_us * 1e3;
  if (measurement.exits) counters["exits"] = static_cast<double>(*measurement.exits);
  FillCommon(state, e, e.ticks / ticks_per_us * 1e3, measurement.operations);
}

void Fill(benchmark::State& state, const ContentionEstimate& e, const SamplerOptions& options) {
  state.counters["longest_irqs_off"] =
      static_cast<double>(e.longest_irqs_off) / options.ticks_per_us * 1e3;
  FillCommon(state, e, e.ticks / options.ticks_per_us * 1e3, e.operations);
}

// The part of a process's time that one of its benchmarks has.
double ShareUs(const Selection& selection, std::optional<double> seconds) {
  const std::size_t all = selection.benchmarks.size() + selection.contention.size();
  if (!seconds) return kTimeoutUs;
  return std::clamp(*seconds * 1e6 / static_cast<double>(all), 0.0, kTimeoutUs);
}

// What the benchmarks of a selection came to. Those of a backend are sampled round-robin: all of
// them are measured when the library asks for the first, and told one after another. A repetition
// measures anew.
class Rounds {
 public:
  Rounds(Selection& selection, SamplerOptions options, std::optional<double> seconds,
         std::function<double()> now_us)
      : selection_(selection),
        options_(options),
        seconds_(seconds),
        now_us_(std::move(now_us)),
        outcomes_(selection.benchmarks.size()) {}

  Outcome Next(const Benchmark& benchmark) {
    const auto index = static_cast<std::size_t>(&benchmark - selection_.benchmarks.data());
    if (!outcomes_[index]) Measure(benchmark.backend);
    return *std::exchange(outcomes_[index], std::nullopt);
  }

 private:
  void Measure(const Backend* backend) {
    std::vector<Job> jobs;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < selection_.benchmarks.size(); ++i) {
      const Benchmark& bench = selection_.benchmarks[i];
      if (bench.backend != backend) continue;
      jobs.push_back({bench.backend, &bench.supported, bench.mode});
      places.push_back(i);
    }
    std::optional<double> share;
    if (seconds_) share = ShareUs(selection_, seconds_) * 1e-6 * static_cast<double>(jobs.size());
    SamplerOptions own = options_;
    // Emulated instructions count no core cycles.
    const auto execution = backend->GetExecution();
    own.with_cycles = own.with_cycles && !(execution && execution->kind == "emulated");
    std::vector<Outcome> done = MeasureRoundRobin(
        jobs, own, share, now_us_, selection_.results.found[std::string(backend->Name())]);
    for (std::size_t i = 0; i < jobs.size(); ++i) outcomes_[places[i]] = std::move(done[i]);
  }

  Selection& selection_;
  SamplerOptions options_;
  std::optional<double> seconds_;
  std::function<double()> now_us_;
  std::vector<std::optional<Outcome>> outcomes_;  ///< those that have not been told
};

void AddOnce(std::vector<Absence>& absent, const std::string& name, const std::string& reason) {
  if (std::none_of(absent.begin(), absent.end(), [&](const Absence& a) { return a.name == name; }))
    absent.push_back({name, reason});
}

// One iteration, so that the library calls it once a repetition and does not
// look for a number of iterations.
template <typename Body>
void RegisterOnce(const std::string& name, Body body) {
  benchmark::RegisterBenchmark(name.c_str(), std::move(body))
      ->UseManualTime()
      ->Iterations(1)
      ->Unit(benchmark::kNanosecond);
}

}  // namespace

std::vector<const Probe*> ProbesOf(const Selection& selection) {
  std::vector<const Probe*> probes;
  for (const Benchmark& benchmark : selection.benchmarks)
    probes.push_back(benchmark.supported.probe);
  return probes;
}

Costs MedianCosts(const Results& results) {
  Costs medians;
  for (const auto& [name, repetitions] : results.costs) {
    std::vector<Cost> sorted = repetitions;
    const auto median = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) / 2);
    std::nth_element(sorted.begin(), median, sorted.end(),
                     [](const Cost& a, const Cost& b) { return a.core_cycles < b.core_cycles; });
    medians[name] = *median;
  }
  return medians;
}

Selection Select(const std::vector<std::unique_ptr<Backend>>& backends, const std::string& filter,
                 std::optional<unsigned> unroll, const ContentionOptions& contention) {
  const Filter wanted(filter);
  Selection selection;
  for (const auto& backend : backends) {
    for (const SupportedProbe& supported : backend->SupportedProbes()) {
      for (const Mode mode : supported.modes) {
        std::string name{backend->Name()};
        name.append("/").append(supported.probe->key).append("/").append(ModeName(mode));
        if (!wanted.Selects(name)) continue;
        std::string reason = WhyAbsent(supported, mode, unroll);
        if (reason.empty())
          selection.benchmarks.push_back({std::move(name), backend.get(), supported, mode});
        else
          selection.results.absent.push_back({std::move(name), std::move(reason)});
      }
    }
  }
  if (!contention.wanted && !FilterNamesContention(filter)) return selection;
  for (ContentionBenchmark& bench : ContentionBenchmarks(backends, contention)) {
    if (!wanted.Selects(bench.name)) continue;
    if (bench.unusable.empty())
      selection.contention.push_back(std::move(bench));
    else
      selection.results.absent.push_back({std::move(bench.name), std::move(bench.unusable)});
  }
  return selection;
}

void Register(Selection& selection, const SamplerOptions& options, std::optional<double> seconds,
              const std::function<double()>& now_us) {
  const auto rounds = std::make_shared<Rounds>(selection, options, seconds, now_us);
  for (const Benchmark& bench : selection.benchmarks) {
    auto body = [&bench, &selection, options, rounds](benchmark::State& state) {
      const Outcome outcome = rounds->Next(bench);
      if (!outcome.measurement) {
        AddOnce(selection.results.absent, bench.name, outcome.error);
        // Samples go by the number of their repetition, and this one has none.
        selection.results.samples[bench.name].emplace_back();
        state.SkipWithError(outcome.error.c_str());
        return;
      }
      const Measurement& measurement = *outcome.measurement;
      selection.results.samples[bench.name].push_back(measurement.distribution);
      const Estimate& e = measurement.estimate;
      if (e.counted_cycles)
        selection.results.counted_cycles[std::string(bench.backend->Name())].push_back(
            *e.counted_cycles);
      if (e.core_cycles && e.ticks > 0 && e.label == kCleanLabel)
        selection.results.costs[bench.name].push_back(
            {*e.core_cycles, e.spread * *e.core_cycles / e.ticks});
      Fill(state, measurement, options.ticks_per_us);
      if (bench.supported.probe->kind == Kind::kFault) state.counters["faults"] = 1;
      if (!options.exact) state.counters["estimator"] = kEstimator;
    };
    RegisterOnce(bench.name, std::move(body));
  }
  SamplerOptions own = options;
  own.share_us = ShareUs(selection, seconds);
  for (const ContentionBenchmark& bench : selection.contention) {
    RegisterOnce(bench.name, [&bench, &selection, own](benchmark::State& state) {
      try {
        ContentionMeasurement measurement = MeasureContention(bench, own);
        selection.results.samples[bench.name].push_back(measurement.estimate.distribution);
        selection.results.extras[bench.name].push_back(
            {std::move(measurement.key), std::move(measurement.object)});
        Fill(state, measurement.estimate, own);
      } catch (const std::exception& error) {
        AddOnce(selection.results.absent, bench.name, error.what());
        state.SkipWithError(error.what());
      }
    });
  }
}

}  // namespace irqcost
