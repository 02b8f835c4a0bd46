/* SPDX-License-Identifier: GPL-2.0-only */
// What ring 3 gets for cli and sti: a fault (#GP), which the kernel turns into SIGSEGV.
#ifndef IRQCOST_BENCH_USER_BACKENDS_RING3_FAULT_GUARD_H
#define IRQCOST_BENCH_USER_BACKENDS_RING3_FAULT_GUARD_H

#include <csignal>
#include <cstdint>
#include <string>

namespace irqcost {

/** Why cli and sti do not fault in this process: its I/O privilege level is 3. Empty where they do.
 */
std::string WhyNoFault();

/**
 * While it lives, a cli or sti that faults is skipped, and counted. Whatever else ends in SIGSEGV
 * has the disposition from before. At its end the signal's disposition and mask are as they were.
 * One at a time, in a process with one thread. Throws std::system_error.
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
