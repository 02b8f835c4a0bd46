/* SPDX-License-Identifier: GPL-2.0-only */
// Backend `ring3`: the probes that are legal in user mode, in this process.
#ifndef IRQCOST_BENCH_USER_BACKENDS_RING3_RING3_H
#define IRQCOST_BENCH_USER_BACKENDS_RING3_RING3_H

#include <memory>
#include <string>
#include <utility>

#include "backends/backend.h"
#include "backends/ring3/cycle_counter.h"

namespace irqcost {

class Ring3 final : public Backend {
 public:
  /** @cycles: what counts core cycles beside the chain. */
  explicit Ring3(CycleCounterOrReason cycles = OpenPerfCycles()) : cycles_(std::move(cycles)) {}

  [[nodiscard]] std::string_view Name() const override { return "ring3"; }
  [[nodiscard]] std::optional<Unavailable> WhyUnavailable() const override;
  [[nodiscard]] std::vector<SupportedProbe> SupportedProbes() const override;
  [[nodiscard]] unsigned MaxLoops() const override { return IRQCOST_MAX_LOOPS; }
  [[nodiscard]] CounterOfCycles GetCounter() const override {
    return {cycles_.counter ? "perf" : "", cycles_.reason};
  }
  Run Measure(const Request& request) override;

 private:
  CycleCounterOrReason cycles_;
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_RING3_RING3_H
