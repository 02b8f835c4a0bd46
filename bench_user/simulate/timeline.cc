/* SPDX-License-Identifier: GPL-2.0-only */
#include "simulate/timeline.h"

#include <irqcost/abi.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace irqcost::simulate {

Timeline::Timeline(const Description& d, double start_s, int process)
    : clock_(d),
      seed_(d.seed),
      random_(Hash({d.seed, 5, static_cast<std::uint64_t>(process)})),
      now_(std::round(start_s * 1e9)) {
  const auto add = [&](const Gap& gap, unsigned flags, std::uint64_t salt) {
    if (gap.comes.every_s > 0)
      interruptions_.push_back(
          {Schedule(gap.comes, Hash({d.seed, salt})), gap.preempts, flags, {}});
  };
  add(d.interrupts, IRQCOST_SAMPLE_INTERRUPTED, 6);
  add(d.steal, 0, 7);
  add(d.migration, IRQCOST_SAMPLE_MIGRATED, 8);
  if (d.neighbour) {
    neighbour_.emplace(d.neighbour->comes, Hash({d.seed, 9}));
    always_ = d.neighbour->always;
    spread_ = d.neighbour->spread;
    wander_ = d.neighbour->wander;
  }
  Find();
}

// What a neighbour takes differs from sample to sample, and by what it is doing for a while.
double Timeline::Strength() {
  constexpr double kWhileNs = 0.25e9;
  const auto number = static_cast<std::uint64_t>(now_ / kWhileNs);
  const double mean = 1 + wander_ * (2 * Fraction(Hash({seed_, 13, number})) - 1);
  return std::max(0.0, mean * (1 + spread_ * random_.Gauss()));
}

// What is next, seen from now.
void Timeline::Find() {
  ghz_ = clock_.Ghz(now_);
  boundary_ = std::numeric_limits<double>::infinity();
  for (Interruption& one : interruptions_) {
    if (one.next.begin <= now_) one.next = one.schedule.BeginningAfter(now_);
    boundary_ = std::min(boundary_, one.next.begin);
  }
  if (!neighbour_) return;
  if (always_ || sibling_) {
    presence_ = {true, std::numeric_limits<double>::infinity()};
  } else if (presence_.until <= now_) {
    presence_ = PresenceAt(*neighbour_, now_);
  }
  boundary_ = std::min(boundary_, presence_.until);
  strength_ = presence_.there ? Strength() : 0;
}

void Timeline::SetSibling(bool works) {
  sibling_ = works;
  presence_ = {};
  Find();
}

void Timeline::Idle(double ns) {
  now_ += ns;
  Find();
}

// At the boundary: time goes to whatever begins there.
void Timeline::Cross() {
  now_ = boundary_;
  for (Interruption& one : interruptions_) {
    if (one.next.begin > now_) continue;
    now_ = std::max(now_, one.next.end);
    flags_ |= one.flags;
    if (one.schedule.Chance(one.next) < one.preempts) flags_ |= IRQCOST_SAMPLE_PREEMPTED;
  }
  Find();
}

double Timeline::NsOf(const Work& work) const {
  return work.cycles * (1 + work.share * strength_) / ghz_;
}

bool Timeline::Undisturbed(double cycles) const {
  // The neighbour at its strongest doubles what a window takes, or does more: asked generously.
  return now_ + 4 * cycles / ghz_ < boundary_;
}

void Timeline::Do(const Work& work) {
  double left = 1;  // part of the work
  for (;;) {
    const double ns = NsOf(work);
    if (now_ + left * ns <= boundary_) {
      now_ += left * ns;
      return;
    }
    left -= (boundary_ - now_) / ns;
    Cross();
  }
}

unsigned Timeline::TakeFlags() { return std::exchange(flags_, 0U); }

}  // namespace irqcost::simulate
