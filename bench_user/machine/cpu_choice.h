/* SPDX-License-Identifier: GPL-2.0-only */
// Which CPUs can be measured on, and which of them is best.
#ifndef IRQCOST_BENCH_USER_MACHINE_CPU_CHOICE_H
#define IRQCOST_BENCH_USER_MACHINE_CPU_CHOICE_H

#include <functional>
#include <string>
#include <vector>

namespace irqcost {

/** What the choice asks of the running system; tests give answers of their own. */
struct CpuAccess {
  std::vector<int> allowed;           ///< CPUs on which this thread may run now, ascending
  std::function<bool(int)> can_bind;  ///< whether the kernel would bind this thread to a CPU
  std::function<void()> pause;        ///< waits while tasks that are busy show in /proc/stat
};

/** That of the calling thread. Throws std::system_error. */
CpuAccess OwnCpuAccess();

/** CPUs of a list as the kernel writes it, such as 0-3,8, ascending; "(null)" has none. */
std::vector<int> CpuList(const std::string& text);

/**
 * CPUs to measure on, best first, at least one: those that were isolated from the scheduler and
 * are idle; then the others by number; CPU 0, which takes most of a machine's interrupts, last.
 *
 * An isolated CPU is in no affinity by default. It is added where the affinity is that default, all
 * online CPUs but the isolated: one that somebody chose is kept to.
 */
std::vector<int> CpusByPreference(const CpuAccess& access, const std::string& root = "");

/** Why this CPU cannot be measured on; empty where it can, inside of the affinity or not. */
std::string WhyNotOn(int cpu, const CpuAccess& access, const std::string& root = "");

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MACHINE_CPU_CHOICE_H
