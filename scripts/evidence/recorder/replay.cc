/* SPDX-License-Identifier: GPL-2.0-only */
// Replays recordings through the harness's own rule of clock, cleanness and estimate, for rule.py.
//
// irqcost-replay STEP [LEVEL] <RECORDING: the lines of record.cc with the number of a process in
// front, and "# NUMBER ROW/MODE" lines. STEP is that of the clock in ticks; LEVEL that of the
// sensor as it is known from elsewhere. Prints a line a process:
//     level PROCESS LEVEL STEADY
// and a line a figure:
//     figure PROCESS NUMBER CYCLES ERROR RESOLUTION CLEAN SAMPLES
// and, where it is of clean samples, what estimators 1 and 2 make of them (docs/RESULTS.md):
//     older PROCESS NUMBER CYCLES_1 CYCLES_2
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "measure/estimate.h"
#include "measure/location.h"
#include "measure/recording.h"

namespace irqcost {
namespace {

struct Line {
  int process;
  std::size_t row;
  Point point;
};

std::optional<Line> Parse(const std::string& text) {
  Line line{};
  Point& p = line.point;
  std::istringstream in(text);
  in >> line.process >> line.row >> p.chain_base >> p.chain_body >> p.base >> p.body >> p.sensor >>
      p.flags >> p.ops >> p.chain_cycles;
  if (!in) return std::nullopt;
  return line;
}

// As before windows were divided by the clock of their sample: a location of each column in ticks,
// by that of the chain.
template <typename Locate>
double InTicks(const std::vector<Judged>& clean, Locate locate) {
  const auto column = [&](double Point::*window) {
    std::vector<double> values;
    for (const Judged& j : clean) values.push_back(j.point->*window);
    return locate(std::move(values));
  };
  const Point& first = *clean.front().point;
  const double row = (column(&Point::body) - column(&Point::base)) / first.ops;
  const double chain = column(&Point::chain_body) - column(&Point::chain_base);
  return row / (chain / first.chain_cycles);
}

void ShowOlder(int process, std::size_t row, std::span<const Judged> points, bool throughput) {
  std::vector<Judged> clean;
  std::copy_if(points.begin(), points.end(), std::back_inserter(clean),
               [](const Judged& j) { return j.clean; });
  const auto low = [](std::vector<double> values) { return LowQuantile(std::move(values)).value; };
  const double first = InTicks(clean, low);
  std::printf("older %d %zu %.6f %.6f\n", process, row, first,
              throughput ? first : InTicks(clean, TrimmedMean));
}

void Show(int process, const std::vector<Line>& lines, const std::map<std::size_t, bool>& bands,
          double step, std::optional<double> known) {
  Recording recording(step);
  std::map<std::size_t, std::size_t> rows;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t row = lines[at].row;
    if (!rows.contains(row)) rows[row] = recording.NewRow();
    std::vector<Point> points;
    for (; at < lines.size() && lines[at].row == row && points.size() < kSlice; ++at)
      points.push_back(lines[at].point);
    recording.Add(rows[row], std::move(points));
  }
  recording.Judge(known);
  std::printf("level %d %.6f %d\n", process, recording.Level().value, recording.Level().steady);
  for (const auto& [row, number] : rows) {
    const Location location = bands.at(row) ? Location::kLowBand : Location::kWithinDeviations;
    const Estimate e = EstimateFrom(recording.Of(number), {location, true, step}, recording);
    std::printf("figure %d %zu %.6f %.6f %.6f %zu %zu\n", process, row, e.core_cycles.value_or(0),
                e.error, e.cycles_resolution, e.label == kCleanLabel ? e.clean : 0, e.samples);
    if (e.label == kCleanLabel) ShowOlder(process, row, recording.Of(number), bands.at(row));
  }
}

void Replay(double step, std::optional<double> known) {
  std::map<std::size_t, bool> bands;  // of rows in throughput mode
  std::vector<Line> lines;
  for (std::string text; std::getline(std::cin, text);) {
    if (text.starts_with("#")) {
      bands[std::strtoul(text.c_str() + 2, nullptr, 10)] = text.ends_with("/throughput");
      continue;
    }
    const std::optional<Line> line = Parse(text);
    if (!line) continue;
    if (!lines.empty() && lines.front().process != line->process) {
      Show(lines.front().process, lines, bands, step, known);
      lines.clear();
    }
    lines.push_back(*line);
  }
  if (!lines.empty()) Show(lines.front().process, lines, bands, step, known);
}

}  // namespace
}  // namespace irqcost

int main(int count, char** arguments) {
  if (count != 2 && count != 3) {
    std::fprintf(stderr, "usage: irqcost-replay STEP [LEVEL] <RECORDING\n");
    return 2;
  }
  const std::optional<double> known =
      count == 3 ? std::optional(std::atof(arguments[2])) : std::nullopt;
  irqcost::Replay(std::atof(arguments[1]), known);
}
