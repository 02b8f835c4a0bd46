/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/location.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

namespace irqcost {
namespace {

constexpr double kLow = 0.10;
constexpr double kHigh = 0.75;
constexpr std::size_t kFewestInBand = 3;
constexpr double kDeviations = 3.5;
// Of a normal distribution's standard deviation in its median absolute deviations.
constexpr double kDeviationPerMad = 1.4826;

double Mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

Located MeanOf(std::span<const double> values) {
  const double mean = Mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const auto n = static_cast<double>(values.size());
  return {mean, n > 1 ? std::sqrt(squares / (n - 1) / n) : 0};
}

// Those of sorted values that lie from `low` to `high`.
std::span<const double> Between(std::span<const double> sorted, double low, double high) {
  const auto from = std::lower_bound(sorted.begin(), sorted.end(), low);
  return {from, std::upper_bound(from, sorted.end(), high)};
}

}  // namespace

double Quantile(std::vector<double> values, double q) {
  const double position = q * static_cast<double>(values.size() - 1);
  const auto index = static_cast<std::ptrdiff_t>(position);
  const auto lower = values.begin() + index;
  std::nth_element(values.begin(), lower, values.end());
  const double fraction = position - static_cast<double>(index);
  if (fraction == 0) return *lower;
  const double upper = *std::min_element(lower + 1, values.end());
  return *lower + fraction * (upper - *lower);
}

double TrimmedMean(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  const auto from = static_cast<std::size_t>(kLow * n);
  const auto to = std::max(static_cast<std::size_t>(kHigh * n), from + 1);
  return Mean(std::span(values).subspan(from, to - from));
}

double HalfSampleMode(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::span<const double> kept = values;
  while (kept.size() > 2) {
    const std::size_t half = (kept.size() + 1) / 2;
    std::size_t densest = 0;
    for (std::size_t at = 1; at + half <= kept.size(); ++at)
      if (kept[at + half - 1] - kept[at] < kept[densest + half - 1] - kept[densest]) densest = at;
    kept = kept.subspan(densest, half);
  }
  return Mean(kept);
}

// The error is half of what lies between the order statistics one standard deviation of a binomial
// count to each side (David and Nagaraja, Order Statistics, 7.1). The lower one may not be there;
// the upper one has the wider distance.
Located LowQuantile(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  const double at = kLow * (n - 1);
  const double step = std::sqrt(n * kLow * (1 - kLow));
  const auto rank = [&](double r) {
    return values[static_cast<std::size_t>(std::lround(std::clamp(r, 0.0, n - 1)))];
  };
  const double error =
      std::max(rank(at + step) - rank(at), (rank(at + step) - rank(at - step)) / 2);
  return {Quantile(std::move(values), kLow), error};
}

Located LowBand(std::vector<double> values, double width) {
  std::sort(values.begin(), values.end());
  const Located low = LowQuantile(values);
  const std::span<const double> band = Between(values, low.value - width, low.value + width);
  return band.size() < kFewestInBand ? low : MeanOf(band);
}

Located WithinDeviations(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const double median = Quantile(values, 0.5);
  std::vector<double> away(values.size());
  std::transform(values.begin(), values.end(), away.begin(),
                 [median](double value) { return std::abs(value - median); });
  const double width = kDeviations * kDeviationPerMad * Quantile(std::move(away), 0.5);
  const std::span<const double> kept = Between(values, median - width, median + width);
  return kept.empty() ? Located{median, 0} : MeanOf(kept);
}

}  // namespace irqcost
