/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/recording.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "measure/location.h"

namespace irqcost {
namespace {

// The local clock is the median over this slice and so many on each side: about 5 ms. Clocks that
// move drift by less than 0.1 % in that time; a neighbour or an interrupt spoils one slice or two.
constexpr std::size_t kClockSlices = 2;
// A chain is clean within this fraction of the local clock …
constexpr double kChainTolerance = 0.005;
// … or within so many steps of a coarse clock: each of its two windows has two stamps.
constexpr double kChainSteps = 2.5;

// A level is steady where samples crowd about it. Of those within the tolerance, a third would lie
// within a third of the tolerance if they were spread evenly, and nearly all do where the core is
// undisturbed: half-way between.
constexpr double kCrowd = 1.0 / 3;
constexpr double kSteadyShare = 2.0 / 3;
// A neighbour only adds. Where more than this part of the samples lies below what was thought to be
// the level, it is not: it was that of samples beside a neighbour, or the clock jumped …
constexpr double kMostBelow = 0.05;
// … and where so many lie there that they can speak for themselves, the level is looked for below.
constexpr double kLookBelow = 0.25;
// The level is found anew when the recording has grown by this factor.
constexpr double kGrowth = 1.1;

double ClockOf(std::span<const Point> points) {
  const double cycles = points.front().chain_cycles;
  std::vector<double> base, body;
  for (const Point& p : points) {
    base.push_back(p.chain_base * (cycles / p.chain_cycles));
    body.push_back(p.chain_body * (cycles / p.chain_cycles));
  }
  return (TrimmedMean(std::move(body)) - TrimmedMean(std::move(base))) / cycles;
}

double Counted(const irqcost_sample& sample) {
  // A halted CPU's cycles stand still and the TSC does not: a span in which MPERF differs from the
  // TSC by more than this tells nothing.
  constexpr double kSpanTolerance = 0.01;
  const auto ticks = static_cast<double>(sample.span_ticks);
  if (sample.span_ticks == 0) return 0;
  if (sample.span_mperf != 0 &&
      std::abs(static_cast<double>(sample.span_mperf) / ticks - 1) > kSpanTolerance)
    return 0;
  return static_cast<double>(sample.span_cycles) / ticks;
}

double CountWithin(std::span<const double> values, double level, double tolerance) {
  return static_cast<double>(std::count_if(values.begin(), values.end(), [=](double value) {
    return std::abs(value / level - 1) <= tolerance;
  }));
}

}  // namespace

std::vector<Point> ToPoints(const Run& run, unsigned imul_latency, double sensor_scale) {
  const double chain_cycles = double{IRQCOST_CHAIN_UNROLL} * imul_latency * run.loops.chain;
  const double sensor_ops = double{IRQCOST_SENSOR_SIZE} * run.loops.sensor;
  std::vector<Point> points;
  points.reserve(run.samples.size());
  for (const irqcost_sample& s : run.samples)
    points.push_back({static_cast<double>(s.body), static_cast<double>(s.chain_body),
                      static_cast<double>(s.sensor) / sensor_ops * sensor_scale, s.flags,
                      static_cast<double>(s.base), static_cast<double>(s.chain_base),
                      static_cast<double>(run.ops), chain_cycles, Counted(s)});
  return points;
}

void Recording::Add(std::size_t row, std::vector<Point> points) {
  for (std::size_t from = 0; from < points.size(); from += kSlice) {
    const auto to = std::min(from + kSlice, points.size());
    std::vector<Point> part(points.begin() + static_cast<std::ptrdiff_t>(from),
                            points.begin() + static_cast<std::ptrdiff_t>(to));
    const double clock = ClockOf(part);
    slices_.push_back({row, std::move(part), clock, 0, {}});
  }
  points_ += points.size();
}

void Recording::SetClocks() {
  for (std::size_t i = 0; i < slices_.size(); ++i) {
    std::vector<double> near;
    const std::size_t end = std::min(i + kClockSlices + 1, slices_.size());
    for (std::size_t at = i - std::min(i, kClockSlices); at < end; ++at)
      if (slices_[at].own_clock > 0) near.push_back(slices_[at].own_clock);
    slices_[i].clock = near.empty() ? 0 : Quantile(std::move(near), 0.5);
  }
}

void Recording::FindLevel() {
  const SensorLevel before = level_;
  level_ = {};
  points_at_level_ = points_;
  std::vector<double> seen;
  for (const Slice& slice : slices_)
    for (const Point& p : slice.points)
      if (p.flags == 0 && slice.clock > 0 && p.sensor > 0) seen.push_back(p.sensor / slice.clock);
  if (seen.empty()) return;
  level_.low = Quantile(seen, 0.25);
  level_.high = Quantile(seen, 0.75);
  const auto all = static_cast<double>(seen.size());
  const auto count = [](const auto& values) { return static_cast<double>(values.size()); };
  std::vector<double> below = seen;
  do {
    level_.value = HalfSampleMode(below);
    const double edge = (1 - kSensorTolerance) * level_.value;
    std::erase_if(below, [edge](double value) { return value >= edge; });
  } while (count(below) >= kLookBelow * all);
  const double within = CountWithin(seen, level_.value, kSensorTolerance);
  const double crowd = CountWithin(seen, level_.value, kSensorTolerance * kCrowd);
  level_.steady = within >= kFewestClean && within >= kMostBelow * all &&
                  crowd >= kSteadyShare * within && count(below) <= kMostBelow * all;
  // Waiting beside a neighbour who came takes ever more of his samples; they do not raise the
  // level.
  if (before.steady && (!level_.steady || level_.value > (1 + kSensorTolerance) * before.value)) {
    level_.value = before.value;
    level_.steady = true;
  }
}

void Recording::SetClean(Slice& slice) const {
  slice.clean.assign(slice.points.size(), false);
  if (!judged_by_ || slice.clock <= 0) return;
  const double level = *judged_by_ * slice.clock;
  const auto alone = [&](const Point& p) {
    return std::abs(p.sensor / level - 1) <= kSensorTolerance;
  };
  for (std::size_t i = 0; i < slice.points.size(); ++i) {
    const Point& p = slice.points[i];
    const double chain = slice.clock * p.chain_cycles;
    const double allowed = std::max(kChainTolerance, kChainSteps * step_ / chain);
    // The sensor is in front of the row's windows, and the next sample's after them.
    slice.clean[i] = p.flags == 0 && std::abs(p.Cycle() / slice.clock - 1) <= allowed && alone(p) &&
                     (i == 0 || alone(slice.points[i - 1])) &&
                     (i + 1 == slice.points.size() || alone(slice.points[i + 1]));
  }
}

void Recording::Judge(std::optional<double> known) {
  SetClocks();
  if (static_cast<double>(points_) >= kGrowth * static_cast<double>(points_at_level_)) FindLevel();
  judged_by_ = level_.steady ? std::optional(level_.value) : std::nullopt;
  if (known && (!judged_by_ || *judged_by_ > (1 + kSensorTolerance) * *known)) judged_by_ = known;
  for (Slice& slice : slices_) SetClean(slice);
}

std::vector<Judged> Recording::Of(std::size_t row) const {
  std::vector<Judged> judged;
  for (const Slice& slice : slices_)
    if (slice.row == row)
      for (std::size_t i = 0; i < slice.points.size(); ++i)
        judged.push_back({&slice.points[i], slice.clock, slice.clean[i]});
  return judged;
}

}  // namespace irqcost
