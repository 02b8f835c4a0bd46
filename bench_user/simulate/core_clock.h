/* SPDX-License-Identifier: GPL-2.0-only */
// How fast the core's clock is, at any virtual time.
#ifndef IRQCOST_BENCH_USER_SIMULATE_CORE_CLOCK_H
#define IRQCOST_BENCH_USER_SIMULATE_CORE_CLOCK_H

#include "simulate/events.h"

namespace irqcost::simulate {

class CoreClock {
 public:
  explicit CoreClock(const Description& description);

  /** Core cycles in a nanosecond. */
  [[nodiscard]] double Ghz(double ns) const;

 private:
  double ghz_;
  Frequency frequency_;
  bool steady_;
  Schedule turbo_;
};

}  // namespace irqcost::simulate

#endif  // IRQCOST_BENCH_USER_SIMULATE_CORE_CLOCK_H
