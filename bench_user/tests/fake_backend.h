/* SPDX-License-Identifier: GPL-2.0-only */
// A backend without a machine: windows take the ticks that a test says.
#ifndef IRQCOST_BENCH_USER_TESTS_FAKE_BACKEND_H
#define IRQCOST_BENCH_USER_TESTS_FAKE_BACKEND_H

#include <algorithm>
#include <cerrno>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <system_error>
#include <vector>

#include "backends/backend.h"

namespace irqcost {

class FakeBackend final : public Backend {
 public:
  // What a test may set.
  double ticks_per_op = 10;
  double ticks_per_cycle = 1;
  double ticks_per_nop = 0.25;
  double imul_latency = 3;                    ///< cycles of a multiply of the chain
  std::map<std::string_view, double> cycles;  ///< of an operation by its row, for ticks_per_op
  double overhead = 60;                       ///< of each window: fences and the like
  double hidden_in_section = 0;  ///< of ticks_per_op, what a section of any length hides
  std::string noisy;             ///< key of a row whose body takes up to …
  double noise = 0;              ///< … so many ticks more for each operation …
  std::size_t noisy_until = std::numeric_limits<std::size_t>::max();  ///< … in samples before this
  double pause = 0;                                                   ///< ticks between samples
  unsigned most_body_loops = 65536;    ///< more are cut, as the module does
  unsigned most_unroll = 65536;        ///< more is refused with EDOM, as the module does
  std::size_t contaminated_until = 0;  ///< samples before this one are flagged
  std::size_t shared_from = std::numeric_limits<std::size_t>::max();  ///< from this one on …
  double shared = 1;  ///< … a neighbour makes nops slower by this factor
  CounterOfCycles counter{{}, "a fake has none"};
  double aperf_per_tick = 0;  ///< of the counter; 0: it does not count
  double mperf_per_tick = 1;
  std::vector<SupportedProbe> probes;
  std::optional<Unavailable> unavailable;
  std::vector<Request> requests;  ///< as they came

  [[nodiscard]] std::string_view Name() const override { return "fake"; }
  [[nodiscard]] std::optional<Unavailable> WhyUnavailable() const override { return unavailable; }
  [[nodiscard]] std::vector<SupportedProbe> SupportedProbes() const override { return probes; }
  [[nodiscard]] CounterOfCycles GetCounter() const override { return counter; }
  [[nodiscard]] unsigned MaxLoops() const override { return 65536; }

  Run Measure(const Request& request) override {
    requests.push_back(request);
    if (request.unroll > most_unroll)
      throw std::system_error(EDOM, std::generic_category(), "fake: RUN");
    Run run;
    run.loops = request.loops;
    run.loops.body = std::min(run.loops.body, most_body_loops);
    const bool repeated = request.mode.kind == IRQCOST_THROUGHPUT;
    const unsigned copies = repeated ? request.unroll : 1;
    run.ops = std::uint64_t{run.loops.body} * copies;
    const double windows = request.mode == IRQCOST_ISOLATED ? run.loops.body : 1;
    const auto ops = static_cast<double>(run.ops);
    const auto own = cycles.find(request.probe->key);
    double base = 0;
    double body = ops * (own == cycles.end() ? ticks_per_op : own->second * ticks_per_cycle);
    if (repeated) {
      base = body;
      body *= 2;
    } else if (request.mode.kind == IRQCOST_IN_SITU) {
      base = ops * request.mode.section * ticks_per_cycle;
      body += base - (request.mode.section > 0 ? ops * hidden_in_section : 0);
    }
    const double chain = IRQCOST_CHAIN_UNROLL * imul_latency * ticks_per_cycle;
    for (std::size_t i = 0; i < request.samples; ++i) {
      irqcost_sample sample{};
      sample.start = static_cast<std::uint64_t>(now_);
      sample.chain_base = Window(chain * run.loops.chain);
      sample.chain_body = Window(2 * chain * run.loops.chain);
      const double nop = ticks_per_nop * (taken_ >= shared_from ? shared : 1);
      sample.sensor = Window(IRQCOST_SENSOR_SIZE * nop * run.loops.sensor);
      sample.base = Window(base, windows);
      const bool scatters = request.probe->key == noisy && taken_ < noisy_until;
      const double more = scatters ? noise * ops * Chance() : 0;
      sample.body = Window(body + more, windows);
      if (taken_++ < contaminated_until) sample.flags = IRQCOST_SAMPLE_PREEMPTED;
      if (aperf_per_tick > 0) {
        const double span = now_ - static_cast<double>(sample.start);
        sample.span_ticks = static_cast<std::uint64_t>(span);
        sample.span_cycles = static_cast<std::uint64_t>(span * aperf_per_tick);
        sample.span_mperf = static_cast<std::uint64_t>(span * mperf_per_tick);
      }
      now_ += pause;
      run.samples.push_back(sample);
    }
    return run;
  }

 private:
  std::uint64_t Window(double ticks, double windows = 1) {
    const double all = ticks + windows * overhead;
    now_ += all;
    return static_cast<std::uint64_t>(all);
  }

  double Chance() { return std::uniform_real_distribution<double>()(random_); }

  double now_ = 1000;
  std::mt19937 random_{1};
  std::size_t taken_ = 0;
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_TESTS_FAKE_BACKEND_H
