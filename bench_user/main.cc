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

#include "backends/bpf/bpf.h"
#include "backends/kmod/kmod.h"
#include "base/affinity.h"
#include "base/usage_error.h"
#include "measure/calibration.h"
#include "measure/execution.h"
#include "measure/interleave.h"
#include "measure/quiet_cpu.h"
#include "measure/sensor.h"
#include "report/context.h"
#include "report/describe.h"
#include "report/interleaved.h"
#include "report/out_file.h"
#include "report/reporters.h"
#include "run/bench.h"
#include "run/machine.h"
#include "run/options.h"
#include "simulate/simulated_machine.h"

namespace irqcost {
namespace {

constexpr int kFine = 0;
constexpr int kUnusable = 2;
constexpr int kCpuGone = 3;

// CPUs contend in the order of their numbers, beginning with the measuring one.
ContentionOptions FindContentionOptions(const Machine& machine, const Options& options,
                                        int measured) {
  ContentionOptions contention;
  contention.wanted = options.contention;
  contention.cpus = {measured};
  for (const int cpu : machine.AllowedCpus())
    if (cpu != measured) contention.cpus.push_back(cpu);
  if (options.hold_ns) contention.hold_ns = *options.hold_ns;
  return contention;
}

// The row of ring 3 by that name.
SupportedProbe ControlProbe(const Backend& ring3, std::string_view key) {
  const std::vector<SupportedProbe> probes = ring3.SupportedProbes();
  return *std::find_if(probes.begin(), probes.end(),
                       [key](const SupportedProbe& o) { return o.probe->key == key; });
}

// Another CPU than the first one where that is not free just now. It is chosen by each process
// for itself: neighbours come and go.
int FindQuietCpu(Backend& ring3, const std::vector<int>& cpus, const SamplerOptions& sampler) {
  if (ring3.WhyUnavailable() || cpus.size() < 2) return cpus.front();
  const SupportedProbe nop = ControlProbe(ring3, "nop");
  std::vector<CpuScan> scans;
  for (std::size_t i = 0; i < std::min(cpus.size(), kMostScanned); ++i)
    scans.push_back(ScanCpu(ring3, nop, cpus[i], sampler));
  return QuietCpu(scans);
}

// Throws where nothing is selected, with the reason.
void RequireBenchmarks(const Selection& selection, const Backends& backends) {
  if (!selection.benchmarks.empty() || !selection.contention.empty()) return;
  std::string text =
      "no benchmark to run: the filter matches none (--benchmark_list_tests lists "
      "them)";
  for (const auto& backend : backends)
    if (const auto unavailable = backend->WhyUnavailable())
      text += "\n" + std::string(backend->Name()) + " cannot run: " + unavailable->reason +
              "; remedy: " + unavailable->remedy;
  for (const Absence& absence : selection.results.absent)
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
    contenders.push_back({found->backend, found->supported, found->mode});
  }
  return contenders;
}

// Finds the CPU to measure on and binds to it, its clock, and what a core cycle is there. Returns
// what the sampler needs to know of that.
SamplerOptions FindConditions(Machine& machine, const Options& options,
                              const std::vector<int>& cpus, RunContext& run) {
  SamplerOptions sampler;
  sampler.ticks_per_us = run.tsc.khz / 1e3;
  sampler.tsc_step = run.tsc.step;
  Backend& ring3 = machine.Ring3();
  if (const auto unavailable = ring3.WhyUnavailable())
    throw UsageError(unavailable->reason + ": " + unavailable->remedy);
  run.measured_cpu = FindQuietCpu(ring3, cpus, sampler);
  // Raise the priority only now: earlier it would hide competing tasks from the scan.
  machine.RaisePriority();
  machine.Pin(run.measured_cpu);
  sampler.cpu = run.measured_cpu;
  run.activity = machine.ActivityOf(run.measured_cpu);
  machine.DescribeCpu(run);
  run.controls = MeasureControls(ring3, sampler, [&machine] { return machine.NowUs(); });
  run.calibration = Calibrate(run.controls);
  run.execution = Classify(run.hypervisor, run.controls, run.calibration);
  sampler.imul_latency = run.calibration.imul_latency.value_or(1);
  if (options.sensor) {
    run.sensor = {FindProbe(*options.sensor), "asked for"};
  } else if (run.execution.kind != "emulated") {
    const std::unique_ptr<Sibling> sibling = machine.SiblingOf(run.measured_cpu);
    run.sensor = ChooseSensor(ring3, sampler, run.controls, sibling.get());
    machine.Pin(run.measured_cpu);
  }
  sampler.sensor = run.sensor.probe;
  sampler.sensor_levels = options.sensor_levels;
  sampler.unroll = options.unroll;
  sampler.target = options.target;
  sampler.samples = options.samples;
  sampler.with_cycles = run.execution.counts_cycles;
  sampler.exact = run.execution.instruction_clock;
  return sampler;
}

// What a result says of the run, when all is measured.
nlohmann::ordered_json Describe(Machine& machine, RunContext& run, const Backends& backends,
                                const Selection& selection) {
  machine.RequireStillOn(run.measured_cpu);
  run.activity = Growth(run.activity, machine.ActivityOf(run.measured_cpu));
  run.load_at_end = machine.Load();
  return ContextJson(run, backends, ProbesOf(selection), selection.results);
}

std::unique_ptr<benchmark::BenchmarkReporter> MakeConsole(const std::string& color) {
  return MakeConsoleReporter(color == "on" || (color == "auto" && isatty(STDOUT_FILENO)));
}

// Measures what is selected and reports it, to standard output and, with @out, to a file.
int MeasureSelected(Machine& machine, const Options& options, RunContext& run,
                    const Backends& backends, Selection& selection, const SamplerOptions& sampler,
                    std::optional<OutFile>& out) {
  const std::size_t known_absent = selection.results.absent.size();
  Register(selection, sampler, options.seconds, [&machine] { return machine.NowUs(); });
  std::unique_ptr<TextReporter> file, text;
  std::unique_ptr<benchmark::BenchmarkReporter> console;
  if (out) file = MakeTextReporter(options.out_format);
  if (options.format == "console")
    console = MakeConsole(options.color);
  else
    text = MakeTextReporter(options.format);
  benchmark::BenchmarkReporter* display = text ? text.get() : console.get();
  benchmark::RunSpecifiedBenchmarks(display, file.get(), ".");

  auto context = Describe(machine, run, backends, selection);
  for (const auto& backend : backends)
    if (options.code && !backend->WhyUnavailable())
      backend->Supplement(context, MedianCosts(selection.results));
  machine.Supplement(context, selection);
  const Results& results = selection.results;
  const Samples samples = options.keep_samples ? results.samples : Samples{};
  if (out) out->Commit(file->Text(context, samples, results.extras));
  Print(text ? text->Text(context, samples, results.extras) : "");
  for (const Absence& absence : results.absent)
    std::cerr << "not measured: " << absence.name << ": " << absence.reason << "\n";
  return results.absent.size() == known_absent ? kFine : kUnusable;
}

int MeasureAll(Machine& machine, const std::vector<std::string>& command, const Options& options) {
  const Backends backends = machine.Open(options.backends, options.backend);
  RunContext run;
  run.command = command;
  // Before this thread is bound to one of them: afterwards it is allowed no other.
  const std::vector<int> cpus = machine.MeasurableCpus(options.cpu);
  run.measured_cpu = cpus.front();
  Selection selection = Select(backends, options.filter, options.unroll,
                               FindContentionOptions(machine, options, run.measured_cpu));
  RequireBenchmarks(selection, backends);
  const std::vector<Contender> contenders = Contenders(options.interleave, selection);
  InitializeLibrary(command.front(), options, !options.out.empty());
  std::optional<OutFile> out;
  if (!options.out.empty()) out.emplace(options.out);

  machine.Pin(run.measured_cpu);
  run.load_at_start = machine.Load();
  machine.Describe(run, options.tsc_khz, backends);
  const SamplerOptions sampler = FindConditions(machine, options, cpus, run);
  if (contenders.empty())
    return MeasureSelected(machine, options, run, backends, selection, sampler, out);
  auto json = InterleavedJson(options.interleave, Interleave(contenders, options.blocks, sampler));
  json["context"] = Describe(machine, run, backends, selection);
  machine.Supplement(json["context"], selection);
  Print(json.dump() + "\n");
  return kFine;
}

// Rows are read through the module, functions of the kernel through BPF.
nlohmann::ordered_json MachineCodeJson(const Options& options) {
  const auto rows =
      std::count_if(options.machine_code.begin(), options.machine_code.end(), NamesModuleCode);
  if (rows == 0) return LiveCodeJson(options.machine_code);
  if (rows == std::ssize(options.machine_code))
    return ModuleCodeJson(options.backend.kmod_device, options.machine_code);
  throw UsageError(
      "--irqcost_machine_code: either rows, such as kmod/cli_sti, or functions, not both");
}

std::unique_ptr<Machine> MakeMachine(const Options& options) {
  if (options.simulate.empty()) return std::make_unique<Machine>();
  return simulate::MakeMachine(options);
}

int Main(const std::vector<std::string>& command) {
  const Options options = ParseOptions({command.begin() + 1, command.end()});
  for (const std::string& note : options.notes) std::cerr << "irqcost-bench: " << note << "\n";
  if (options.help) {
    Print(HelpText());
    return kFine;
  }
  if (options.describe) {
    Print(DescribeJson().dump(1) + "\n");
    return kFine;
  }
  const std::unique_ptr<Machine> machine = MakeMachine(options);
  if (!options.machine_code.empty()) {
    Print(MachineCodeJson(options).dump(2) + "\n");
  } else if (options.list_backends) {
    Print(BackendsJson(machine->Open(options.backends, options.backend)).dump(2) + "\n");
  } else if (options.list_tests) {
    const Backends backends = machine->Open(options.backends, options.backend);
    const int measured = machine->MeasurableCpus(options.cpu).front();
    const Selection selection = Select(backends, options.filter, options.unroll,
                                       FindContentionOptions(*machine, options, measured));
    RequireBenchmarks(selection, backends);
    std::string names;
    for (const Benchmark& bench : selection.benchmarks) names += bench.name + "\n";
    for (const ContentionBenchmark& bench : selection.contention) names += bench.name + "\n";
    Print(names);
  } else {
    return MeasureAll(*machine, command, options);
  }
  return kFine;
}

}  // namespace
}  // namespace irqcost

int main(int argc, char** argv) {
  try {
    return irqcost::Main({argv, argv + argc});
  } catch (const irqcost::CpuGone& error) {
    std::cerr << "irqcost-bench: " << error.what() << "\n";
    return irqcost::kCpuGone;
  } catch (const std::exception& error) {
    std::cerr << "irqcost-bench: " << error.what() << "\n";
    return irqcost::kUnusable;
  }
}
