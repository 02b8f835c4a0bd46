/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/sampler.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <limits>
#include <system_error>

namespace irqcost {
namespace {

// Samples of one pilot run: the least of three is seldom disturbed.
constexpr std::size_t kPilotSamples = 3;
// Greatest step of the pilot: fences and loop weigh on a short window, so a
// great step would be taken on a wrong ground.
constexpr double kPilotStep = 8;
// Enough steps from one loop to the greatest number: 8^6 > 65536.
constexpr int kPilotRuns = 7;
// Part of the target that the error by sampling may be. Processes differ by about half of the
// target; with this it is they that decide how wide the interval over a dozen of them is.
constexpr double kSamplingError = 0.25;
// Fewest samples that are taken where each takes long (emulation).
constexpr std::size_t kFewestSamples = 20;

template <typename Member>
double Least(const Run& run, Member member) {
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (const irqcost_sample& sample : run.samples)
    least = std::min<std::uint64_t>(least, sample.*member);
  return static_cast<double>(least);
}

// The number of loops that would take `target` ticks, if that lies in reach of one step.
unsigned Scaled(unsigned loops, double ticks, double target, unsigned most) {
  const double factor = std::min(target / std::max(ticks, 1.0), kPilotStep);
  return static_cast<unsigned>(std::clamp(loops * factor, 1.0, static_cast<double>(most)));
}

Run Measure(Backend& backend, const Request& request) {
  Run run = backend.Measure(request);
  if (run.samples.empty())
    throw std::system_error(EINTR, std::generic_category(), "no sample was taken");
  return run;
}

// Sets the loops of a request so that each window takes the time that it should.
// Returns the time, in the same units, that one sample then takes.
double Pilot(Backend& backend, Request& request, double units_per_us) {
  request.samples = kPilotSamples;
  double sample_ticks = 0;
  for (int pilot = 0; pilot < kPilotRuns; ++pilot) {
    const Run run = Measure(backend, request);
    const double body = Least(run, &irqcost_sample::body);
    const double chain = Least(run, &irqcost_sample::chain_body);
    const double sensor = Least(run, &irqcost_sample::sensor);
    const double pair = kPairUs * units_per_us;
    const unsigned most = backend.MaxLoops();
    const Loops next{Scaled(run.loops.body, body, pair, most),
                     Scaled(run.loops.chain, chain, pair, most),
                     Scaled(run.loops.sensor, sensor, kSensorUs * units_per_us, most)};
    const bool settled = next.body < kPilotStep / 2 * run.loops.body &&
                         next.chain < kPilotStep / 2 * run.loops.chain &&
                         next.sensor < kPilotStep / 2 * run.loops.sensor;
    // What the windows will take with these loops.
    sample_ticks =
        (body + Least(run, &irqcost_sample::base)) * next.body / run.loops.body +
        (chain + Least(run, &irqcost_sample::chain_base)) * next.chain / run.loops.chain +
        sensor * next.sensor / run.loops.sensor;
    request.loops = next;
    if (settled) break;
  }
  return sample_ticks;
}

// The same with half the unroll factor where a window of so many copies masks for longer than the
// module allows (EDOM), down to the least that the row has. What the user demanded stays.
double FittingPilot(Backend& backend, Request& request, unsigned least, double units_per_us) {
  for (;;) {
    try {
      return Pilot(backend, request, units_per_us);
    } catch (const std::system_error& error) {
      if (error.code().value() != EDOM || request.unroll <= least) throw;
      request.unroll /= 2;
    }
  }
}

// A figure is in ticks, whatever the clock counted. (Core cycles are a quotient, without a unit.)
void Scale(Estimate& estimate, double ticks_per_unit) {
  for (double* figure :
       {&estimate.ticks, &estimate.ticks_min, &estimate.ticks_p50, &estimate.ticks_p99,
        &estimate.ticks_resolution, &estimate.spread, &estimate.cycle})
    *figure *= ticks_per_unit;
}

}  // namespace

double UnitsPerUs(const Backend& backend, const SamplerOptions& options) {
  return backend.GetClock() == Clock::kNanoseconds ? 1e3 : options.ticks_per_us;
}

double StepOf(const Backend& backend, const SamplerOptions& options) {
  return backend.Step().value_or(options.tsc_step);
}

std::optional<double> KnownLevel(const Backend& backend, const SamplerOptions& options) {
  const auto found = options.sensor_levels.find(std::string(backend.Name()));
  if (found == options.sensor_levels.end()) return std::nullopt;
  return found->second;
}

std::vector<Point> PointsOf(const Backend& backend, const Run& run, const SamplerOptions& options) {
  const double scale = backend.GetSensorClock() == backend.GetClock()
                           ? 1
                           : UnitsPerUs(backend, options) / options.ticks_per_us;
  return ToPoints(run, options.imul_latency, scale);
}

Method MethodOf(const Mode& mode, const SamplerOptions& options, double step) {
  Location location = Location::kWithinDeviations;
  if (mode.kind == IRQCOST_THROUGHPUT) location = Location::kLowBand;
  if (options.exact) location = Location::kLowQuantile;
  return {location, options.with_cycles, step};
}

Piloted FindLoops(Backend& backend, const SupportedProbe& supported, Mode mode,
                  const SamplerOptions& options) {
  Request request{supported.probe, mode, options.cpu, 0, {}, 0, options.sensor};
  if (mode.kind == IRQCOST_THROUGHPUT)
    request.unroll = options.unroll.value_or(supported.max_unroll);
  const double units_per_us = UnitsPerUs(backend, options);
  const unsigned least = options.unroll.value_or(supported.min_unroll);
  const double sample_us = FittingPilot(backend, request, least, units_per_us) / units_per_us;
  return {request, sample_us};
}

Sampling::Sampling(Backend& backend, const SupportedProbe& supported, Mode mode,
                   const SamplerOptions& options, Recording& recording)
    : backend_(backend),
      options_(options),
      recording_(recording),
      row_(recording.NewRow()),
      units_per_us_(UnitsPerUs(backend, options)) {
  const Piloted piloted = FindLoops(backend, supported, mode, options);
  request_ = piloted.request;
  sample_us_ = piloted.sample_us;
}

void Sampling::Plan(double share_us, std::size_t most) {
  const double affordable = kSampling * share_us / sample_us_;
  planned_ = static_cast<std::size_t>(
      std::clamp(affordable, static_cast<double>(kFewestSamples), static_cast<double>(most)));
  if (options_.exact) planned_ = kExactSamples;
  if (options_.samples) planned_ = *options_.samples;
}

Method Sampling::GetMethod() const { return MethodOf(request_.mode, options_, recording_.Step()); }

SampleDemand Sampling::GetDemand() const {
  if (options_.exact || options_.samples) return {};
  const Estimate estimate = EstimateFrom(recording_.Of(row_), GetMethod(), recording_);
  const double figure = estimate.core_cycles.value_or(estimate.ticks);
  const double wanted =
      std::max(std::abs(figure) * options_.target.percent / 100, options_.target.cycles);
  return {estimate.error / (kSamplingError * wanted), taken_, sample_us_,
          kMostSamples - std::min(kMostSamples, planned_)};
}

std::size_t Sampling::Ahead() const { return planned_ - std::min(planned_, taken_); }

void Sampling::Take(std::size_t samples) {
  request_.samples = std::max<std::size_t>(samples, 1);
  const Run run = Measure(backend_, request_);
  recording_.Add(row_, PointsOf(backend_, run, options_));
  taken_ += run.samples.size();
  operations_ += run.ops * run.samples.size();
  if (run.longest_irqs_off)
    longest_irqs_off_ = std::max(longest_irqs_off_.value_or(0), *run.longest_irqs_off);
  if (run.exits) exits_ = exits_.value_or(0) + *run.exits;
  // From stamp to stamp, and the last sample, which has none after it.
  const auto stamped =
      static_cast<double>(run.samples.back().start - run.samples.front().start) / units_per_us_;
  elapsed_us_ += stamped + sample_us_;
}

bool Sampling::WantsMore() const {
  if (options_.samples) return false;
  const std::vector<Judged> points = recording_.Of(row_);
  const auto clean = static_cast<std::size_t>(
      std::count_if(points.begin(), points.end(), [](const Judged& j) { return j.clean; }));
  return clean < std::min(kWantedClean, planned_);
}

Measurement Sampling::Finish() const {
  const std::vector<Judged> points = recording_.Of(row_);
  Measurement result;
  result.estimate = EstimateFrom(points, GetMethod(), recording_);
  const double ticks_per_unit = options_.ticks_per_us / units_per_us_;
  result.distribution = Distribute(points, result.estimate.core_cycles.has_value());
  if (!result.estimate.core_cycles)
    for (auto* values : {&result.distribution.clean, &result.distribution.contaminated})
      for (double& value : *values) value *= ticks_per_unit;
  Scale(result.estimate, ticks_per_unit);
  result.operations = operations_;
  result.longest_irqs_off = longest_irqs_off_;
  result.exits = exits_;
  return result;
}

Measurement MeasureProbe(Backend& backend, const SupportedProbe& supported, Mode mode,
                         const SamplerOptions& options) {
  Recording recording(StepOf(backend, options));
  Sampling sampling(backend, supported, mode, options, recording);
  const std::optional<double> known = KnownLevel(backend, options);
  sampling.Plan(options.share_us);
  const std::size_t planned = sampling.Ahead();
  sampling.Take(planned);
  recording.Judge(known);
  while (sampling.WantsMore() && sampling.ElapsedUs() < options.share_us) {
    sampling.Take(planned);
    recording.Judge(known);
  }
  return sampling.Finish();
}

}  // namespace irqcost
