/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/round_robin.h"

#include <algorithm>
#include <exception>
#include <limits>

#include "measure/location.h"

namespace irqcost {
namespace {

/** A job under way. */
struct Task {
  std::optional<Sampling> sampling;
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

void TakePlanned(std::vector<Task>& tasks) {
  for (bool ahead = true; ahead;) {
    ahead = false;
    for (Task& task : tasks) ahead = task.Step() || ahead;
  }
}

// Plans further samples where they are of most use.
void PlanMore(std::vector<Task>& tasks, double us) {
  std::vector<SampleDemand> demands;
  demands.reserve(tasks.size());
  for (const Task& task : tasks)
    demands.push_back(task.sampling ? task.sampling->GetDemand() : SampleDemand{});
  const std::vector<std::size_t> more = AllocateSamples(demands, us);
  for (std::size_t i = 0; i < tasks.size(); ++i)
    if (tasks[i].sampling) tasks[i].sampling->Allow(more[i]);
}

// The clock of figures that have one.
double ClockOf(const std::vector<Outcome>& outcomes) {
  std::vector<double> cycles;
  for (const Outcome& outcome : outcomes)
    if (outcome.measurement && outcome.measurement->estimate.cycle > 0)
      cycles.push_back(outcome.measurement->estimate.cycle);
  return cycles.empty() ? 0 : Quantile(std::move(cycles), 0.5);
}

}  // namespace

std::vector<Outcome> MeasureRoundRobin(const std::vector<Job>& jobs, const SamplerOptions& options,
                                       std::optional<double> seconds,
                                       const std::function<double()>& now_us, Found& found) {
  std::vector<Task> tasks(jobs.size());
  if (jobs.empty()) return {};
  Recording recording(StepOf(*jobs.front().backend, options));
  const std::optional<double> known = KnownLevel(*jobs.front().backend, options);
  double started = now_us();
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const Job& job = jobs[i];
    tasks[i].Try([&] {
      const double before = now_us();
      job.backend->Prepare(*job.supported->probe);
      started += now_us() - before;
      tasks[i].sampling.emplace(*job.backend, *job.supported, job.mode, options, recording);
    });
  }

  const double begun = now_us();
  const double end = seconds ? started + *seconds * 1e6 : std::numeric_limits<double>::infinity();
  const double share_us =
      std::clamp((end - begun) / static_cast<double>(jobs.size()), 0.0, kTimeoutUs);
  for (Task& task : tasks)
    if (task.sampling) task.sampling->Plan(share_us, seconds ? kFirstSamples : kDefaultSamples);
  TakePlanned(tasks);
  if (seconds) {
    recording.Judge(known);
    PlanMore(tasks, begun + kSampling * (end - begun) - now_us());
    TakePlanned(tasks);
  }

  recording.Judge(known);
  for (bool waiting = true; waiting;) {
    waiting = false;
    for (Task& task : tasks) {
      if (!task.sampling || task.sampling->ElapsedUs() >= kTimeoutUs || now_us() >= end) continue;
      if (!task.sampling->WantsMore()) continue;
      waiting = true;
      task.Try([&] { task.sampling->Take(kSlice); });
    }
    recording.Judge(known);
  }

  std::vector<Outcome> outcomes(jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    outcomes[i].error = tasks[i].error;
    if (tasks[i].sampling) outcomes[i].measurement = tasks[i].sampling->Finish();
  }
  found = {recording.Level(), recording.JudgedBy(), ClockOf(outcomes)};
  return outcomes;
}

}  // namespace irqcost
