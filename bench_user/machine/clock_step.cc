/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/clock_step.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <set>

namespace irqcost {
namespace {

constexpr int kReadings = 10'000;
// Turns of an empty loop between two readings, fewer than this: up to some hundred ns, so that
// there are distances of many steps.
constexpr int kDelays = 509;
// Of so many different distances between readings, if there are as many, the smallest ones.
constexpr std::size_t kDistances = 24;
constexpr int kFewest = 5;
// A distance is the difference of two roundings: it is off by up to this. What is shorter than
// twice of it and one, such a tolerance would find in any clock.
constexpr double kRounding = 1;
constexpr double kShortest = 2 * kRounding + 2;
// That a clock without steps should look as if it had one is to be less likely than this.
constexpr double kChance = 1e-4;

using Distances = std::set<std::uint64_t>;  // ascending

// The smallest of those that came several times: the kernel sets its clock right now and then, and
// the distance across such a moment is not the clock's step.
Distances Smallest(const std::vector<std::uint64_t>& readings) {
  std::map<std::uint64_t, int> seen;
  for (std::size_t i = 1; i < readings.size(); ++i)
    if (readings[i] > readings[i - 1]) ++seen[readings[i] - readings[i - 1]];
  Distances distances;
  for (const auto& [distance, times] : seen) {
    if (times < kFewest) continue;
    distances.insert(distance);
    if (distances.size() == kDistances) break;
  }
  return distances;
}

// The step of which the smallest distance is so many, if all distances are a whole number of them.
std::optional<double> StepOf(const Distances& distances, double in_smallest) {
  const auto smallest = static_cast<double>(*distances.begin());
  double low = (smallest - kRounding) / in_smallest, high = (smallest + kRounding) / in_smallest;
  for (const std::uint64_t distance : distances) {
    const auto whole = static_cast<double>(distance);
    const double steps = std::round(whole / ((low + high) / 2));
    low = std::max(low, (whole - kRounding) / steps);
    high = std::min(high, (whole + kRounding) / steps);
    if (low > high) return std::nullopt;
  }
  return (low + high) / 2;
}

}  // namespace

double ClockStep(const std::vector<std::uint64_t>& readings) {
  const Distances distances = Smallest(readings);
  if (distances.empty()) return 1;
  const std::uint64_t divisor =
      std::accumulate(distances.begin(), distances.end(), std::uint64_t{0},
                      [](std::uint64_t a, std::uint64_t b) { return std::gcd(a, b); });
  if (divisor > 1) return static_cast<double>(divisor);
  for (double in_smallest = 1;; ++in_smallest) {
    const auto longest = static_cast<double>(*distances.begin()) + kRounding;
    if (longest / in_smallest < kShortest) return 1;
    const auto step = StepOf(distances, in_smallest);
    if (!step) continue;
    const double by_chance =
        std::pow((2 * kRounding + 1) / *step, static_cast<double>(distances.size() - 1));
    if (by_chance < kChance) return *step;
  }
}

double MeasureStep(const std::function<std::uint64_t()>& read) {
  std::vector<std::uint64_t> readings(kReadings);
  for (int i = 0; i < kReadings; ++i) {
    readings[static_cast<std::size_t>(i)] = read();
    for (int left = i % kDelays; left > 0; --left) asm volatile("");
  }
  return ClockStep(readings);
}

}  // namespace irqcost
