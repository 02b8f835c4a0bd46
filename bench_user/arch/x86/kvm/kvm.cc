/* SPDX-License-Identifier: GPL-2.0-only */
#include "arch/x86/kvm/kvm.h"

#include <sched.h>
#include <x86intrin.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>

#include "arch/x86/kvm/execution.h"
#include "backends/instructions.h"
#include "backends/registry.h"
#include "backends/ring3/ring3.h"
#include "backends/windows.h"
#include "base/affinity.h"

namespace irqcost {
namespace {

// The trial: long enough to tell instructions of a cycle from emulated ones of a thousand.
constexpr Loops kTrialLoops{4, 4, 4};
constexpr std::size_t kTrialSamples = 8;
constexpr std::size_t kRowSamples = 3;

// The guest's TSC is watched until its rate against the host's is known this well, or this long.
constexpr double kTscWidth = 0.01;
constexpr auto kTscFirstSpan = std::chrono::milliseconds(5);
constexpr auto kTscLongestSpan = std::chrono::milliseconds(1280);

// Around a window lie a call and two more stamps. What takes several times as long, and longer than
// the cheapest exit to a host and back, was interrupted.
constexpr std::uint64_t kGapFactor = 4;
constexpr std::uint64_t kGapTicks = 500;

irqcost_window_fn LoopWindow(const Probe& probe, unsigned size) {
  return Windows(probe, IRQCOST_RING0)[irqcost_window_index(size)];
}

// The windows and how often they run. Returns the operations that body has more than base.
std::uint64_t Fill(GuestTask& task, const Request& request) {
  const Probe& probe = *request.probe;
  task.chain_base = LoopWindow(*FindProbe("dep_imul"), IRQCOST_CHAIN_UNROLL);
  task.chain_body = LoopWindow(*FindProbe("dep_imul"), 2 * IRQCOST_CHAIN_UNROLL);
  task.sensor = LoopWindow(*request.sensor, IRQCOST_SENSOR_SIZE);
  task.chain_loops = request.loops.chain;
  task.sensor_loops = request.loops.sensor;
  task.loops = request.loops.body;
  task.singles = request.mode == IRQCOST_ISOLATED ? request.loops.body : 0;
  task.irqs = probe.irqs;
  switch (request.mode.kind) {
    case IRQCOST_THROUGHPUT:
      task.base = LoopWindow(probe, request.unroll);
      task.body = LoopWindow(probe, 2 * request.unroll);
      return std::uint64_t{request.loops.body} * request.unroll;
    case IRQCOST_ISOLATED:
      task.base = Windows(*FindProbe("empty"), IRQCOST_RING0)[0];
      task.body = Windows(probe, IRQCOST_RING0)[0];
      return request.loops.body;
    case IRQCOST_IN_SITU:
    case IRQCOST_IN_SITU_PERCPU:  // of a kernel alone: never offered
      break;
  }
  const int section = irqcost_section_index(request.mode.section);
  task.base = SectionWindows()[section];
  task.body = InSituWindows(probe, IRQCOST_RING0)[section];
  return request.loops.body;
}

// What the guest saw a window leave changed.
void ThrowFault(const GuestTask& task, const Probe& probe) {
  const std::string who = "kvm: " + std::string(probe.key);
  switch (task.fault) {
    case GuestFault::kNone:
      return;
    case GuestFault::kInterruptFlag:
      throw std::runtime_error(who + " left the interrupt flag " +
                               ((task.found & 0x200) ? "on" : "off") + ", other than its row says");
    case GuestFault::kStack:
      throw std::runtime_error(who + " left the stack pointer off by " +
                               std::to_string(static_cast<std::int64_t>(task.found)) + " bytes");
    case GuestFault::kOtherFlags:
      throw std::runtime_error(who + " left the direction, nested task or alignment flag on");
  }
}

// Samples whose stamps show that the guest was away between two windows.
void FlagGaps(Run& run, const std::vector<std::uint64_t>& gaps) {
  if (gaps.empty()) return;
  const std::uint64_t usual = *std::min_element(gaps.begin(), gaps.end());
  for (std::size_t i = 0; i < gaps.size(); ++i)
    if (gaps[i] > kGapFactor * usual + kGapTicks)
      run.samples[i].flags |= IRQCOST_SAMPLE_INTERRUPTED;
}

double Control(Backend& backend, std::string_view key, int cpu) {
  const Run run = backend.Measure(
      {FindProbe(key), IRQCOST_THROUGHPUT, cpu, IRQCOST_MAX_UNROLL, kTrialLoops, kTrialSamples});
  if (run.samples.empty())
    throw std::system_error(EINTR, std::generic_category(), "trying out the guest");
  return LeastTicks(run);
}

Trial TryControls(Backend& backend, int cpu) {
  return {Control(backend, "nop", cpu), Control(backend, "dep_add", cpu),
          Control(backend, "dep_imul", cpu)};
}

}  // namespace

Kvm::Kvm(const std::string& device, bool asked_for, KvmSystem* system) {
  try {
    vm_ = std::make_unique<KvmVm>(system ? *system : own_system_, device);
    TryOut(asked_for);
  } catch (const KvmUnavailable& error) {
    unavailable_ = {error.what(), error.remedy};
  } catch (const std::exception& error) {
    unavailable_ = {error.what(), "report it, with the kernel's version and its log (dmesg)"};
  }
}

// Finds out how the host executes the guest, and whether its figures mean anything. The thread
// keeps the CPUs that it had.
void Kvm::TryOut(bool asked_for) {
  const std::vector<int> allowed = AllowedCpus();
  Ring3 ring3;
  const Trial guest = TryControls(*this, allowed.back());
  execution_ = JudgeGuest(guest, TryControls(ring3, allowed.back()));
  if (execution_->kind == "emulated" && !asked_for) {
    BindToCpus(allowed);
    unavailable_ = {
        execution_->reason,
        "measure on a host that lends its CPU's virtualisation; --backends kvm runs it all "
        "the same, in ticks that measure the emulator"};
    return;  // The rest takes half a second there, of each process.
  }
  tsc_ratio_ = WatchTsc();
  for (const Probe& probe : kCatalogue)
    if (Windows(probe, IRQCOST_RING0)) unusable_[&probe] = TryRow(probe, allowed.back());
  BindToCpus(allowed);
  if (tsc_ratio_.low > 1 || tsc_ratio_.high < 1) {
    char text[100];
    std::snprintf(text, sizeof(text),
                  "the guest's TSC is scaled: %.3f to %.3f ticks for one of the host's",
                  tsc_ratio_.low, tsc_ratio_.high);
    unavailable_ = {text, "load kvm_intel or kvm_amd without a scaled TSC"};
  }
}

// Why a row cannot be measured; empty where it can. A CPU that runs the guest may still hand single
// instructions to the host: mov to CR8 on Intel, where no local APIC is there to take it.
std::string Kvm::TryRow(const Probe& probe, int cpu) {
  if (std::string missing = MissingInstruction(probe.needs); !missing.empty()) return missing;
  Run run;
  try {
    run = Measure({&probe, IRQCOST_ISOLATED, cpu, 0, kTrialLoops, kRowSamples});
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  if (execution_->kind == "emulated" || run.samples.empty()) return {};
  // The first samples touch memory for the first time, and any may meet an interrupt of the host.
  const irqcost_sample& least =
      *std::min_element(run.samples.begin(), run.samples.end(),
                        [](const auto& a, const auto& b) { return a.interrupts < b.interrupts; });
  if (least.interrupts < run.ops) return {};
  return "each operation leaves the guest (" + std::to_string(least.interrupts) + " exits in " +
         std::to_string(run.ops) + " operations): the figure would be that of the hypervisor";
}

// The rate of the guest's TSC, watched from outside. A stamp of the guest lies somewhere between
// the host's two around the entry, which an emulating or busy host may draw out: hence bounds.
Kvm::TscRatio Kvm::WatchTsc() {
  struct Entry {
    std::uint64_t enter, guest, leave;
  };
  const Request request{FindProbe("empty"), IRQCOST_ISOLATED, sched_getcpu(), 0, {1, 1, 1}, 1};
  const auto enter_once = [&] {
    const std::uint64_t enter = __rdtsc();
    const Run run = Measure(request);
    if (run.samples.empty())
      throw std::system_error(EINTR, std::generic_category(), "trying out the guest");
    return Entry{enter, run.samples.front().start, __rdtsc()};
  };
  for (auto span = kTscFirstSpan;; span *= 2) {
    const Entry from = enter_once();
    std::this_thread::sleep_for(span);
    const Entry to = enter_once();
    const auto ticks = static_cast<double>(to.guest - from.guest);
    const TscRatio ratio{ticks / static_cast<double>(to.leave - from.enter),
                         ticks / static_cast<double>(to.enter - from.leave)};
    if (ratio.high - ratio.low <= kTscWidth || span >= kTscLongestSpan) return ratio;
  }
}

std::vector<SupportedProbe> Kvm::SupportedProbes() const {
  std::vector<SupportedProbe> probes;
  if (unavailable_) return probes;
  for (const Probe& probe : kCatalogue)
    if (Windows(probe, IRQCOST_RING0))
      probes.push_back({&probe, Ring0Modes(probe), IRQCOST_MIN_UNROLL, IRQCOST_MAX_UNROLL,
                        unusable_.at(&probe)});
  return probes;
}

Run Kvm::Measure(const Request& request) {
  PinToCpu(request.cpu);
  GuestTask& task = vm_->Task();
  vm_->Reset();
  Run run;
  run.loops = request.loops;
  run.ops = Fill(task, request);
  std::vector<std::uint64_t> gaps;
  long switches = ContextSwitches();
  while (run.samples.size() < request.samples) {
    const bool started_here = sched_getcpu() == request.cpu;
    const VmEntry entry = vm_->Run();
    // What a signal cut short is no sample; the guest starts anew with the next run.
    if (!entry.finished) break;
    ThrowFault(task, *request.probe);
    irqcost_sample sample = task.sample;
    sample.interrupts = static_cast<std::uint32_t>(entry.exits.value_or(0));
    sample.flags = sample.interrupts > 0 ? IRQCOST_SAMPLE_INTERRUPTED : 0;
    const long switches_now = ContextSwitches();
    if (switches_now != switches) sample.flags |= IRQCOST_SAMPLE_PREEMPTED;
    if (!started_here || sched_getcpu() != request.cpu) sample.flags |= IRQCOST_SAMPLE_MIGRATED;
    switches = switches_now;
    if (entry.exits) run.exits = run.exits.value_or(0) + *entry.exits;
    gaps.push_back(task.gap);
    run.samples.push_back(sample);
  }
  FlagGaps(run, gaps);
  return run;
}

std::unique_ptr<Backend> MakeKvm(const BackendOptions& options) {
  return std::make_unique<Kvm>(options.kvm_device, options.asked_for);
}

void Kvm::Supplement(nlohmann::ordered_json& context, const Costs& /*costs*/) {
  const auto khz = vm_->TscKhz();
  context["backends"]["kvm"]["tsc"] = {
      {"khz", khz ? nlohmann::ordered_json(*khz) : nlohmann::ordered_json(nullptr)},
      {"ticks_per_host_tick", {tsc_ratio_.low, tsc_ratio_.high}}};
}

}  // namespace irqcost
