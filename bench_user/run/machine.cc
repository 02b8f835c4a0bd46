/* SPDX-License-Identifier: GPL-2.0-only */
#include "run/machine.h"

#include <chrono>

#include "backends/sibling.h"
#include "base/affinity.h"
#include "base/usage_error.h"
#include "machine/boot_log.h"
#include "machine/cpu_choice.h"
#include "machine/priority.h"

namespace irqcost {

Backends Machine::Open(const std::vector<std::string>& names, const BackendOptions& options) {
  Backends backends;
  for (const std::string& name : names) backends.push_back(OpenBackend(name, options));
  return backends;
}

Backend& Machine::Ring3() {
  if (!ring3_) ring3_ = OpenBackend("ring3", {});
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

void Machine::Describe(RunContext& run, std::optional<double> tsc_khz, const Backends& backends) {
  boot_log_ = ReadBootLog();
  run.hypervisor = FindHypervisor(boot_log_);
  run.build = FindBuild();
  TscClaims claims{tsc_khz, ClaimedKhz(), run.hypervisor.tsc_khz, std::nullopt};
  std::optional<std::uint64_t> config;
  for (const auto& backend : backends) {
    const auto facts = backend->GetKernelFacts();
    if (!facts) continue;
    config = facts->config;
    claims.kernel = facts->tsc_khz;
  }
  run.kernel = FindKernel(config, boot_log_);
  run.kernel_hypervisor = FindKernelHypervisor(boot_log_);
  run.tsc = FindTsc(claims);
}

void Machine::DescribeCpu(RunContext& run) {
  run.cpu = IdentifyCpu(run.measured_cpu, boot_log_);
  run.settings = ReadSettings(run.measured_cpu);
}

}  // namespace irqcost
