/* SPDX-License-Identifier: GPL-2.0-only */
// The command line. Google Benchmark's flags keep their meaning; those that this
// harness must treat itself are taken out here, all others are handed on.
#ifndef IRQCOST_BENCH_USER_RUN_OPTIONS_H
#define IRQCOST_BENCH_USER_RUN_OPTIONS_H

#include <irqcost/abi.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "backends/registry.h"
#include "measure/sampler.h"

namespace irqcost {

struct Options {
  std::optional<int> cpu;
  std::optional<std::size_t> samples;
  std::optional<unsigned> unroll;
  std::vector<std::string> backends;  ///< all where the user named none
  BackendOptions backend;
  std::optional<double> seconds;                ///< for all benchmarks together
  std::optional<double> tsc_khz;                ///< as an earlier process found it
  std::optional<std::string> sensor;            ///< row of the interference sensor
  std::map<std::string, double> sensor_levels;  ///< core cycles per nop, by backend
  Target target;                                ///< how well figures are to be known
  bool keep_samples = false;
  bool code = true;                       ///< record the machine code of what was measured
  bool contention = false;                ///< contention and deferred interrupts, too
  std::optional<unsigned> hold_ns;        ///< masked stretch with an interrupt pending
  std::vector<std::string> machine_code;  ///< functions, or rows of the module, to print
  std::string filter;  ///< Google Benchmark's: a regular expression, '-' before it negates
  std::string format = "console";
  std::string out;  ///< a file, or empty
  std::string out_format = "json";
  std::string color = "auto";
  std::vector<std::string> interleave;  ///< benchmarks that take turns, by name
  std::size_t blocks = 1;               ///< of those
  std::string simulate;                 ///< a description of a machine, or empty
  double simulate_start = 0;            ///< virtual seconds at which this process begins
  int simulate_process = 0;             ///< its number in the run
  bool list_tests = false;
  bool list_backends = false;
  bool describe = false;
  bool help = false;
  std::vector<std::string> notes;              ///< for the user, a line each
  std::vector<std::string> library_arguments;  ///< for benchmark::Initialize(), without argv[0]
};

/** Parses arguments, without argv[0]. Throws UsageError. */
Options ParseOptions(const std::vector<std::string>& arguments);

/** Text of --help. */
const char* HelpText();

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_RUN_OPTIONS_H
