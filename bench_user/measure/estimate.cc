/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/estimate.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <utility>

#include "measure/location.h"

namespace irqcost {
namespace {

// A band of so many steps of the clock above and below the lowest windows: both stamps of a window
// are rounded, and its length differs by what the clock drifts within a slice.
constexpr double kBandSteps = 4;

template <typename Get>
std::vector<double> Column(std::span<const Judged> points, Get get) {
  std::vector<double> values(points.size());
  std::transform(points.begin(), points.end(), values.begin(), get);
  return values;
}

double Ticks(const Judged& judged) { return judged.point->Ticks(); }

Located Locate(std::vector<double> values, Location location, double band) {
  switch (location) {
    case Location::kLowBand:
      return LowBand(std::move(values), band);
    case Location::kWithinDeviations:
      return WithinDeviations(std::move(values));
    case Location::kLowQuantile:
      break;
  }
  return LowQuantile(std::move(values));
}

/** What a pair of windows differs by, per operation. */
struct Pair {
  Located base;
  Located body;
  double ops = 1;

  [[nodiscard]] double Value() const { return (body.value - base.value) / ops; }
  [[nodiscard]] double Error() const { return std::hypot(body.error, base.error) / ops; }
};

// Where a backend used other loops, a sample counts as if it had used the first one's. In core
// cycles each window is divided by its local clock.
Pair PairOf(std::span<const Judged> points, const Method& method, bool in_cycles,
            double Point::*base, double Point::*body, double Point::*ops) {
  const double first = points.front().point->*ops;
  const auto column = [&](double Point::*window) {
    return Column(points, [&](const Judged& j) {
      const double ticks = j.point->*window * (first / j.point->*ops);
      return in_cycles ? ticks / j.clock : ticks;
    });
  };
  const double clock =
      in_cycles ? Quantile(Column(points, [](const Judged& j) { return j.clock; }), 0.5) : 1;
  const double band = kBandSteps * method.step / clock;
  return {Locate(column(base), method.location, band), Locate(column(body), method.location, band),
          first};
}

std::size_t Flagged(std::span<const Judged> points, unsigned flag) {
  return static_cast<std::size_t>(
      std::count_if(points.begin(), points.end(),
                    [flag](const Judged& j) { return (j.point->flags & flag) != 0; }));
}

std::string WithoutLevel(const SensorLevel& level) {
  char text[200];
  std::snprintf(text, sizeof(text),
                "disturbed: the interference sensor has no steady level (%.3g to %.3g cycles in "
                "half of the samples): a neighbour shares the core",
                level.low, level.high);
  return text;
}

std::string Label(std::span<const Judged> points, std::size_t clean, const Recording& recording) {
  if (clean >= kFewestClean) return kCleanLabel;
  const std::string count = std::to_string(points.size());
  if (points.size() < kFewestClean)
    return "few: " + count + (points.size() == 1 ? " sample" : " samples");
  // Where flags or the chain leave no samples to agree on a level, that shows no neighbour.
  const auto seen = std::count_if(points.begin(), points.end(), [](const Judged& j) {
    return j.point->flags == 0 && j.clock > 0;
  });
  if (!recording.JudgedBy() && seen >= std::ptrdiff_t{kFewestClean})
    return WithoutLevel(recording.Level());
  return "disturbed: " + std::to_string(clean) + " of " + count + " samples clean";
}

// What a cycle of the chain is by the CPU's counter, which counts through the whole of a sample.
std::optional<double> CountedCycles(std::span<const Judged> points, double cycle) {
  std::vector<double> counted;
  for (const Judged& j : points)
    if (j.point->counted > 0) counted.push_back(j.point->counted);
  if (counted.size() < kFewestClean) return std::nullopt;
  return cycle * Quantile(std::move(counted), 0.5);
}

std::vector<Judged> Clean(std::span<const Judged> points) {
  std::vector<Judged> clean;
  std::copy_if(points.begin(), points.end(), std::back_inserter(clean),
               [](const Judged& j) { return j.clean; });
  return clean;
}

// Fills in what is made of the samples that the figure is made of.
void FillFigure(Estimate& e, std::span<const Judged> used, const Method& method) {
  const auto clocked = std::all_of(used.begin(), used.end(), [](auto& j) { return j.clock > 0; });
  if (clocked) {
    e.cycle = Quantile(Column(used, [](const Judged& j) { return j.clock; }), 0.5);
    e.sensor =
        Quantile(Column(used, [](const Judged& j) { return j.point->sensor / j.clock; }), 0.5);
  }
  const bool in_cycles = clocked && method.with_cycles;
  const Pair row = PairOf(used, method, in_cycles, &Point::base, &Point::body, &Point::ops);
  e.ticks = row.Value();
  e.error = row.Error();
  if (in_cycles) {
    // By its definition close to 1; what it is off is what the chain's windows err like the row's.
    const Pair chain =
        PairOf(used, method, true, &Point::chain_base, &Point::chain_body, &Point::chain_cycles);
    if (chain.Value() > 0) {
      e.core_cycles = row.Value() / chain.Value();
      e.error = std::hypot(row.Error(), *e.core_cycles * chain.Error()) / chain.Value();
      e.ticks = *e.core_cycles * e.cycle;
    }
  }
  const std::vector<double> ticks = Column(used, Ticks);
  e.spread = Quantile(ticks, 0.75) - Quantile(ticks, 0.25);
  // Rounding over samples of random phase averages out.
  const Point& first = *used.front().point;
  const double step = method.step / std::sqrt(static_cast<double>(used.size()));
  e.ticks_resolution = step / first.ops;
  if (e.cycle > 0)
    e.cycles_resolution =
        (e.ticks_resolution + std::abs(e.ticks) * step / first.chain_cycles / e.cycle) / e.cycle;
}

}  // namespace

Estimate EstimateFrom(std::span<const Judged> points, const Method& method,
                      const Recording& recording) {
  const std::vector<Judged> clean = Clean(points);
  const std::vector<double> all_ticks = Column(points, Ticks);
  Estimate e;
  FillFigure(e, clean.size() >= kFewestClean ? clean : points, method);
  if (clean.size() >= kFewestClean) e.counted_cycles = CountedCycles(clean, e.cycle);
  e.ticks_min = *std::min_element(all_ticks.begin(), all_ticks.end());
  e.ticks_p50 = Quantile(all_ticks, 0.50);
  e.ticks_p99 = Quantile(all_ticks, 0.99);
  e.samples = points.size();
  e.clean = clean.size();
  e.unknown =
      static_cast<std::size_t>(std::count_if(points.begin(), points.end(), [](const Judged& j) {
        return j.clock <= 0 && !j.point->flags;
      }));
  e.interrupted = Flagged(points, IRQCOST_SAMPLE_INTERRUPTED);
  e.preempted = Flagged(points, IRQCOST_SAMPLE_PREEMPTED);
  e.migrated = Flagged(points, IRQCOST_SAMPLE_MIGRATED);
  e.label = Label(points, e.clean, recording);
  return e;
}

Distribution Distribute(std::span<const Judged> points, bool in_cycles) {
  Distribution distribution;
  for (const Judged& j : points) {
    if (in_cycles && j.clock <= 0) continue;
    (j.clean ? distribution.clean : distribution.contaminated)
        .push_back(in_cycles ? j.point->Ticks() / j.clock : j.point->Ticks());
  }
  return distribution;
}

}  // namespace irqcost
