/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/estimate.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <utility>

namespace irqcost {
namespace {

template <typename Get>
std::vector<double> Column(std::span<const Point> points, Get get) {
  std::vector<double> values(points.size());
  std::transform(points.begin(), points.end(), values.begin(), get);
  return values;
}

double Ticks(const Point& point) { return point.Ticks(); }
double Cycle(const Point& point) { return point.Cycle(); }
double Sensor(const Point& point) { return point.sensor; }

template <typename Get>
double Floor(std::span<const Point> points, Get get) {
  return Quantile(Column(points, get), kFloorQuantile);
}

// Which of n values in order are in the middle: at least one.
std::pair<std::size_t, std::size_t> MiddleOf(std::size_t n) {
  const auto from = static_cast<std::size_t>(kMiddleFrom * static_cast<double>(n));
  const auto to = static_cast<std::size_t>(kMiddleTo * static_cast<double>(n));
  return {from, std::max(to, from + 1)};
}

double Middle(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto [from, to] = MiddleOf(values.size());
  const std::span<const double> middle = std::span(values).subspan(from, to - from);
  return std::accumulate(middle.begin(), middle.end(), 0.0) / static_cast<double>(middle.size());
}

// Floor of the greater window less floor of the smaller, per operation. Each window has
// noise of its own, which only adds, so both floors lie alike above the truth and the
// difference loses it. The floor of the differences does not: it prefers samples whose
// base was slow, by 0.8 of 15 cycles where a row stood in a section of 500.
// Where a backend used other loops, a sample counts as if it had used the first one's.
double TicksBetween(std::span<const Point> points, Location location) {
  const double ops = points.front().ops;
  const auto base = [ops](const Point& p) { return p.base * (ops / p.ops); };
  const auto body = [ops](const Point& p) { return p.body * (ops / p.ops); };
  if (location == Location::kMiddle)
    return (Middle(Column(points, body)) - Middle(Column(points, base))) / ops;
  return (Floor(points, body) - Floor(points, base)) / ops;
}

// Standard error of a column's floor: half of what lies between the order statistics one standard
// deviation of a binomial count to each side (David and Nagaraja, Order Statistics, 7.1). The lower
// one may not be there; the upper one has the wider distance.
double FloorError(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  const double at = kFloorQuantile * (n - 1);
  const double step = std::sqrt(n * kFloorQuantile * (1 - kFloorQuantile));
  const auto rank = [&](double r) {
    return values[static_cast<std::size_t>(std::lround(std::clamp(r, 0.0, n - 1)))];
  };
  return std::max(rank(at + step) - rank(at), (rank(at + step) - rank(at - step)) / 2);
}

// The same of a trimmed mean: the deviation of the values, those outside taken for the outermost
// inside (Tukey and McLaughlin 1963).
double MiddleError(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto [from, to] = MiddleOf(values.size());
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (double& value : values) {
    value = std::clamp(value, values[from], values[to - 1]);
    sum += value;
  }
  for (const double value : values) squares += (value - sum / n) * (value - sum / n);
  return std::sqrt(squares) / n / (kMiddleTo - kMiddleFrom);
}

// That of CycleBetweenFloors.
double CycleError(std::span<const Point> points) {
  const double cycles = points.front().chain_cycles;
  const auto base = [cycles](const Point& p) { return p.chain_base * (cycles / p.chain_cycles); };
  const auto body = [cycles](const Point& p) { return p.chain_body * (cycles / p.chain_cycles); };
  return std::hypot(FloorError(Column(points, base)), FloorError(Column(points, body))) / cycles;
}

// That of TicksBetween.
double TicksError(std::span<const Point> points, Location location) {
  const double ops = points.front().ops;
  const auto error = location == Location::kMiddle ? MiddleError : FloorError;
  const auto base = [ops](const Point& p) { return p.base * (ops / p.ops); };
  const auto body = [ops](const Point& p) { return p.body * (ops / p.ops); };
  return std::hypot(error(Column(points, base)), error(Column(points, body))) / ops;
}

// The same for the chain.
double CycleBetweenFloors(std::span<const Point> points) {
  const double cycles = points.front().chain_cycles;
  const auto base = [cycles](const Point& p) { return p.chain_base * (cycles / p.chain_cycles); };
  const auto body = [cycles](const Point& p) { return p.chain_body * (cycles / p.chain_cycles); };
  return (Floor(points, body) - Floor(points, base)) / cycles;
}

// Tells which points are free. The floor known from elsewhere is in cycles, so that it
// holds at any frequency; a point is compared at the frequency of its own run.
class Judge {
 public:
  Judge(std::span<const Point> points, double sensor_floor)
      : cycle_(Floor(points, Cycle)), sensor_(Floor(points, Sensor)) {
    if (cycle_ > 0) sensor_ = std::min(sensor_, sensor_floor * cycle_);
  }

  bool operator()(const Point& p) const {
    return p.flags == 0 && cycle_ > 0 && sensor_ > 0 && p.sensor >= kSensorLow * sensor_ &&
           p.sensor <= kSensorHigh * sensor_ &&
           std::abs(p.Cycle() - cycle_) <= kChainTolerance * cycle_;
  }

  // Whether there is nothing to judge a point by: the clock's step, or a disturbance, is as large
  // as the windows of chain or sensor. What was flagged is known to be disturbed all the same.
  [[nodiscard]] bool Unknown(const Point& p) const {
    return p.flags == 0 && !(cycle_ > 0 && sensor_ > 0);
  }

 private:
  double cycle_;
  double sensor_;
};

std::vector<Point> Free(std::span<const Point> points, const Judge& is_free) {
  std::vector<Point> free;
  std::copy_if(points.begin(), points.end(), std::back_inserter(free), is_free);
  return free;
}

// Their windows, each as if it had the first one's operations and cycles.
WindowTicks WindowsOf(std::span<const Point> points) {
  const double ops = points.front().ops, cycles = points.front().chain_cycles;
  return {
      ops,
      cycles,
      Column(points, [ops](const Point& p) { return p.base * (ops / p.ops); }),
      Column(points, [ops](const Point& p) { return p.body * (ops / p.ops); }),
      Column(points, [cycles](const Point& p) { return p.chain_base * (cycles / p.chain_cycles); }),
      Column(points,
             [cycles](const Point& p) { return p.chain_body * (cycles / p.chain_cycles); })};
}

// Floor by floor. A quotient of each sample would carry the noise of its own chain, and
// the p10 of the quotients would prefer samples with a slow chain: 0.4 % too few
// cycles where the floors agree within 0.01 %. Free samples share one clock anyhow.
std::optional<double> CoreCycles(double ticks, double cycle) {
  if (cycle <= 0) return std::nullopt;  // the chain itself was disturbed
  return ticks / cycle;
}

// The chain and the CPU's counter, both of the same samples: what they make of one multiply.
std::optional<double> ImulByCounter(std::span<const Point> points, double cycle) {
  std::vector<double> counted;
  for (const Point& point : points)
    if (point.counted > 0) counted.push_back(point.counted);
  if (counted.size() < kFewestFree || cycle <= 0) return std::nullopt;
  return IRQCOST_CHAIN_CYCLES * cycle * Quantile(std::move(counted), 0.5);
}

// Core cycles in a tick over the span of a sample; 0 where it did not count, or the CPU halted.
double Counted(const irqcost_sample& sample) {
  const auto ticks = static_cast<double>(sample.span_ticks);
  const auto mperf = static_cast<double>(sample.span_mperf);
  if (ticks == 0) return 0;
  if (mperf > 0 && std::abs(mperf - ticks) > kSpanTolerance * ticks) return 0;
  return static_cast<double>(sample.span_cycles) / ticks;
}

std::size_t Flagged(std::span<const Point> points, unsigned flag) {
  return static_cast<std::size_t>(std::count_if(
      points.begin(), points.end(), [flag](const Point& p) { return (p.flags & flag) != 0; }));
}

std::string Label(std::size_t free, std::size_t samples) {
  if (free >= kFewestFree) return "free";
  const std::string count = std::to_string(samples);
  if (samples < kFewestFree) return "few: " + count + (samples == 1 ? " sample" : " samples");
  return "disturbed: " + std::to_string(free) + " of " + count + " samples free";
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

std::vector<Point> ToPoints(const Run& run) {
  const double chain_cycles = double{IRQCOST_CHAIN_UNROLL} * IRQCOST_CHAIN_CYCLES * run.loops.chain;
  const double sensor_nops = double{IRQCOST_SENSOR_SIZE} * run.loops.sensor;
  std::vector<Point> points;
  points.reserve(run.samples.size());
  for (const irqcost_sample& s : run.samples)
    points.push_back({static_cast<double>(s.body), static_cast<double>(s.chain_body),
                      static_cast<double>(s.sensor) / sensor_nops, s.flags,
                      static_cast<double>(s.base), static_cast<double>(s.chain_base),
                      static_cast<double>(run.ops), chain_cycles, Counted(s)});
  return points;
}

Estimate EstimateFrom(std::span<const Point> points, bool with_cycles, double sensor_floor,
                      Location location) {
  const Judge is_free(points, sensor_floor);
  const std::vector<Point> free = Free(points, is_free);
  const std::span<const Point> used = free.size() >= kFewestFree ? free : points;
  const std::vector<double> all_ticks = Column(points, Ticks);
  const std::vector<double> used_ticks = Column(used, Ticks);

  Estimate e;
  e.ticks = TicksBetween(used, location);
  e.cycle = CycleBetweenFloors(used);
  if (free.size() >= kFewestFree) e.imul_by_counter = ImulByCounter(free, e.cycle);
  if (e.cycle > 0) e.sensor = Floor(used, Sensor) / e.cycle;
  if (with_cycles) e.core_cycles = CoreCycles(e.ticks, e.cycle);
  e.ticks_min = *std::min_element(all_ticks.begin(), all_ticks.end());
  e.ticks_p50 = Quantile(all_ticks, 0.50);
  e.ticks_p99 = Quantile(all_ticks, 0.99);
  e.spread = Quantile(used_ticks, 0.75) - Quantile(used_ticks, 0.25);
  e.samples = points.size();
  e.free = free.size();
  e.unknown = static_cast<std::size_t>(
      std::count_if(points.begin(), points.end(),
                    [&is_free](const Point& p) { return is_free.Unknown(p) && !is_free(p); }));
  e.interrupted = Flagged(points, IRQCOST_SAMPLE_INTERRUPTED);
  e.preempted = Flagged(points, IRQCOST_SAMPLE_PREEMPTED);
  e.migrated = Flagged(points, IRQCOST_SAMPLE_MIGRATED);
  e.label = Label(e.free, e.samples);
  return e;
}

double SamplingError(std::span<const Point> points, bool with_cycles, double sensor_floor,
                     Location location) {
  const std::vector<Point> free = Free(points, Judge(points, sensor_floor));
  const std::span<const Point> used = free.size() >= kFewestFree ? free : points;
  const double error = TicksError(used, location), cycle = CycleBetweenFloors(used);
  if (!with_cycles || cycle <= 0) return error;
  const double figure = TicksBetween(used, location) / cycle;
  return std::hypot(error, figure * CycleError(used)) / cycle;
}

Distribution Distribute(std::span<const Point> points, double sensor_floor, Location location) {
  const Judge is_free(points, sensor_floor);
  Distribution distribution;
  for (const Point& point : points)
    (is_free(point) ? distribution.free : distribution.disturbed).push_back(point.Ticks());
  const std::vector<Point> free = Free(points, is_free);
  distribution.used = WindowsOf(free.size() >= kFewestFree ? std::span<const Point>(free) : points);
  distribution.used.location = location;
  return distribution;
}

}  // namespace irqcost
