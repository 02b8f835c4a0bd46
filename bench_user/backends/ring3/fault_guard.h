/* SPDX-License-Identifier: GPL-2.0-only */
// What ring 3 gets for masking, on an architecture with rows of it: a fault, which the kernel turns
// into SIGSEGV.
#ifndef IRQCOST_BENCH_USER_BACKENDS_RING3_FAULT_GUARD_H
#define IRQCOST_BENCH_USER_BACKENDS_RING3_FAULT_GUARD_H

#include <ucontext.h>

#include <csignal>
#include <cstdint>
#include <string>

namespace irqcost {

/** Why rows that fault do not do so in this process; empty where they do. Of the architecture. */
std::string WhyNoFault();

/** Steps over the instruction of such a row where @context is of its fault, and returns whether it
 * did. Of the architecture; called in a signal handler. */
bool SkipFaulting(ucontext_t& context);

/**
 * While it lives, an instruction of a row that faults is skipped, and counted. Whatever else ends
 * in SIGSEGV has the disposition from before. At its end the signal's disposition and mask are as
 * they were. One at a time, in a process with one thread. Throws std::system_error.
 */
class FaultGuard {
 public:
  FaultGuard();
  FaultGuard(const FaultGuard&) = delete;
  FaultGuard& operator=(const FaultGuard&) = delete;
  ~FaultGuard();

  /** Faults skipped so far. */
  [[nodiscard]] static std::uint64_t Count();

 private:
  sigset_t mask_{};
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_RING3_FAULT_GUARD_H
