/* SPDX-License-Identifier: GPL-2.0-only */
// Core cycles by a hardware counter, in ring 3: perf_event_open(2), and what reads a counter there.
#ifndef IRQCOST_BENCH_USER_BACKENDS_RING3_CYCLE_COUNTER_H
#define IRQCOST_BENCH_USER_BACKENDS_RING3_CYCLE_COUNTER_H

#include <linux/perf_event.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace irqcost {

/** Counts the core cycles of the calling thread. */
class CycleCounter {
 public:
  CycleCounter() = default;
  CycleCounter(const CycleCounter&) = delete;
  CycleCounter& operator=(const CycleCounter&) = delete;
  virtual ~CycleCounter() = default;

  /** Cycles so far; nothing while the kernel has the counter in use for another event. */
  virtual std::optional<std::uint64_t> Read() = 0;
};

/** A counter, or the reason why there is none. */
struct CycleCounterOrReason {
  std::unique_ptr<CycleCounter> counter;
  std::string reason;
};

/**
 * The kernel's event CPU_CYCLES for this thread, user mode alone, read by an instruction. A read by
 * system call would not do: its own time is in the clock and not among the cycles of user mode.
 */
CycleCounterOrReason OpenPerfCycles();

/** Reads the hardware counter of an index; nothing where no instruction reads that one. */
using CounterReader = std::function<std::optional<std::uint64_t>(unsigned)>;

/**
 * Reads a counter through the page that the kernel shares, by the protocol of
 * linux/perf_event.h. Nothing where the counter is not on the CPU.
 * @read: reads the hardware counter of an index
 */
std::optional<std::uint64_t> ReadThroughPage(const perf_event_mmap_page& page,
                                             const CounterReader& read);

/** As CounterReader, the index counted from 0. Of the architecture. */
std::optional<std::uint64_t> ReadCounter(unsigned index);

/** Sets what an event needs beyond the usual, so that user mode may read it. Of the architecture.
 */
void AskForUserAccess(perf_event_attr& attributes);

/** The kernel's switch that forbids it, and its value then. Of the architecture. */
extern const char* const kUserAccessSwitch;

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_RING3_CYCLE_COUNTER_H
