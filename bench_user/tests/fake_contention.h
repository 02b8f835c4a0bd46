/* SPDX-License-Identifier: GPL-2.0-only */
// A backend without a machine that can only wait, as a test says.
#ifndef IRQCOST_BENCH_USER_TESTS_FAKE_CONTENTION_H
#define IRQCOST_BENCH_USER_TESTS_FAKE_CONTENTION_H

#include <optional>
#include <vector>

#include "backends/backend.h"
#include "backends/contention.h"

namespace irqcost {

class FakeContention final : public Backend, public ContentionBackend {
 public:
  // What a test may set.
  bool locks_sleep = false;
  std::optional<Unavailable> unavailable;
  std::vector<SupportedProbe> probes;
  std::vector<LockRequest> contended;   ///< as they came
  std::vector<DeferredRequest> raised;  ///< as they came

  [[nodiscard]] std::string_view Name() const override { return "fake"; }
  [[nodiscard]] std::optional<Unavailable> WhyUnavailable() const override { return unavailable; }
  [[nodiscard]] std::vector<SupportedProbe> SupportedProbes() const override { return probes; }
  [[nodiscard]] unsigned MaxLoops() const override { return 1; }
  Run Measure(const Request& /*request*/) override { return {}; }
  ContentionBackend* GetContention() override { return this; }
  [[nodiscard]] bool LocksSleep() const override { return locks_sleep; }

  // 100 ticks pass between two operations, whoever does them, and each waits 20 ticks.
  LockRun Contend(const LockRequest& request) override {
    contended.push_back(request);
    LockRun run;
    run.rounds = request.rounds;
    run.alone = 40;
    for (const int cpu : request.cpus) {
      irqcost_contender c{};
      c.cpu = static_cast<std::uint32_t>(cpu);
      c.rounds = request.rounds;
      c.operations = 10;
      c.ticks = c.operations * 100 * request.cpus.size();
      c.chain = std::uint64_t{IRQCOST_CONTENTION_CHAIN} * 3;
      c.waits = 10;
      c.longest_wait = 20;
      c.histogram[irqcost_wait_bin(20)] = 10;
      run.contenders.push_back(c);
    }
    return run;
  }

  DeferredRun Raise(const DeferredRequest& request) override {
    raised.push_back(request);
    irqcost_pending_sample sample{};
    sample.chain = std::uint64_t{IRQCOST_CONTENTION_CHAIN} * 3;
    sample.quiet_add = sample.pending_add = 64;
    sample.quiet_nop = sample.pending_nop = 32;
    sample.masked = 10'000;
    sample.handler = 500;
    sample.back = 800;
    sample.interrupts = 1;
    return {std::vector(request.samples, sample), 1};
  }
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_TESTS_FAKE_CONTENTION_H
