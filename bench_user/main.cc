/* SPDX-License-Identifier: GPL-2.0-only */
// irqcost-bench: what masking interrupts costs, as Google Benchmark benchmarks.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "backends/affinity.h"
#include "backends/bpf/bpf.h"
#include "backends/kmod.h"
#include "backends/kvm/kvm.h"
#include "backends/ring3.h"
#include "bench.h"
#include "machine/boot_log.h"
#include "machine/priority.h"
#include "measure/interleave.h"
#include "measure/quiet_cpu.h"
#include "options.h"
#include "report/context.h"
#include "report/interleaved.h"
#include "report/out_file.h"
#include "report/reporters.h"

namespace irqcost {
namespace {

constexpr int kFine = 0;
constexpr int kUnusable = 2;

// Time for each control before the run. They tell a CPU from an emulator, where figures are
// wrong by a factor: no wait for the last per mille.
constexpr double kControlUs = 10'000;
// Controls that began in a disturbance are measured anew; those of an emulator stay as they are.
constexpr int kControlTries = 3;

using Backends = std::vector<std::unique_ptr<Backend>>;

/** Backends in the order asked for, and the module's INFO where it is one of them. */
struct Opened {
  Backends backends;
  std::optional<irqcost_info> module;
};

Opened Open(const Options& options) {
  Opened opened;
  for (const std::string& name : options.backends) {
    if (name == "ring3") {
      opened.backends.push_back(std::make_unique<Ring3>());
    } else if (name == "bpf") {
      opened.backends.push_back(MakeBpf());
    } else if (name == "kvm") {
      opened.backends.push_back(std::make_unique<Kvm>(options.kvm_device, options.backends_asked));
    } else {
      auto kmod = std::make_unique<Kmod>(options.device, options.contexts);
      opened.module = kmod->Info();
      opened.backends.push_back(std::move(kmod));
    }
  }
  return opened;
}

// CPU 0 takes most of a machine's interrupts; the next one is of the same kind,
// while on a CPU of mixed cores the last one would not be.
int ChooseCpu(std::optional<int> asked) {
  const std::vector<int> allowed = AllowedCpus();
  if (!asked) return allowed.size() > 1 && allowed.front() == 0 ? allowed[1] : allowed.front();
  if (std::find(allowed.begin(), allowed.end(), *asked) != allowed.end()) return *asked;
  std::string list;
  for (const int cpu : allowed) list.append(" ").append(std::to_string(cpu));
  throw UsageError("--irqcost_cpu: CPU " + std::to_string(*asked) +
                   " is not online or not allowed to this process; allowed are:" + list);
}

// CPUs contend in the order of their numbers, beginning with the measuring one.
WaitOptions Waiting(const Options& options) {
  WaitOptions waits;
  waits.wanted = options.waits;
  waits.cpus = AllowedCpus();
  const auto measured = std::find(waits.cpus.begin(), waits.cpus.end(), ChooseCpu(options.cpu));
  std::rotate(waits.cpus.begin(), measured, measured + 1);
  if (options.hold_ns) waits.hold_ns = *options.hold_ns;
  return waits;
}

// The row of ring 3 by that name.
Offer ControlOffer(const Ring3& ring3, std::string_view key) {
  const std::vector<Offer> offers = ring3.Offers();
  return *std::find_if(offers.begin(), offers.end(),
                       [key](const Offer& o) { return o.probe->key == key; });
}

// Another CPU than the preferred one where that is not free just now. It is chosen by each process
// for itself: neighbours come and go.
int FindQuietCpu(int preferred, const SamplerOptions& sampler) {
  Ring3 ring3;
  std::vector<int> cpus = AllowedCpus();
  if (ring3.GetObstacle() || cpus.size() < 2) return preferred;
  // The first one is the last choice: CPU 0 takes most of a machine's interrupts.
  const auto place = std::find(cpus.begin(), cpus.end(), preferred);
  std::rotate(cpus.begin(), place, cpus.end());
  const Offer nop = ControlOffer(ring3, "nop");
  std::vector<Glance> glances;
  for (std::size_t i = 0; i < std::min(cpus.size(), kMostGlances); ++i)
    glances.push_back(LookAt(ring3, nop, cpus[i], sampler));
  return QuietCpu(glances);
}

// Probes of known cost, in ring 3 whichever backend measures: they tell how the CPU executes.
Controls MeasureControls(const SamplerOptions& sampler) {
  Ring3 ring3;
  if (const auto obstacle = ring3.GetObstacle())
    throw UsageError(obstacle->reason + ": " + obstacle->remedy);
  Floors floors;
  const auto measure = [&](std::string_view key) {
    return MeasureProbe(ring3, ControlOffer(ring3, key), IRQCOST_THROUGHPUT, sampler, floors)
        .estimate;
  };
  return {measure("nop"), measure("dep_add"), measure("dep_imul")};
}

// Whether a disturbance may have made the controls what they are.
bool Doubtful(const Controls& controls) {
  for (const Estimate* one : {&controls.nop, &controls.dep_add, &controls.dep_imul})
    if (one->label != "free") return true;
  const double ratio = controls.dep_imul.ticks / controls.dep_add.ticks;
  return std::abs(ratio / IRQCOST_CHAIN_CYCLES - 1) > 2 * kChainTolerance;
}

// Throws where nothing is selected, with the reason.
void RequireBenchmarks(const Selection& selection, const Backends& backends) {
  if (!selection.benchmarks.empty() || !selection.waits.empty()) return;
  std::string text =
      "no benchmark to run: the filter matches none (--benchmark_list_tests lists "
      "them)";
  for (const auto& backend : backends)
    if (const auto obstacle = backend->GetObstacle())
      text += "\n" + std::string(backend->Name()) + " cannot run: " + obstacle->reason +
              "; remedy: " + obstacle->remedy;
  for (const Absence& absence : selection.absent)
    text += "\n" + absence.name + " cannot run: " + absence.reason;
  throw UsageError(text);
}

// Hands on to Google Benchmark what is its own. What this program treats itself is set
// to nothing there, since the library also reads the environment.
void InitializeLibrary(const std::string& program, const Options& options, bool has_file) {
  // The library keeps a pointer to the program's name.
  static std::vector<std::string> arguments;
  arguments = {program};
  arguments.insert(arguments.end(), options.library_arguments.begin(),
                   options.library_arguments.end());
  arguments.insert(arguments.end(), {"--benchmark_list_tests=false", "--benchmark_format=console"});
  // The library asks for a file where there is a reporter for files. Ours keeps its text.
  arguments.emplace_back(has_file ? "--benchmark_out=/dev/null" : "--benchmark_out=");
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  int argc = static_cast<int>(arguments.size());
  benchmark::Initialize(&argc, argv.data());
  if (argc > 1)
    throw UsageError("unknown flag or value " + std::string(argv[1]) +
                     "; --help lists those that there are");
}

void Print(const std::string& text) {
  std::cout << text << std::flush;
  if (!std::cout) throw std::system_error(errno, std::generic_category(), "standard output");
}

// The benchmarks of --irqcost_interleave, in its order.
std::vector<Contender> Contenders(const std::vector<std::string>& names,
                                  const Selection& selection) {
  std::vector<Contender> contenders;
  for (const std::string& name : names) {
    const auto& all = selection.benchmarks;
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&name](const Benchmark& b) { return b.name == name; });
    if (found == all.end())
      throw UsageError("--irqcost_interleave: there is no benchmark " + name +
                       " here; --benchmark_list_tests lists those that there are");
    contenders.push_back({found->backend, found->offer, found->mode});
  }
  return contenders;
}

int MeasureAll(const std::vector<std::string>& command, const Options& options) {
  Opened opened = Open(options);
  RunContext run;
  run.command = command;
  run.measured_cpu = ChooseCpu(options.cpu);
  Selection selection = Select(opened.backends, options.filter, options.unroll, Waiting(options));
  RequireBenchmarks(selection, opened.backends);
  const std::vector<Contender> contenders = Contenders(options.interleave, selection);
  InitializeLibrary(command.front(), options, !options.out.empty());
  std::optional<OutFile> out;
  if (!options.out.empty()) out.emplace(options.out);

  PinToCpu(run.measured_cpu);
  run.load_at_start = ReadLoad();
  run.hypervisor = FindHypervisor();
  run.build = FindBuild();
  TscClaims claims{options.tsc_khz, TscKhzByCpuid(), run.hypervisor.tsc_khz, std::nullopt};
  std::optional<std::uint64_t> config;
  if (opened.module) {
    config = opened.module->config;
    if (opened.module->tsc_khz != 0) claims.kernel = opened.module->tsc_khz;
  }
  const std::optional<std::string> boot_log = ReadBootLog();
  run.kernel = FindKernel(config, boot_log);
  run.kernel_hypervisor = FindKernelHypervisor(boot_log);
  run.tsc = FindTsc(claims);

  SamplerOptions sampler;
  sampler.ticks_per_us = run.tsc.khz / 1e3;
  sampler.tsc_step = static_cast<double>(run.tsc.step);
  if (!options.cpu) run.measured_cpu = FindQuietCpu(run.measured_cpu, sampler);
  // Not before: a task that waits would not show to one that it does not get past.
  RaisePriority();
  PinToCpu(run.measured_cpu);
  sampler.cpu = run.measured_cpu;
  const Activity before = ReadActivity(run.measured_cpu);
  run.cpu = IdentifyCpu(run.measured_cpu, boot_log);
  run.settings = ReadSettings(run.measured_cpu);
  sampler.share_us = kControlUs;
  run.controls = MeasureControls(sampler);
  for (int again = 1; again < kControlTries && Doubtful(run.controls); ++again)
    run.controls = MeasureControls(sampler);
  run.execution = Classify(run.hypervisor, run.controls);
  sampler.unroll = options.unroll;
  sampler.target = options.target;
  sampler.samples = options.samples;
  sampler.with_cycles = run.execution.counts_cycles;
  sampler.exact = run.execution.instruction_clock;

  const std::size_t known_absent = selection.absent.size();
  for (const auto& [backend, floor] : options.sensor_floors)
    selection.floors[backend].sensor = floor;
  if (!contenders.empty()) {
    auto json = InterleavedJson(options.interleave,
                                Interleave(contenders, options.blocks, sampler, selection.floors));
    run.activity = Growth(before, ReadActivity(run.measured_cpu));
    run.load_at_end = ReadLoad();
    json["context"] = ContextJson(run, opened.backends, selection);
    Print(json.dump() + "\n");
    return kFine;
  }
  Register(selection, sampler, options.seconds);
  std::unique_ptr<TextReporter> file;
  if (out) file = MakeTextReporter(options.out_format);
  std::unique_ptr<TextReporter> text;
  std::unique_ptr<benchmark::BenchmarkReporter> console;
  if (options.format == "console")
    console = MakeConsoleReporter(options.color == "on" ||
                                  (options.color == "auto" && isatty(STDOUT_FILENO)));
  else
    text = MakeTextReporter(options.format);
  benchmark::BenchmarkReporter* display = text ? text.get() : console.get();
  benchmark::RunSpecifiedBenchmarks(display, file.get(), ".");

  run.activity = Growth(before, ReadActivity(run.measured_cpu));
  run.load_at_end = ReadLoad();
  auto context = ContextJson(run, opened.backends, selection);
  for (const auto& backend : opened.backends)
    if (!backend->GetObstacle()) backend->Supplement(context, MedianCosts(selection));
  const Samples samples = options.keep_samples ? selection.samples : Samples{};
  if (out) out->Commit(file->Text(context, samples, selection.extras));
  Print(text ? text->Text(context, samples, selection.extras) : "");
  for (const Absence& absence : selection.absent)
    std::cerr << "not measured: " << absence.name << ": " << absence.reason << "\n";
  return selection.absent.size() == known_absent ? kFine : kUnusable;
}

// Rows are read through the module, functions of the kernel through BPF.
nlohmann::ordered_json TextsJson(const Options& options) {
  const auto rows = std::count_if(options.text.begin(), options.text.end(), NamesModuleText);
  if (rows == 0) return LiveTextJson(options.text);
  if (rows == std::ssize(options.text)) return ModuleTextJson(options.device, options.text);
  throw UsageError("--irqcost_text: either rows, such as kmod/cli_sti, or functions, not both");
}

int Main(const std::vector<std::string>& command) {
  const Options options = ParseOptions({command.begin() + 1, command.end()});
  if (options.help) {
    Print(HelpText());
  } else if (!options.text.empty()) {
    Print(TextsJson(options).dump(2) + "\n");
  } else if (options.list_backends) {
    Print(BackendsJson(Open(options).backends).dump(2) + "\n");
  } else if (options.list_tests) {
    const Opened opened = Open(options);
    const Selection selection =
        Select(opened.backends, options.filter, options.unroll, Waiting(options));
    RequireBenchmarks(selection, opened.backends);
    std::string names;
    for (const Benchmark& bench : selection.benchmarks) names += bench.name + "\n";
    for (const WaitBenchmark& bench : selection.waits) names += bench.name + "\n";
    Print(names);
  } else {
    return MeasureAll(command, options);
  }
  return kFine;
}

}  // namespace
}  // namespace irqcost

int main(int argc, char** argv) {
  try {
    return irqcost::Main({argv, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "irqcost-bench: " << error.what() << "\n";
    return irqcost::kUnusable;
  }
}
