/* SPDX-License-Identifier: GPL-2.0-only */
// What a backend may measure beside the cost of a probe: waiting for a lock that others want,
// and what an interrupt waits for that was raised while it was masked.
#ifndef IRQCOST_BENCH_USER_BACKENDS_WAITS_H
#define IRQCOST_BENCH_USER_BACKENDS_WAITS_H

#include <cstdint>
#include <vector>

#include "base/catalogue.h"

namespace irqcost {

/** A lock for several CPUs. The meaning is that of struct irqcost_contention. */
struct ContentionRequest {
  const Probe* lock = nullptr;
  unsigned section = 0;   ///< core cycles
  std::vector<int> cpus;  ///< at least one, all different
  unsigned rounds = 1;
};

/** What came of it. */
struct ContentionRun {
  std::vector<irqcost_contender> contenders;  ///< in the order of the request's CPUs
  unsigned rounds = 0;                        ///< those that every CPU took part in
  std::uint64_t alone = 0;                    ///< ticks of one operation without contention
  unsigned traits = 0;                        ///< irqcost_lock_traits
};

/** Interrupts raised while masked. The meaning is that of struct irqcost_pending. */
struct PendingRequest {
  const Probe* masking = nullptr;
  int cpu = 0;
  unsigned hold_ns = 0;
  unsigned loops = 0;
  std::size_t samples = 0;
};

/** What came of it. */
struct PendingRun {
  std::vector<irqcost_pending_sample> samples;
  unsigned loops = 0;  ///< what was used
};

/** A backend's means to measure waiting. */
class Waits {
 public:
  Waits() = default;
  Waits(const Waits&) = delete;
  Waits& operator=(const Waits&) = delete;
  virtual ~Waits() = default;

  /** Whether locks that may sleep do so on this kernel: such a lock masks nothing. */
  [[nodiscard]] virtual bool LocksSleep() const = 0;

  /** Lets CPUs contend for a lock. Throws std::system_error where the system refuses it. */
  virtual ContentionRun Contend(const ContentionRequest& request) = 0;

  /**
   * Raises interrupts. The calling thread stays bound to the CPU afterwards.
   * Throws std::system_error where the system refuses it.
   */
  virtual PendingRun Raise(const PendingRequest& request) = 0;
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_WAITS_H
