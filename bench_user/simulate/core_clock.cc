/* SPDX-License-Identifier: GPL-2.0-only */
#include "simulate/core_clock.h"

#include <cmath>
#include <numbers>

#include "simulate/random.h"

namespace irqcost::simulate {

CoreClock::CoreClock(const Description& d)
    : ghz_(d.clock.core_mhz / 1e3),
      frequency_(d.frequency),
      steady_(d.frequency.drift_percent == 0 && d.frequency.ramp_percent == 0 &&
              d.frequency.turbo.every_s == 0),
      turbo_(d.frequency.turbo, Hash({d.seed, 4})) {}

double CoreClock::Ghz(double ns) const {
  if (steady_) return ghz_;
  const Frequency& f = frequency_;
  const double s = ns * 1e-9;
  double factor = 1 + f.drift_percent / 200 * std::sin(2 * std::numbers::pi * s / f.drift_s);
  if (s < f.ramp_s) factor *= 1 - f.ramp_percent / 100 * (1 - s / f.ramp_s);
  if (PresenceAt(turbo_, ns).there) factor *= 1 + f.turbo_percent / 100;
  return ghz_ * factor;
}

}  // namespace irqcost::simulate
