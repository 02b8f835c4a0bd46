/* SPDX-License-Identifier: GPL-2.0-only */
// Random numbers that are the same with every compiler and library, so that a seed means a run.
#ifndef IRQCOST_BENCH_USER_SIMULATE_RANDOM_H
#define IRQCOST_BENCH_USER_SIMULATE_RANDOM_H

#include <cstdint>
#include <initializer_list>

namespace irqcost::simulate {

/** A number that looks random and depends on these alone (the mixer of SplitMix64). */
constexpr std::uint64_t Hash(std::initializer_list<std::uint64_t> parts) {
  std::uint64_t state = 0;
  for (const std::uint64_t part : parts) {
    state += part + 0x9e3779b97f4a7c15;
    state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
    state = (state ^ (state >> 27)) * 0x94d049bb133111eb;
    state ^= state >> 31;
  }
  return state;
}

/** Uniform from 0 up to, not including, 1. */
constexpr double Fraction(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

/** Nearly normal, of mean 0 and deviation 1: the sum of three uniform ones, within ±3. */
constexpr double Normal(std::uint64_t bits) {
  constexpr std::uint64_t kMask = (1U << 21) - 1;
  const std::uint64_t sum = (bits & kMask) + (bits >> 21 & kMask) + (bits >> 42 & kMask);
  return 2 * (static_cast<double>(sum) / kMask - 1.5);
}

/** A stream of them. */
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  double Uniform() { return Fraction(Next()); }
  double Gauss() { return Normal(Next()); }

 private:
  std::uint64_t Next() { return Hash({state_++}); }

  std::uint64_t state_;
};

}  // namespace irqcost::simulate

#endif  // IRQCOST_BENCH_USER_SIMULATE_RANDOM_H
