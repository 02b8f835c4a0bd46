/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/interleave.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace irqcost {
namespace {

// A contender within a block.
struct Lane {
  Backend* backend;
  Request request;
  double sample_us;
  double sensor_floor;
  std::vector<Point> points;
};

// Returns what the turn took, in microseconds, as the pilot tells.
double TakeTurn(Lane& lane) {
  const Run run = lane.backend->Measure(lane.request);
  if (run.samples.empty())
    throw std::system_error(EINTR, std::generic_category(), "no sample was taken");
  const std::vector<Point> more = ToPoints(run);
  lane.points.insert(lane.points.end(), more.begin(), more.end());
  return lane.sample_us * static_cast<double>(more.size());
}

double TakeRound(std::vector<Lane>& lanes) {
  double us = 0;
  for (Lane& lane : lanes) us += TakeTurn(lane);
  std::for_each(lanes.rbegin(), lanes.rend(), [&us](Lane& lane) { us += TakeTurn(lane); });
  return us;
}

std::vector<Estimate> Estimates(const std::vector<Lane>& lanes, const SamplerOptions& options) {
  std::vector<Estimate> estimates;
  estimates.reserve(lanes.size());
  for (const Lane& lane : lanes)
    estimates.push_back(EstimateFrom(lane.points, options.with_cycles, lane.sensor_floor,
                                     LocationOf(lane.request.mode, options.exact)));
  return estimates;
}

bool Enough(const std::vector<Estimate>& estimates) {
  return std::all_of(estimates.begin(), estimates.end(),
                     [](const Estimate& e) { return e.free >= kWantedFree; });
}

std::vector<Estimate> MeasureBlock(std::vector<Lane> lanes, const SamplerOptions& options) {
  for (std::size_t round = 0; round < kBlockRounds; ++round) TakeRound(lanes);
  double waited_us = 0;
  std::vector<Estimate> estimates = Estimates(lanes, options);
  // Under the instruction clock all samples are alike, and none is worth waiting for.
  while (!options.exact && waited_us < kPatienceUs && !Enough(estimates)) {
    waited_us += TakeRound(lanes);
    estimates = Estimates(lanes, options);
  }
  return estimates;
}

}  // namespace

std::vector<std::vector<Estimate>> Interleave(std::span<const Contender> contenders,
                                              std::size_t blocks, const SamplerOptions& options,
                                              std::map<std::string, Floors>& floors) {
  std::vector<Lane> lanes;
  for (const Contender& contender : contenders) {
    contender.backend->Prepare(*contender.offer.probe);
    auto [request, sample_us] =
        FindLoops(*contender.backend, contender.offer, contender.mode, options);
    request.samples = kTurnSamples;
    lanes.push_back({contender.backend, request, sample_us, kNoFloor, {}});
  }
  std::vector<std::vector<Estimate>> found;
  for (std::size_t block = 0; block < blocks; ++block) {
    if (options.with_cycles)
      for (Lane& lane : lanes) lane.sensor_floor = floors[std::string(lane.backend->Name())].sensor;
    found.push_back(MeasureBlock(lanes, options));
    for (std::size_t lane = 0; lane < lanes.size(); ++lane)
      Lower(floors[std::string(lanes[lane].backend->Name())], found.back()[lane]);
  }
  return found;
}

}  // namespace irqcost
