/* SPDX-License-Identifier: GPL-2.0-only */
// What a backend may measure beside the cost of a probe: lock contention, and the latency of
// interrupts that were raised while masked (deferred interrupts).
#ifndef IRQCOST_BENCH_USER_BACKENDS_CONTENTION_H
#define IRQCOST_BENCH_USER_BACKENDS_CONTENTION_H

#include <cstdint>
#include <vector>

#include "base/catalogue.h"

namespace irqcost {

/** A lock for several CPUs. The meaning is that of struct irqcost_contention. */
struct LockRequest {
  const Probe* lock = nullptr;
  unsigned section = 0;   ///< core cycles
  std::vector<int> cpus;  ///< at least one, all different
  unsigned rounds = 1;
};

/** What came of it. */
struct LockRun {
  std::vector<irqcost_contender> contenders;  ///< in the order of the request's CPUs
  unsigned rounds = 0;                        ///< those that every CPU took part in
  std::uint64_t alone = 0;                    ///< ticks of one operation without contention
  unsigned traits = 0;                        ///< irqcost_lock_traits
};

/** Interrupts raised while masked. The meaning is that of struct irqcost_pending. */
struct DeferredRequest {
  const Probe* masking = nullptr;
  int cpu = 0;
  unsigned hold_ns = 0;
  unsigned loops = 0;
  std::size_t samples = 0;
};

/** What came of it. */
struct DeferredRun {
  std::vector<irqcost_pending_sample> samples;
  unsigned loops = 0;  ///< what was used
};

/** How a backend measures lock contention and deferred interrupts. */
class ContentionBackend {
 public:
  ContentionBackend() = default;
  ContentionBackend(const ContentionBackend&) = delete;
  ContentionBackend& operator=(const ContentionBackend&) = delete;
  virtual ~ContentionBackend() = default;

  /** Whether locks that may sleep do so on this kernel: such a lock masks nothing. */
  [[nodiscard]] virtual bool LocksSleep() const = 0;

  /** Lets CPUs contend for a lock. Throws std::system_error where the system refuses it. */
  virtual LockRun Contend(const LockRequest& request) = 0;

  /**
   * Raises interrupts. The calling thread stays bound to the CPU afterwards.
   * Throws std::system_error where the system refuses it.
   */
  virtual DeferredRun Raise(const DeferredRequest& request) = 0;
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_CONTENTION_H
