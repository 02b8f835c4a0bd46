/* SPDX-License-Identifier: GPL-2.0-only */
// The machine that a run is on: this one, or a simulated one (simulate/simulated_machine.h), which
// replaces everything that is virtual here and nothing else.
#ifndef IRQCOST_BENCH_USER_MACHINE_H
#define IRQCOST_BENCH_USER_MACHINE_H

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "measure/sensor.h"
#include "options.h"
#include "report/context.h"

namespace irqcost {

using Backends = std::vector<std::unique_ptr<Backend>>;

/** Backends in the order asked for, and the module's INFO where it is one of them. */
struct Opened {
  Backends backends;
  std::optional<irqcost_info> module;
};

class Machine {
 public:
  Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  virtual ~Machine() = default;

  virtual Opened Open(const Options& options);
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
  /** Microseconds of the clock by which a run has its time. */
  [[nodiscard]] virtual double NowUs() const;
  [[nodiscard]] virtual std::vector<double> Load() const;
  [[nodiscard]] virtual Activity ActivityOf(int cpu) const;
  /** Finds hypervisor, build, kernel and TSC. */
  virtual void Describe(RunContext& run, const Options& options,
                        const std::optional<irqcost_info>& module);
  /** Finds out about the CPU that is measured; the thread must be bound to it. */
  virtual void DescribeCpu(RunContext& run);
  /** Adds to context.irqcost, after a run, what only this machine knows of it. */
  virtual void Supplement(nlohmann::ordered_json& /*context*/, const Selection& /*selection*/) {}

 private:
  std::unique_ptr<Backend> ring3_;
  std::optional<std::string> boot_log_;  ///< as Describe() found it
};

/** The one that the options name. Throws UsageError where that cannot be simulated. */
std::unique_ptr<Machine> MakeMachine(const Options& options);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MACHINE_H
