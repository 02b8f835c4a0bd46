/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/reporters.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace irqcost {
namespace {

using Run = benchmark::BenchmarkReporter::Run;
using Context = benchmark::BenchmarkReporter::Context;

Run Plain(Run run) {
  // The library makes the suffix "/iterations:1/manual_time" of these two.
  run.run_name.iterations.clear();
  run.run_name.time_type.clear();
  const auto operations = run.counters.find(kOperationsCounter);
  if (operations != run.counters.end()) {
    if (run.run_type == Run::RT_Iteration) {
      run.iterations = static_cast<benchmark::IterationCount>(operations->second.value);
      run.real_accumulated_time *= operations->second.value;
    }
    run.counters.erase(operations);
  }
  // What the harness itself used of the CPU says nothing about the probe.
  run.cpu_accumulated_time = run.real_accumulated_time;
  return run;
}

std::vector<Run> Plain(const std::vector<Run>& runs) {
  std::vector<Run> plain;
  plain.reserve(runs.size());
  std::transform(runs.begin(), runs.end(), std::back_inserter(plain),
                 [](const Run& run) { return Plain(run); });
  return plain;
}

// The field's name changed in Google Benchmark 1.8.
template <typename AnyRun>
bool Failed(const AnyRun& run) {
  if constexpr (requires { run.error_occurred; })
    return run.error_occurred;
  else
    return run.skipped != decltype(run.skipped){};
}

// What a file may hold: runs that gave a figure. An aggregate of nothing (the
// coefficient of variation of figures that are 0) is none, and no JSON either.
std::vector<Run> Measured(const std::vector<Run>& runs) {
  std::vector<Run> measured = Plain(runs);
  std::erase_if(measured, [](const Run& run) {
    return Failed(run) || !std::isfinite(run.GetAdjustedRealTime());
  });
  for (Run& run : measured)
    std::erase_if(run.counters,
                  [](const auto& counter) { return !std::isfinite(counter.second.value); });
  return measured;
}

constexpr benchmark::ConsoleReporter::OutputOptions Output(bool color) {
  return color ? benchmark::ConsoleReporter::OO_ColorTabular
               : benchmark::ConsoleReporter::OO_Tabular;
}

// On a screen the figures, their quality, and no more: the rest is in the file.
class Console final : public benchmark::ConsoleReporter {
 public:
  explicit Console(bool color) : ConsoleReporter(Output(color)) {}

  bool ReportContext(const Context& context) override {
    constexpr std::size_t kSuffix = std::string_view("/iterations:1/manual_time").size();
    Context plain = context;
    plain.name_field_width -= std::min(plain.name_field_width, kSuffix);
    // The library warns where its own build is slow. It times nothing here.
    std::ostream& errors = GetErrorStream();
    std::stringstream remarks;
    SetErrorStream(&remarks);
    const bool go_on = ConsoleReporter::ReportContext(plain);
    SetErrorStream(&errors);
    for (std::string line; std::getline(remarks, line);)
      if (line.find("Library was built as DEBUG") == std::string::npos) errors << line << "\n";
    return go_on;
  }

  void ReportRuns(const std::vector<Run>& runs) override {
    constexpr std::array<std::string_view, 5> kShown = {"ticks", "core_cycles", "spread", "samples",
                                                        "clean"};
    std::vector<Run> shown = Plain(runs);
    for (Run& run : shown)
      std::erase_if(run.counters, [&](const auto& counter) {
        return std::find(kShown.begin(), kShown.end(), counter.first) == kShown.end();
      });
    ConsoleReporter::ReportRuns(shown);
  }
};

class ConsoleText final : public TextReporter {
 public:
  ConsoleText() { console_.SetOutputStream(&text_); }
  bool ReportContext(const Context& context) override { return console_.ReportContext(context); }
  void ReportRuns(const std::vector<Run>& runs) override { console_.ReportRuns(runs); }
  [[nodiscard]] std::string Text(const nlohmann::ordered_json& /*context*/,
                                 const Samples& /*samples*/,
                                 const Extras& /*extras*/) const override {
    return text_.str();
  }

 private:
  Console console_{false};
  std::ostringstream text_;
};

// Six digits: a sample is not good to more.
nlohmann::ordered_json Rounded(const std::vector<double>& values) {
  auto json = nlohmann::ordered_json::array();
  for (const double value : values) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.6g", value);
    json.push_back(std::strtod(text, nullptr));
  }
  return json;
}

void AddSamples(nlohmann::ordered_json& benchmarks, const Samples& samples) {
  for (auto& entry : benchmarks) {
    const auto found = samples.find(entry.at("run_name").get<std::string>());
    if (found == samples.end() || entry.at("run_type") != "iteration") continue;
    const auto repetition = entry.at("repetition_index").get<std::size_t>();
    if (repetition >= found->second.size()) continue;
    const Distribution& distribution = found->second[repetition];
    entry["distribution"] = {{"unit", entry.contains("core_cycles") ? "core_cycles" : "ticks"},
                             {"clean", Rounded(distribution.clean)},
                             {"contaminated", Rounded(distribution.contaminated)}};
  }
}

void AddExtras(nlohmann::ordered_json& benchmarks, const Extras& extras) {
  for (auto& entry : benchmarks) {
    const auto found = extras.find(entry.at("run_name").get<std::string>());
    if (found == extras.end() || entry.at("run_type") != "iteration") continue;
    const Extra& extra = found->second.at(entry.at("repetition_index").get<std::size_t>());
    entry[extra.key] = extra.object;
  }
}

// The library's own JSON, so that its readers find what they know, with our context added.
class Json final : public TextReporter {
 public:
  Json() { json_.SetOutputStream(&text_); }
  bool ReportContext(const Context& context) override { return json_.ReportContext(context); }
  void ReportRuns(const std::vector<Run>& runs) override {
    if (const std::vector<Run> measured = Measured(runs); !measured.empty())
      json_.ReportRuns(measured);
  }
  void Finalize() override { json_.Finalize(); }

  [[nodiscard]] std::string Text(const nlohmann::ordered_json& context, const Samples& samples,
                                 const Extras& extras) const override {
    auto document = nlohmann::ordered_json::parse(text_.str());
    auto& executable = document.at("context").at("executable");
    executable = std::filesystem::path(executable.get<std::string>()).filename().string();
    document["context"]["irqcost"] = context;
    AddSamples(document["benchmarks"], samples);
    AddExtras(document["benchmarks"], extras);
    // Thousands of samples are not for reading: no line for each.
    const int indent = samples.empty() ? 2 : -1;
    return document.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
           "\n";
  }

 private:
  benchmark::JSONReporter json_;
  std::ostringstream text_;
};

BENCHMARK_DISABLE_DEPRECATED_WARNING
// The library takes the columns from the first runs that it sees, and rows of
// ring 0 have more of them: it is shown all at once.
class Csv final : public TextReporter {
 public:
  Csv() { csv_.SetOutputStream(&text_); }
  bool ReportContext(const Context& context) override { return csv_.ReportContext(context); }
  void ReportRuns(const std::vector<Run>& runs) override {
    const std::vector<Run> measured = Measured(runs);
    runs_.insert(runs_.end(), measured.begin(), measured.end());
  }
  void Finalize() override {
    if (!runs_.empty()) csv_.ReportRuns(runs_);
  }
  [[nodiscard]] std::string Text(const nlohmann::ordered_json& /*context*/,
                                 const Samples& /*samples*/,
                                 const Extras& /*extras*/) const override {
    return text_.str();
  }

 private:
  benchmark::CSVReporter csv_;
  std::ostringstream text_;
  std::vector<Run> runs_;
};
BENCHMARK_RESTORE_DEPRECATED_WARNING

}  // namespace

std::unique_ptr<benchmark::BenchmarkReporter> MakeConsoleReporter(bool color) {
  return std::make_unique<Console>(color);
}

std::unique_ptr<TextReporter> MakeTextReporter(const std::string& format) {
  if (format == "json") return std::make_unique<Json>();
  if (format == "csv") return std::make_unique<Csv>();
  return std::make_unique<ConsoleText>();
}

}  // namespace irqcost
