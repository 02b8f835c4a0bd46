/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/turns.h"

#include <algorithm>
#include <exception>
#include <limits>

namespace irqcost {
namespace {

/** A job under way. */
struct Turn {
  std::optional<Sampling> sampling;
  Floors* floors = nullptr;
  std::string error;

  /** Takes a slice of what is planned. Returns whether there was one to take. */
  bool Step() {
    if (!sampling || sampling->Ahead() == 0) return false;
    Try([&] { sampling->Take(std::min(sampling->Ahead(), kSlice)); });
    return true;
  }

  /** Does something with the sampling; what is thrown ends it. */
  template <typename Action>
  void Try(Action action) {
    try {
      action();
    } catch (const std::exception& thrown) {
      error = thrown.what();
      sampling.reset();
    }
  }
};

void TakePlanned(std::vector<Turn>& turns) {
  for (bool ahead = true; ahead;) {
    ahead = false;
    for (Turn& turn : turns) ahead = turn.Step() || ahead;
  }
}

void LowerFloors(std::vector<Turn>& turns) {
  for (const Turn& turn : turns)
    if (turn.sampling) turn.sampling->Lower(*turn.floors);
}

// Plans further samples where they are of most use.
void PlanMore(std::vector<Turn>& turns, double us) {
  std::vector<Claim> claims;
  claims.reserve(turns.size());
  for (const Turn& turn : turns)
    claims.push_back(turn.sampling ? turn.sampling->GetClaim(*turn.floors) : Claim{});
  const std::vector<std::size_t> more = Allot(claims, us);
  for (std::size_t i = 0; i < turns.size(); ++i)
    if (turns[i].sampling) turns[i].sampling->Allow(more[i]);
}

}  // namespace

std::vector<Outcome> MeasureInTurn(const std::vector<Job>& jobs, const SamplerOptions& options,
                                   std::optional<double> seconds,
                                   const std::function<double()>& now_us,
                                   std::map<std::string, Floors>& floors) {
  std::vector<Turn> turns(jobs.size());
  double started = now_us();
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const Job& job = jobs[i];
    turns[i].floors = &floors[std::string(job.backend->Name())];
    turns[i].Try([&] {
      const double before = now_us();
      job.backend->Prepare(*job.offer->probe);
      started += now_us() - before;
      turns[i].sampling.emplace(*job.backend, *job.offer, job.mode, options);
    });
  }

  const double begun = now_us();
  const double end = seconds ? started + *seconds * 1e6 : std::numeric_limits<double>::infinity();
  const double share_us =
      std::clamp((end - begun) / static_cast<double>(jobs.size()), 0.0, kPatienceUs);
  for (Turn& turn : turns)
    if (turn.sampling) turn.sampling->Plan(share_us, seconds ? kFirstSamples : kDefaultSamples);
  TakePlanned(turns);
  if (seconds) {
    LowerFloors(turns);
    PlanMore(turns, begun + kSampling * (end - begun) - now_us());
    TakePlanned(turns);
  }

  for (bool waiting = true; waiting;) {
    waiting = false;
    LowerFloors(turns);
    for (Turn& turn : turns) {
      if (!turn.sampling || turn.sampling->ElapsedUs() >= kPatienceUs || now_us() >= end) continue;
      if (!turn.sampling->WantsMore(*turn.floors)) continue;
      waiting = true;
      turn.Try([&] { turn.sampling->Take(kSlice); });
    }
  }

  std::vector<Outcome> outcomes(jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    outcomes[i].error = turns[i].error;
    if (turns[i].sampling) outcomes[i].measurement = turns[i].sampling->Finish(*turns[i].floors);
  }
  return outcomes;
}

}  // namespace irqcost
