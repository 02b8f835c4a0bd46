/* SPDX-License-Identifier: GPL-2.0-only */
// Virtual time on the measuring core: work passes it, and events come between.
#ifndef IRQCOST_BENCH_USER_SIMULATE_TIMELINE_H
#define IRQCOST_BENCH_USER_SIMULATE_TIMELINE_H

#include "simulate/core_clock.h"
#include "simulate/random.h"

namespace irqcost::simulate {

/** What a core does: cycles, and the part that a neighbour adds to them. */
struct Work {
  double cycles = 0;
  double share = 0;

  Work& operator+=(const Work& other) {
    const double sum = cycles + other.cycles;
    if (sum > 0) share = (cycles * share + other.cycles * other.share) / sum;
    cycles = sum;
    return *this;
  }
};

class Timeline {
 public:
  /** @process: its number in a run; noise differs from process to process. */
  Timeline(const Description& description, double start_s, int process);

  [[nodiscard]] double NowNs() const { return now_; }
  /** Whether a thread of ours works on the core's other thread from now on. */
  void SetSibling(bool works);
  /** Lets time pass in which nothing is measured. */
  void Idle(double ns);
  /** Does work, and what comes between. */
  void Do(const Work& work);
  /** Whether so much work comes to its end before anything changes; it is not done. */
  [[nodiscard]] bool Undisturbed(double cycles) const;
  /** How long work takes while nothing changes. */
  [[nodiscard]] double NsOf(const Work& work) const;
  /** What happened since it was last asked: irqcost_sample_flags. */
  unsigned TakeFlags();

 private:
  struct Interruption {
    Schedule schedule;
    double preempts;
    unsigned flags;
    Occurrence next;
  };

  void Find();
  [[nodiscard]] double Strength();
  void Cross();

  CoreClock clock_;
  std::vector<Interruption> interruptions_;
  std::optional<Schedule> neighbour_;
  bool always_ = false;
  bool sibling_ = false;
  double spread_ = 0;
  double wander_ = 0;
  std::uint64_t seed_;
  Random random_;
  double now_;
  double ghz_ = 1;
  Presence presence_;    ///< of the neighbour
  double boundary_ = 0;  ///< until then nothing changes
  double strength_ = 0;  ///< of the neighbour, just now
  unsigned flags_ = 0;
};

}  // namespace irqcost::simulate

#endif  // IRQCOST_BENCH_USER_SIMULATE_TIMELINE_H
