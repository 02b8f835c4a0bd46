/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine.h"

#include <chrono>
#include <map>
#include <string_view>
#include <utility>

#include "backends/affinity.h"
#include "backends/bpf/bpf.h"
#include "backends/kmod.h"
#include "backends/kvm/kvm.h"
#include "backends/ring3.h"
#include "backends/sibling.h"
#include "machine/boot_log.h"
#include "machine/cpu_choice.h"
#include "machine/priority.h"
#include "simulate/simulated_machine.h"

namespace irqcost {

namespace {

using Module = std::optional<irqcost_info>;
using Factory = std::unique_ptr<Backend> (*)(const Options&, Module&);

// One for each of kBackendKinds.
const std::map<std::string_view, Factory> kFactories = {
    {"ring3",
     [](const Options&, Module&) -> std::unique_ptr<Backend> {
       return std::make_unique<irqcost::Ring3>();
     }},
    {"kmod",
     [](const Options& options, Module& module) -> std::unique_ptr<Backend> {
       auto kmod = std::make_unique<Kmod>(options.device, options.contexts);
       module = kmod->Info();
       return kmod;
     }},
    {"bpf", [](const Options&, Module&) { return MakeBpf(); }},
    {"kvm",
     [](const Options& options, Module&) -> std::unique_ptr<Backend> {
       return std::make_unique<Kvm>(options.kvm_device, options.backends_asked);
     }},
};

}  // namespace

Opened Machine::Open(const Options& options) {
  Opened opened;
  for (const std::string& name : options.backends)
    opened.backends.push_back(kFactories.at(name)(options, opened.module));
  return opened;
}

Backend& Machine::Ring3() {
  if (!ring3_) ring3_ = std::make_unique<irqcost::Ring3>();
  return *ring3_;
}

std::vector<int> Machine::AllowedCpus() const { return irqcost::AllowedCpus(); }

std::vector<int> Machine::MeasurableCpus(std::optional<int> asked) const {
  const CpuAccess access = OwnCpuAccess();
  if (!asked) return CpusByPreference(access);
  const std::string why = WhyNotOn(*asked, access);
  if (!why.empty()) throw UsageError("--irqcost_cpu: " + why);
  return {*asked};
}

// A CPU that goes offline hands its tasks to others, and lets them run anywhere.
void Machine::RequireStillOn(int cpu) const {
  if (irqcost::AllowedCpus() != std::vector{cpu}) throw CpuGone(cpu);
}

// The caller is bound to one CPU by now, so it is the kernel that must be asked.
std::unique_ptr<Sibling> Machine::SiblingOf(int cpu) {
  const auto list = ReadSettings(cpu).siblings;
  if (!list) return nullptr;
  for (const int other : CpuList(*list))
    if (other != cpu && CanBindTo(other)) return std::make_unique<SiblingThread>(other);
  return nullptr;
}

void Machine::Pin(int cpu) { PinToCpu(cpu); }

void Machine::RaisePriority() { irqcost::RaisePriority(); }

double Machine::NowUs() const {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::micro>(now).count();
}

std::vector<double> Machine::Load() const { return ReadLoad(); }

Activity Machine::ActivityOf(int cpu) const { return ReadActivity(cpu); }

void Machine::Describe(RunContext& run, const Options& options,
                       const std::optional<irqcost_info>& module) {
  run.hypervisor = FindHypervisor();
  run.build = FindBuild();
  TscClaims claims{options.tsc_khz, TscKhzByCpuid(), run.hypervisor.tsc_khz, std::nullopt};
  std::optional<std::uint64_t> config;
  if (module) {
    config = module->config;
    if (module->tsc_khz != 0) claims.kernel = module->tsc_khz;
  }
  boot_log_ = ReadBootLog();
  run.kernel = FindKernel(config, boot_log_);
  run.kernel_hypervisor = FindKernelHypervisor(boot_log_);
  run.tsc = FindTsc(claims);
}

void Machine::DescribeCpu(RunContext& run) {
  run.cpu = IdentifyCpu(run.measured_cpu, boot_log_);
  run.settings = ReadSettings(run.measured_cpu);
}

std::unique_ptr<Machine> MakeMachine(const Options& options) {
  if (options.simulate.empty()) return std::make_unique<Machine>();
  return simulate::MakeMachine(options);
}

}  // namespace irqcost
