/* SPDX-License-Identifier: GPL-2.0-only */
// Benchmarks that take turns, so that whatever drifts or disturbs affects all of them equally.
#ifndef IRQCOST_BENCH_USER_MEASURE_INTERLEAVE_H
#define IRQCOST_BENCH_USER_MEASURE_INTERLEAVE_H

#include <cstddef>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "measure/estimate.h"
#include "measure/sampler.h"

namespace irqcost {

/** Samples that a benchmark takes each time that its turn comes. */
inline constexpr std::size_t kTurnSamples = 5;
/** Rounds of a block, each once forwards and once backwards: A B B A. */
inline constexpr std::size_t kBlockRounds = 12;

/** One of those that take turns; the same one may be there twice. */
struct Contender {
  Backend* backend = nullptr;
  SupportedProbe supported;
  Mode mode = IRQCOST_THROUGHPUT;
};

/**
 * Measures blocks. No two blocks have a sample in common. A block is longer than kBlockRounds,
 * by whole rounds and at most by kTimeoutUs, while a contender has fewer than kWantedClean clean
 * samples. The sensor's level that blocks show also judges those after them. Throws what the
 * backends throw.
 * Return: for each block an estimate of each contender, in their order.
 */
std::vector<std::vector<Estimate>> Interleave(std::span<const Contender> contenders,
                                              std::size_t blocks, SamplerOptions options);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MEASURE_INTERLEAVE_H
