/* SPDX-License-Identifier: GPL-2.0-only */
// When things happen. Nothing is remembered: what a time is like depends on it and the seed, so
// that a process that starts later finds what the one before would have found.
#ifndef IRQCOST_BENCH_USER_SIMULATE_EVENTS_H
#define IRQCOST_BENCH_USER_SIMULATE_EVENTS_H

#include <cstdint>

#include "simulate/description.h"

namespace irqcost::simulate {

/** One occurrence, in nanoseconds of virtual time. */
struct Occurrence {
  double begin = 0, end = 0;
  std::uint64_t number = 0;
};

/** Occurrences, one in each period: of 0.5 to 1.5 of the mean length, anywhere in it. */
class Schedule {
 public:
  Schedule(const Recurrence& comes, std::uint64_t seed);

  /** The first that ends after this time; one that never ends where there are none. */
  [[nodiscard]] Occurrence EndingAfter(double ns) const;
  /** The first that begins after this time. */
  [[nodiscard]] Occurrence BeginningAfter(double ns) const;
  /** A number from 0 to 1 that belongs to an occurrence. */
  [[nodiscard]] double Chance(const Occurrence& occurrence) const;

 private:
  [[nodiscard]] Occurrence At(std::uint64_t number) const;

  double every_ns_, lasts_ns_;
  std::uint64_t seed_;
};

/** Whether something is there, and until when that persists. */
struct Presence {
  bool there = false;
  double until = 0;
};

Presence PresenceAt(const Schedule& schedule, double ns);

}  // namespace irqcost::simulate

#endif  // IRQCOST_BENCH_USER_SIMULATE_EVENTS_H
