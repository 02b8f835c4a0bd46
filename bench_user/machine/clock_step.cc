/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/clock_step.h"

#include <x86intrin.h>

#include <algorithm>
#include <ctime>
#include <numeric>

namespace irqcost {
namespace {

constexpr int kReadings = 10'000;
constexpr int kPauses = 16;

// Neighbouring numbers, and the mean of the durations there.
struct Cluster {
  std::uint64_t low;
  std::uint64_t high;
  double sum = 0;
  double count = 0;
  [[nodiscard]] double Centre() const { return sum / count; }
};

// A cluster of fewer than this part of the durations does not say where it lies.
constexpr double kLeastPart = 0.01;

// Durations between readings, with pauses of several lengths between them.
template <typename Read>
std::vector<std::uint64_t> Durations(Read read) {
  std::vector<std::uint64_t> durations;
  durations.reserve(kReadings);
  for (int i = 0; i < kReadings; ++i) {
    const std::uint64_t before = read();
    for (int pause = i % kPauses; pause > 0; --pause) asm volatile("");
    durations.push_back(read() - before);
  }
  return durations;
}

}  // namespace

double ClockStep(std::vector<std::uint64_t> durations) {
  std::sort(durations.begin(), durations.end());
  std::vector<Cluster> clusters;
  for (const std::uint64_t duration : durations) {
    if (clusters.empty() || duration > clusters.back().high + 1)
      clusters.push_back({duration, duration});
    clusters.back().high = duration;
    clusters.back().sum += static_cast<double>(duration);
    ++clusters.back().count;
  }
  std::uint64_t widest = 0, divisor = 0;
  for (const Cluster& cluster : clusters) {
    widest = std::max(widest, cluster.high - cluster.low);
    divisor = std::gcd(divisor, cluster.low);
  }
  if (widest == 0) return static_cast<double>(std::max<std::uint64_t>(divisor, 1));
  // Both readings are rounded, which makes up to three numbers of one.
  if (widest > 2) return 1;
  const double least_count = kLeastPart * static_cast<double>(durations.size());
  std::erase_if(clusters, [=](const Cluster& cluster) { return cluster.count < least_count; });
  if (clusters.size() < 2) return 1;
  double least = clusters[1].Centre() - clusters[0].Centre();
  for (std::size_t i = 2; i < clusters.size(); ++i)
    least = std::min(least, clusters[i].Centre() - clusters[i - 1].Centre());
  return least;
}

double TscStep() {
  return ClockStep(Durations([] { return static_cast<std::uint64_t>(__rdtsc()); }));
}

double MonotonicStepNs() {
  return ClockStep(Durations([] {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(now.tv_nsec);
  }));
}

}  // namespace irqcost
