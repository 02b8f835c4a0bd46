/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/interleave.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <string>
#include <system_error>

namespace irqcost {
namespace {

// A contender within a block, whose recording it shares with the others of its backend.
struct Lane {
  const Contender* contender;
  Request request;
  double sample_us;
  Recording* recording = nullptr;
  std::size_t row = 0;
};

using Recordings = std::map<std::string, Recording>;

// Returns what the turn took, in microseconds, as the pilot tells.
double TakeTurn(Lane& lane, const SamplerOptions& options) {
  Backend& backend = *lane.contender->backend;
  const Run run = backend.Measure(lane.request);
  if (run.samples.empty())
    throw std::system_error(EINTR, std::generic_category(), "no sample was taken");
  lane.recording->Add(lane.row, PointsOf(backend, run, options));
  return lane.sample_us * static_cast<double>(run.samples.size());
}

double TakeRound(std::vector<Lane>& lanes, const SamplerOptions& options) {
  double us = 0;
  for (Lane& lane : lanes) us += TakeTurn(lane, options);
  std::for_each(lanes.rbegin(), lanes.rend(), [&](Lane& lane) { us += TakeTurn(lane, options); });
  return us;
}

std::vector<Estimate> Estimates(const std::vector<Lane>& lanes, const SamplerOptions& options) {
  std::vector<Estimate> estimates;
  estimates.reserve(lanes.size());
  for (const Lane& lane : lanes) {
    lane.recording->Judge(KnownLevel(*lane.contender->backend, options));
    const Method method = MethodOf(lane.request.mode, options, lane.recording->Step());
    estimates.push_back(EstimateFrom(lane.recording->Of(lane.row), method, *lane.recording));
  }
  return estimates;
}

bool Enough(const std::vector<Estimate>& estimates) {
  return std::all_of(estimates.begin(), estimates.end(),
                     [](const Estimate& e) { return e.clean >= kWantedClean; });
}

// The lowest steady level of each backend's sensor. A block may lie beside a neighbour from its
// beginning to its end, and the ones before it tell so.
void Learn(const Recordings& recordings, std::map<std::string, double>& levels) {
  for (const auto& [backend, recording] : recordings) {
    const SensorLevel& level = recording.Level();
    if (!level.steady) continue;
    double& lowest = levels.try_emplace(backend, level.value).first->second;
    lowest = std::min(lowest, level.value);
  }
}

// Adds to what is known of the sensors.
std::vector<Estimate> MeasureBlock(std::vector<Lane> lanes, SamplerOptions& options) {
  Recordings recordings;
  for (Lane& lane : lanes) {
    const Backend& backend = *lane.contender->backend;
    lane.recording = &recordings.try_emplace(std::string(backend.Name()), StepOf(backend, options))
                          .first->second;
    lane.row = lane.recording->NewRow();
  }
  for (std::size_t round = 0; round < kBlockRounds; ++round) TakeRound(lanes, options);
  double waited_us = 0;
  std::vector<Estimate> estimates = Estimates(lanes, options);
  // Under the instruction clock all samples are equal, so do not wait for more.
  while (!options.exact && waited_us < kTimeoutUs && !Enough(estimates)) {
    waited_us += TakeRound(lanes, options);
    estimates = Estimates(lanes, options);
  }
  Learn(recordings, options.sensor_levels);
  return estimates;
}

}  // namespace

std::vector<std::vector<Estimate>> Interleave(std::span<const Contender> contenders,
                                              std::size_t blocks, SamplerOptions options) {
  std::vector<Lane> lanes;
  for (const Contender& contender : contenders) {
    contender.backend->Prepare(*contender.supported.probe);
    auto [request, sample_us] =
        FindLoops(*contender.backend, contender.supported, contender.mode, options);
    request.samples = kTurnSamples;
    lanes.push_back({&contender, request, sample_us});
  }
  std::vector<std::vector<Estimate>> found;
  for (std::size_t block = 0; block < blocks; ++block)
    found.push_back(MeasureBlock(lanes, options));
  return found;
}

}  // namespace irqcost
