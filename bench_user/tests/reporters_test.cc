/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/reporters.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace irqcost {
namespace {

using Report = benchmark::BenchmarkReporter::Run;

Report Popf() {
  Report run;
  run.run_name.function_name = "ring3/popf/throughput";
  run.run_name.iterations = "iterations:1";
  run.run_name.time_type = "manual_time";
  run.family_index = 0;
  run.per_family_instance_index = 0;
  run.repetition_index = 0;
  run.repetitions = 1;
  run.time_unit = benchmark::kNanosecond;
  run.iterations = 1;
  run.real_accumulated_time = 10e-9;
  run.counters[kOperationsCounter] = 1000;
  run.cpu_accumulated_time = 1;
  run.report_label = "clean";
  run.counters["ticks"] = 23;
  run.counters["core_cycles"] = 30;
  return run;
}

nlohmann::json Write(const std::vector<Report>& runs, const Samples& samples = {}) {
  benchmark::BenchmarkReporter::Context::executable_name = "/some/where/irqcost-bench";
  const auto reporter = MakeTextReporter("json");
  EXPECT_TRUE(reporter->ReportContext({}));
  reporter->ReportRuns(runs);
  reporter->Finalize();
  return nlohmann::json::parse(reporter->Text({{"schema", 1}}, samples, {}));
}

TEST(JsonReporter, WritesWhatResultsMdSays) {
  const nlohmann::json file = Write({Popf()});
  for (const char* key : {"date", "host_name", "executable", "num_cpus", "mhz_per_cpu",
                          "cpu_scaling_enabled", "caches", "load_avg", "library_build_type"})
    EXPECT_TRUE(file.at("context").contains(key)) << key;
  EXPECT_EQ(file.at("context").at("executable"), "irqcost-bench");
  EXPECT_EQ(file.at("context").at("irqcost").at("schema"), 1);
  ASSERT_EQ(file.at("benchmarks").size(), 1U);
  const nlohmann::json& popf = file.at("benchmarks").at(0);
  EXPECT_EQ(popf.at("name"), "ring3/popf/throughput");
  EXPECT_EQ(popf.at("run_name"), "ring3/popf/throughput");
  EXPECT_EQ(popf.at("run_type"), "iteration");
  EXPECT_EQ(popf.at("iterations"), 1000);
  EXPECT_FALSE(popf.contains(kOperationsCounter));
  EXPECT_DOUBLE_EQ(popf.at("real_time"), 10);
  EXPECT_DOUBLE_EQ(popf.at("cpu_time"), 10);
  EXPECT_EQ(popf.at("time_unit"), "ns");
  EXPECT_EQ(popf.at("ticks"), 23);
  EXPECT_EQ(popf.at("core_cycles"), 30);
  EXPECT_EQ(popf.at("label"), "clean");
}

TEST(JsonReporter, LeavesOutWhatGaveNoFigure) {
  Report undefined = Popf();
  undefined.real_accumulated_time = std::numeric_limits<double>::quiet_NaN();
  Report half = Popf();
  half.counters["spread"] = std::numeric_limits<double>::infinity();
  const nlohmann::json file = Write({undefined, half});
  ASSERT_EQ(file.at("benchmarks").size(), 1U);
  EXPECT_FALSE(file.at("benchmarks").at(0).contains("spread"));
}

TEST(JsonReporter, AddsTheSamplesOfEachRepetition) {
  Report second = Popf();
  second.repetition_index = 1;
  const Samples samples = {{"ring3/popf/throughput", {{{30.00001, 31}, {45}}, {{}, {-2.5}}}}};
  const nlohmann::json runs = Write({Popf(), second}, samples).at("benchmarks");
  EXPECT_EQ(runs.at(0).at("distribution"),
            nlohmann::json::parse(
                R"({"unit": "core_cycles", "clean": [30.0, 31.0], "contaminated": [45.0]})"));
  EXPECT_EQ(runs.at(1).at("distribution").at("contaminated"), nlohmann::json({-2.5}));
}

TEST(JsonReporter, IsValidWithoutABenchmark) {
  Report undefined = Popf();
  undefined.real_accumulated_time = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(Write({undefined}).at("benchmarks").empty());
}

TEST(CsvReporter, HasTheColumnsOfAllRuns) {
  Report ring0 = Popf();
  ring0.run_name.function_name = "kmod/popf/throughput";
  ring0.counters["longest_irqs_off"] = 5000;
  const auto reporter = MakeTextReporter("csv");
  reporter->ReportContext({});
  reporter->ReportRuns({Popf()});
  reporter->ReportRuns({ring0});
  reporter->Finalize();
  const std::string text = reporter->Text({}, {}, {});
  EXPECT_NE(text.find("\"longest_irqs_off\""), std::string::npos) << text;
  EXPECT_NE(text.find("\n\"ring3/popf/throughput\","), std::string::npos) << text;
  EXPECT_NE(text.find("\n\"kmod/popf/throughput\","), std::string::npos) << text;
}

TEST(JsonReporter, GivesEachRepetitionItsOwnSamples) {
  Report second = Popf();
  second.repetitions = 2;
  second.repetition_index = 1;
  // The first one failed, and has no entry.
  const Samples samples = {{"ring3/popf/throughput", {{}, {{1, 2}, {3}}}}};
  const nlohmann::json file = Write({second}, samples);
  EXPECT_EQ(file.at("benchmarks").at(0).at("distribution").at("clean"), nlohmann::json({1, 2}));
  const nlohmann::json lost = Write({second}, {{"ring3/popf/throughput", {{}}}});
  EXPECT_FALSE(lost.at("benchmarks").at(0).contains("distribution"));
}

}  // namespace
}  // namespace irqcost
