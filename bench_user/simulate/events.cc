/* SPDX-License-Identifier: GPL-2.0-only */
#include "simulate/events.h"

#include <algorithm>
#include <limits>

#include "simulate/random.h"

namespace irqcost::simulate {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

Schedule::Schedule(const Recurrence& comes, std::uint64_t seed)
    : every_ns_(comes.every_s * 1e9), lasts_ns_(comes.lasts_s * 1e9), seed_(seed) {}

Occurrence Schedule::At(std::uint64_t number) const {
  const double length =
      std::min(lasts_ns_ * (0.5 + Fraction(Hash({seed_, number, 1}))), every_ns_ * 0.999);
  const double begin = static_cast<double>(number) * every_ns_ +
                       Fraction(Hash({seed_, number, 2})) * (every_ns_ - length);
  return {begin, begin + length, number};
}

Occurrence Schedule::EndingAfter(double ns) const {
  if (every_ns_ <= 0) return {kNever, kNever, 0};
  const auto number = static_cast<std::uint64_t>(ns / every_ns_);
  const Occurrence own = At(number);
  return own.end > ns ? own : At(number + 1);
}

Occurrence Schedule::BeginningAfter(double ns) const {
  if (every_ns_ <= 0) return {kNever, kNever, 0};
  const auto number = static_cast<std::uint64_t>(ns / every_ns_);
  const Occurrence own = At(number);
  return own.begin > ns ? own : At(number + 1);
}

double Schedule::Chance(const Occurrence& occurrence) const {
  return Fraction(Hash({seed_, occurrence.number, 3}));
}

Presence PresenceAt(const Schedule& schedule, double ns) {
  const Occurrence next = schedule.EndingAfter(ns);
  return next.begin <= ns ? Presence{true, next.end} : Presence{false, next.begin};
}

}  // namespace irqcost::simulate
