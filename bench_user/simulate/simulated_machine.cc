/* SPDX-License-Identifier: GPL-2.0-only */
#include "simulate/simulated_machine.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/usage_error.h"
#include "simulate/backend.h"
#include "simulate/costs.h"

namespace irqcost::simulate {
namespace {

// One core, and one CPU on it that can be measured.
constexpr int kCpu = 0;

class SimulatedSibling final : public Sibling {
 public:
  explicit SimulatedSibling(Timeline& timeline) : timeline_(timeline) {}
  [[nodiscard]] std::string Name() const override { return "CPU 1"; }
  void Start() override { timeline_.SetSibling(true); }
  void Stop() override { timeline_.SetSibling(false); }

 private:
  Timeline& timeline_;
};

class SimulatedMachine final : public Machine {
 public:
  explicit SimulatedMachine(const Options& options)
      : d_(ReadDescription(options.simulate)),
        process_(options.simulate_process),
        start_s_(options.simulate_start),
        timeline_(d_, start_s_, process_),
        ring3_(MakeBackend("ring3", true, d_, process_, timeline_, {})) {}

  Backends Open(const std::vector<std::string>& names, const BackendOptions& options) override;
  Backend& Ring3() override { return *ring3_; }
  [[nodiscard]] std::vector<int> AllowedCpus() const override { return {kCpu}; }
  [[nodiscard]] std::vector<int> MeasurableCpus(std::optional<int> asked) const override {
    if (asked && *asked != kCpu) throw UsageError("--irqcost_cpu: a simulated machine has CPU 0");
    return {kCpu};
  }
  void RequireStillOn(int /*cpu*/) const override {}
  std::unique_ptr<Sibling> SiblingOf(int /*cpu*/) override {
    return d_.smt ? std::make_unique<SimulatedSibling>(timeline_) : nullptr;
  }
  void Pin(int /*cpu*/) override {}
  void RaisePriority() override {}
  [[nodiscard]] double NowUs() const override { return timeline_.NowNs() / 1e3; }
  [[nodiscard]] std::vector<double> Load() const override { return {}; }
  [[nodiscard]] Activity ActivityOf(int /*cpu*/) const override { return {}; }
  void Describe(RunContext& run, std::optional<double> tsc_khz, const Backends& backends) override;
  void DescribeCpu(RunContext& run) override;
  void Supplement(nlohmann::ordered_json& context, const Selection& selection) override;

 private:
  Description d_;
  int process_;
  double start_s_;
  Timeline timeline_;
  std::unique_ptr<Backend> ring3_;
};

Backends SimulatedMachine::Open(const std::vector<std::string>& names,
                                const BackendOptions& options) {
  Backends opened;
  for (const std::string& name : names) {
    const bool there = std::find(d_.backends.begin(), d_.backends.end(), name) != d_.backends.end();
    opened.push_back(MakeBackend(name, there, d_, process_, timeline_, options.contexts));
  }
  return opened;
}

void SimulatedMachine::Describe(RunContext& run, std::optional<double> tsc_khz,
                                const Backends& /*backends*/) {
  timeline_.Idle(std::round(d_.start_s * 1e9));
  run.hypervisor.present = !d_.identity.hypervisor.empty();
  run.hypervisor.reason = "the description names no hypervisor";
  if (run.hypervisor.present) {
    run.hypervisor.name = d_.identity.hypervisor;
    run.hypervisor.reason = "the description names a hypervisor (" + d_.identity.hypervisor + ")";
  }
  run.build = FindBuild();
  run.build.module.reset();
  run.kernel.release = run.kernel.version = "simulated";
  run.tsc = ChooseTscKhz({tsc_khz, {}, {}, {}}, d_.clock.tsc_mhz * 1e3);
  run.tsc.measured_ms = d_.start_s * 1e3;
  run.tsc.invariant = d_.clock.invariant;
  run.tsc.step = d_.clock.step;
}

void SimulatedMachine::DescribeCpu(RunContext& run) {
  run.cpu.vendor = d_.identity.vendor;
  run.cpu.brand = d_.identity.brand;
  run.cpu.family = d_.identity.family;
  run.cpu.model = d_.identity.model;
  run.cpu.stepping = d_.identity.stepping;
}

// The kind of execution becomes `simulated`; what the run took it for is in `simulated`.
void SimulatedMachine::Supplement(nlohmann::ordered_json& context, const Selection& selection) {
  nlohmann::ordered_json truth = nlohmann::ordered_json::object();
  for (const Benchmark& one : selection.benchmarks)
    truth[one.name] = TrueCost(d_, *one.supported.probe, one.mode);
  nlohmann::ordered_json& execution = context["execution"];
  context["simulated"] = {{"name", d_.name},
                          {"seed", d_.seed},
                          {"process", process_},
                          {"start_s", start_s_},
                          {"end_s", timeline_.NowNs() / 1e9},
                          {"execution", execution["kind"]},
                          {"imul_latency", d_.core.dep_imul},
                          {"truth", truth}};
  execution["kind"] = "simulated";
  execution["reason"] = "no machine: " + d_.name + " is a description, taken for " +
                        context["simulated"]["execution"].get<std::string>() + " (" +
                        execution["reason"].get<std::string>() + ")";
}

}  // namespace

std::unique_ptr<irqcost::Machine> MakeMachine(const Options& options) {
  if (!options.machine_code.empty())
    throw UsageError("--irqcost_machine_code: a simulated machine has no code to print");
  return std::make_unique<SimulatedMachine>(options);
}

}  // namespace irqcost::simulate
