/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/allot.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace irqcost {
namespace {

// Samples beyond those that a claim has until its error is what it may be.
std::size_t Missing(const Claim& claim) {
  if (!(claim.error > 1)) return 0;
  const double missing = static_cast<double>(claim.samples) * (claim.error * claim.error - 1);
  return static_cast<std::size_t>(std::min(std::ceil(missing), static_cast<double>(claim.most)));
}

}  // namespace

std::vector<std::size_t> Allot(std::span<const Claim> claims, double us) {
  std::vector<std::size_t> missing(claims.size());
  std::transform(claims.begin(), claims.end(), missing.begin(), Missing);
  const auto cost = [&](std::size_t i) {
    return static_cast<double>(missing[i]) * claims[i].sample_us;
  };
  std::vector<std::size_t> order(claims.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return cost(a) < cost(b); });

  std::vector<std::size_t> allotted(claims.size());
  if (us <= 0) return allotted;
  for (std::size_t place = 0; place < order.size(); ++place) {
    const std::size_t i = order[place];
    // Each of those that are left costs as much as this one or more.
    const double share = us / static_cast<double>(order.size() - place);
    allotted[i] =
        cost(i) <= us ? missing[i] : static_cast<std::size_t>(share / claims[i].sample_us);
    us -= static_cast<double>(allotted[i]) * claims[i].sample_us;
  }
  return allotted;
}

}  // namespace irqcost
