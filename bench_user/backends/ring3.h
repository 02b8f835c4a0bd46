/* SPDX-License-Identifier: GPL-2.0-only */
// Backend `ring3`: the probes that are legal in user mode, in this process.
#ifndef IRQCOST_BENCH_USER_BACKENDS_RING3_H
#define IRQCOST_BENCH_USER_BACKENDS_RING3_H

#include "backends/backend.h"

namespace irqcost {

class Ring3 final : public Backend {
 public:
  [[nodiscard]] std::string_view Name() const override { return "ring3"; }
  [[nodiscard]] std::optional<Obstacle> GetObstacle() const override;
  [[nodiscard]] std::vector<Offer> Offers() const override;
  [[nodiscard]] unsigned MaxLoops() const override { return IRQCOST_MAX_LOOPS; }
  Run Measure(const Request& request) override;
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_RING3_H
