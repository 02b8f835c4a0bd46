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

// What the backend's clock counts in a microsecond.
double UnitsPerUs(const Backend& backend, const SamplerOptions& options) {
  return backend.GetClock() == Clock::kNanoseconds ? 1e3 : options.ticks_per_us;
}

// The step of a backend's clock, in its units.
double Step(const Backend& backend, const SamplerOptions& options) {
  return backend.GetClock() == Clock::kNanoseconds ? 1 : options.tsc_step;
}

// One step in the difference of a sample's windows, and for core cycles one in that of its
// chain. All samples may be rounded alike, so that more of them do not help.
void Resolve(Estimate& estimate, const Loops& loops, std::uint64_t ops, double step) {
  const double chain_cycles = double{IRQCOST_CHAIN_UNROLL} * IRQCOST_CHAIN_CYCLES * loops.chain;
  estimate.ticks_resolution = step / static_cast<double>(ops);
  if (estimate.cycle > 0)
    estimate.cycles_resolution = (estimate.ticks_resolution +
                                  std::abs(estimate.ticks) * step / chain_cycles / estimate.cycle) /
                                 estimate.cycle;
}

// A figure is in ticks, whatever the clock counted. (Core cycles are a quotient, without a unit.)
void Scale(Estimate& estimate, double ticks_per_unit) {
  for (double* figure :
       {&estimate.ticks, &estimate.ticks_min, &estimate.ticks_p50, &estimate.ticks_p99,
        &estimate.ticks_resolution, &estimate.spread, &estimate.cycle})
    *figure *= ticks_per_unit;
}

// Samples as figures: in the unit of the estimate, each with the difference of its own windows.
Distribution InUnitOf(const Estimate& estimate, Distribution distribution, double ticks_per_unit) {
  const double factor = estimate.core_cycles ? 1 / estimate.cycle : ticks_per_unit;
  for (auto* values : {&distribution.free, &distribution.disturbed})
    for (double& value : *values) value *= factor;
  return distribution;
}

}  // namespace

// A floor counts only where enough samples agree on it. Without core cycles there is no unit
// in which floors of different runs could be compared.
void Lower(Floors& floors, const Estimate& estimate) {
  if (!estimate.core_cycles || estimate.free < kFewestFree) return;
  floors.sensor = std::min(floors.sensor, estimate.sensor);
  floors.cycle = std::min(floors.cycle, estimate.cycle);
}

Location LocationOf(const Mode& mode, bool exact) {
  return exact || mode.kind == IRQCOST_THROUGHPUT ? Location::kFloor : Location::kMiddle;
}

Piloted FindLoops(Backend& backend, const Offer& offer, Mode mode, const SamplerOptions& options) {
  Request request{offer.probe, mode, options.cpu, 0, {}, 0};
  if (mode.kind == IRQCOST_THROUGHPUT) request.unroll = options.unroll.value_or(offer.max_unroll);
  const double units_per_us = UnitsPerUs(backend, options);
  const unsigned least = options.unroll.value_or(offer.min_unroll);
  const double sample_us = FittingPilot(backend, request, least, units_per_us) / units_per_us;
  return {request, sample_us};
}

Sampling::Sampling(Backend& backend, const Offer& offer, Mode mode, const SamplerOptions& options)
    : backend_(backend), options_(options), units_per_us_(UnitsPerUs(backend, options)) {
  const Piloted piloted = FindLoops(backend, offer, mode, options);
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

Claim Sampling::GetClaim(const Floors& floors) const {
  if (options_.exact || options_.samples) return {};
  const Estimate estimate = EstimateOf(floors);
  const double figure = estimate.core_cycles.value_or(estimate.ticks);
  const double wanted =
      std::max(std::abs(figure) * options_.target.percent / 100, options_.target.cycles);
  const double error = SamplingError(points_, options_.with_cycles, SensorFloor(floors),
                                     LocationOf(request_.mode, options_.exact));
  return {error / (kSamplingError * wanted), points_.size(), sample_us_,
          kMostSamples - std::min(kMostSamples, planned_)};
}

std::size_t Sampling::Ahead() const { return planned_ - std::min(planned_, points_.size()); }

void Sampling::Take(std::size_t samples) {
  request_.samples = std::max<std::size_t>(samples, 1);
  const Run run = Measure(backend_, request_);
  const std::vector<Point> more = ToPoints(run);
  points_.insert(points_.end(), more.begin(), more.end());
  operations_ += run.ops * run.samples.size();
  if (run.longest_irqs_off)
    longest_irqs_off_ = std::max(longest_irqs_off_.value_or(0), *run.longest_irqs_off);
  if (run.exits) exits_ = exits_.value_or(0) + *run.exits;
  loops_ = run.loops;
  ops_ = run.ops;
  // From stamp to stamp, and the last sample, which has none behind it.
  const auto stamped =
      static_cast<double>(run.samples.back().start - run.samples.front().start) / units_per_us_;
  elapsed_us_ += stamped + sample_us_;
}

double Sampling::SensorFloor(const Floors& floors) const {
  return options_.with_cycles ? floors.sensor : kNoFloor;
}

Estimate Sampling::EstimateOf(const Floors& floors) const {
  return EstimateFrom(points_, options_.with_cycles, SensorFloor(floors),
                      LocationOf(request_.mode, options_.exact));
}

bool Sampling::WantsMore(const Floors& floors) const {
  return !options_.samples && EstimateOf(floors).free < std::min(kWantedFree, planned_);
}

void Sampling::Lower(Floors& floors) const { irqcost::Lower(floors, EstimateOf(floors)); }

Measurement Sampling::Finish(const Floors& floors) const {
  Measurement result;
  result.estimate = EstimateOf(floors);
  Resolve(result.estimate, loops_, ops_, Step(backend_, options_));
  const double ticks_per_unit = options_.ticks_per_us / units_per_us_;
  result.distribution =
      InUnitOf(result.estimate,
               Distribute(points_, SensorFloor(floors), LocationOf(request_.mode, options_.exact)),
               ticks_per_unit);
  Scale(result.estimate, ticks_per_unit);
  result.operations = operations_;
  result.longest_irqs_off = longest_irqs_off_;
  result.exits = exits_;
  return result;
}

Measurement MeasureProbe(Backend& backend, const Offer& offer, Mode mode,
                         const SamplerOptions& options, Floors& floors) {
  Sampling sampling(backend, offer, mode, options);
  sampling.Plan(options.share_us);
  const std::size_t planned = sampling.Ahead();
  sampling.Take(planned);
  while (sampling.WantsMore(floors) && sampling.ElapsedUs() < options.share_us)
    sampling.Take(planned);
  const Floors before = floors;
  sampling.Lower(floors);
  return sampling.Finish(before);
}

}  // namespace irqcost
