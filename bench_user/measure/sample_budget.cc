/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/sample_budget.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace irqcost {
namespace {

// Samples beyond those that a demand has until its error is what it may be.
std::size_t Missing(const SampleDemand& demand) {
  if (!(demand.error > 1)) return 0;
  const double missing = static_cast<double>(demand.samples) * (demand.error * demand.error - 1);
  return static_cast<std::size_t>(std::min(std::ceil(missing), static_cast<double>(demand.most)));
}

}  // namespace

std::vector<std::size_t> AllocateSamples(std::span<const SampleDemand> demands, double us) {
  std::vector<std::size_t> missing(demands.size());
  std::transform(demands.begin(), demands.end(), missing.begin(), Missing);
  const auto cost = [&](std::size_t i) {
    return static_cast<double>(missing[i]) * demands[i].sample_us;
  };
  std::vector<std::size_t> order(demands.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return cost(a) < cost(b); });

  std::vector<std::size_t> allocated(demands.size());
  if (us <= 0) return allocated;
  for (std::size_t place = 0; place < order.size(); ++place) {
    const std::size_t i = order[place];
    // Each of those that are left costs as much as this one or more.
    const double share = us / static_cast<double>(order.size() - place);
    allocated[i] =
        cost(i) <= us ? missing[i] : static_cast<std::size_t>(share / demands[i].sample_us);
    us -= static_cast<double>(allocated[i]) * demands[i].sample_us;
  }
  return allocated;
}

}  // namespace irqcost
