/* SPDX-License-Identifier: GPL-2.0-only */
// The machine that a run is on: this one, or a simulated one (simulate/simulated_machine.h), which
// replaces everything that is virtual here and nothing else.
#ifndef IRQCOST_BENCH_USER_RUN_MACHINE_H
#define IRQCOST_BENCH_USER_RUN_MACHINE_H

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "backends/registry.h"
#include "report/context.h"
#include "run/bench.h"

namespace irqcost {

using Backends = std::vector<std::unique_ptr<Backend>>;

class Machine {
 public:
  Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  virtual ~Machine() = default;

  /** Opens backends; they are in the order of their names. */
  virtual Backends Open(const std::vector<std::string>& names, const BackendOptions& options);
  /** Ring 3 of its own, in which controls are measured whichever backend measures. */
  virtual Backend& Ring3();
  [[nodiscard]] virtual std::vector<int> AllowedCpus() const;
  /** CPUs to measure on, best first; where the user asked for one, that alone. Throws UsageError.
   */
  [[nodiscard]] virtual std::vector<int> MeasurableCpus(std::optional<int> asked) const;
  /** Throws CpuGone where the thread is no longer bound to that CPU, as it went offline. */
  virtual void RequireStillOn(int cpu) const;
  /** Another thread of that CPU's core that this process may use; nullptr where there is none. */
  virtual std::unique_ptr<Sibling> SiblingOf(int cpu);
  virtual void Pin(int cpu);
  virtual void RaisePriority();
  /** Microseconds of the clock that limits a run. */
  [[nodiscard]] virtual double NowUs() const;
  [[nodiscard]] virtual std::vector<double> Load() const;
  [[nodiscard]] virtual Activity ActivityOf(int cpu) const;
  /**
   * Finds hypervisor, build, kernel and TSC.
   * @tsc_khz: the TSC's frequency as an earlier process found it.
   */
  virtual void Describe(RunContext& run, std::optional<double> tsc_khz, const Backends& backends);
  /** Finds out about the CPU that is measured; the thread must be bound to it. */
  virtual void DescribeCpu(RunContext& run);
  /** Adds to context.irqcost, after a run, what only this machine knows of it. */
  virtual void Supplement(nlohmann::ordered_json& /*context*/, const Selection& /*selection*/) {}

 private:
  std::unique_ptr<Backend> ring3_;
  std::optional<std::string> boot_log_;  ///< as Describe() found it
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_RUN_MACHINE_H
