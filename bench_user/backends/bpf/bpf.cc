/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/bpf/bpf.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <irqcost/abi.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "backends/bpf/called.h"
#include "backends/bpf/jited.h"
#include "backends/bpf/record.h"
#include "backends/bpf/unavailable.h"
#include "backends/windows.h"
#include "base/affinity.h"
#include "base/unique_fd.h"
#include "irqcost_probes.skel.h"
#include "machine/clock_step.h"
#include "machine/tsc.h"

namespace irqcost {
namespace {

using Json = nlohmann::ordered_json;

// Copies of the body in the base window of probes.bpf.c.
constexpr unsigned kUnroll = 16;
constexpr std::size_t kLogBytes = 1 << 20;
// The kernel puts each program at a random multiple of 4, and a bare call costs 3.6 to 4.6 core
// cycles on Golden Cove by where its 64-byte blocks then begin. The samples of a process take turns
// through so many loads of one program, and a run has many processes, so that its interval tells
// what the place may change.
// With twice as many loads a short process has less time to measure.
constexpr std::size_t kPlacements = 8;

// That of probes.bpf.c.
constexpr const char* kLicense = "GPL";

using Object = std::shared_ptr<irqcost_probes_bpf>;

// An object of which no program is to be loaded yet.
Object Open() {
  const Object object(irqcost_probes_bpf::open(), irqcost_probes_bpf::destroy);
  if (!object) throw std::system_error(errno, std::generic_category(), "bpf: opening the programs");
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object->obj) bpf_program__set_autoload(program, false);
  return object;
}

// The first function of a row that this kernel does not have; empty where it has all.
std::string MissingFunction(const Probe& probe) {
  const std::unique_ptr<btf, decltype(&btf__free)> kernel(btf__load_vmlinux_btf(), btf__free);
  for (const std::string& name : CalledFunctions(probe.code))
    if (btf__find_by_name_kind(kernel.get(), name.c_str(), BTF_KIND_FUNC) < 0) return name;
  return {};
}

// The verifier's last word, which is before its statistics.
std::string LastMessage(const std::string& log) {
  std::istringstream lines(log);
  std::string last;
  for (std::string line; std::getline(lines, line);)
    if (!line.empty() && !line.starts_with("processed ")) last = line;
  return last;
}

// A row in the kernel, or why it cannot run: its program as libbpf loaded it, the object that this
// belongs to, and further loads. See kPlacements for why these.
struct Row {
  Object object;
  bpf_program* program = nullptr;
  std::vector<UniqueFd> further;
  std::string unusable;
  std::size_t next = 0;  ///< which of the loads has its turn
};

bpf_program* ProgramOf(const Probe& probe, const Object& object) {
  return bpf_object__find_program_by_name(object->obj, std::string(probe.key).c_str());
}

// All rows in one object: for each object libbpf reads the kernel's BTF anew, which takes longer
// than all the rest. Nothing where the kernel refuses any of them.
Object LoadAll(const std::vector<const Probe*>& probes) {
  Object object = Open();
  for (const Probe* probe : probes) bpf_program__set_autoload(ProgramOf(*probe, object), true);
  return irqcost_probes_bpf::load(object.get()) == 0 ? object : nullptr;
}

// A row in an object of its own, so that one that the kernel refuses does not take others with it.
Row LoadAlone(const Probe& probe) {
  Row row{Open(), nullptr, {}, {}, 0};
  std::vector<char> log(kLogBytes);
  row.program = ProgramOf(probe, row.object);
  bpf_program__set_autoload(row.program, true);
  bpf_program__set_log_buf(row.program, log.data(), log.size());
  if (const int error = irqcost_probes_bpf::load(row.object.get()); error != 0) {
    // Asked only now: not every function that a program can call need be in the kernel's BTF.
    if (const std::string missing = MissingFunction(probe); !missing.empty()) {
      row.unusable = "this kernel has no " + missing + "()";
      return row;
    }
    const std::string message = LastMessage(log.data());
    row.unusable = "the kernel refuses the program: " +
                   (message.empty() ? std::generic_category().message(-error) : message);
  }
  return row;
}

// Loads a row's program once more, with the instructions and maps that libbpf gave to the kernel.
UniqueFd LoadAgain(const Row& row) {
  // A program of type syscall must be sleepable, which libbpf adds on its way to the kernel.
  LIBBPF_OPTS(bpf_prog_load_opts, options,
              .prog_flags = bpf_program__flags(row.program) | BPF_F_SLEEPABLE);
  const int fd =
      bpf_prog_load(bpf_program__type(row.program), bpf_program__name(row.program), kLicense,
                    bpf_program__insns(row.program), bpf_program__insn_cnt(row.program), &options);
  if (fd < 0)
    throw std::system_error(-fd, std::generic_category(),
                            std::string("bpf: loading again ") + bpf_program__name(row.program));
  return UniqueFd(fd);
}

// The clock that bpf_ktime_get_ns() reads.
std::uint64_t MonotonicNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

class Bpf final : public Backend {
 public:
  Bpf();

  [[nodiscard]] std::string_view Name() const override { return "bpf"; }
  [[nodiscard]] std::optional<Unavailable> WhyUnavailable() const override { return unavailable_; }
  [[nodiscard]] std::vector<SupportedProbe> SupportedProbes() const override { return supported_; }
  [[nodiscard]] unsigned MaxLoops() const override { return IRQCOST_MAX_LOOPS; }
  [[nodiscard]] Clock GetClock() const override { return Clock::kNanoseconds; }
  [[nodiscard]] Clock GetSensorClock() const override { return Clock::kTscTicks; }
  [[nodiscard]] std::optional<double> Step() const override { return step_ns_; }
  [[nodiscard]] CounterOfCycles GetCounter() const override {
    return {{}, "a BPF program cannot read APERF, MPERF or the TSC"};
  }
  void Prepare(const Probe& probe) override;
  Run Measure(const Request& request) override;
  void Supplement(Json& context, const Costs& costs) override;

 private:
  std::optional<Unavailable> unavailable_;
  std::vector<SupportedProbe> supported_;
  std::map<const Probe*, Row> rows_;
  double step_ns_ = MeasureStep(MonotonicNs);
  std::set<const Probe*> measured_;  // in the catalogue's order, which is that of the pointers
};

Bpf::Bpf() {
  libbpf_set_print(nullptr);
  unavailable_ = WhyNotLoadable();
  if (!unavailable_) unavailable_ = WhyNotMeasurable();
  if (unavailable_) return;
  std::vector<const Probe*> probes;
  for (const Probe& probe : kCatalogue)
    if (probe.where & IRQCOST_BPF_ONLY) probes.push_back(&probe);
  const Object together = LoadAll(probes);
  if (!together && (unavailable_ = WhyNoLoops())) return;
  for (const Probe* probe : probes) {
    Row row = together ? Row{together, ProgramOf(*probe, together), {}, {}, 0} : LoadAlone(*probe);
    // No latency mode: a time stamp is a call, too, and its step of a nanosecond is several cycles.
    supported_.push_back({probe, {IRQCOST_THROUGHPUT}, kUnroll, kUnroll, row.unusable});
    rows_.emplace(probe, std::move(row));
  }
}

void Bpf::Prepare(const Probe& probe) {
  Row& row = rows_.at(&probe);
  while (row.unusable.empty() && row.further.size() + 1 < kPlacements)
    row.further.push_back(LoadAgain(row));
}

Run Bpf::Measure(const Request& request) {
  Prepare(*request.probe);
  Row& row = rows_.at(request.probe);
  measured_.insert(request.probe);
  if (!row.unusable.empty()) throw std::runtime_error("bpf: " + row.unusable);
  PinToCpu(request.cpu);
  std::vector<int> programs = {bpf_program__fd(row.program)};
  for (const UniqueFd& fd : row.further) programs.push_back(fd.Get());
  row.object->data->loops = request.loops.body;
  row.object->data->chain_loops = request.loops.chain;

  Run run;
  run.loops = request.loops;
  run.ops = std::uint64_t{request.loops.body} * kUnroll;
  run.samples.reserve(request.samples);
  const irqcost_window_fn sensor =
      Windows(*request.sensor, IRQCOST_RING3)[irqcost_window_index(IRQCOST_SENSOR_SIZE)];
  Scratch scratch{};
  long switches = ContextSwitches();
  std::uint64_t sensor_before = sensor(request.loops.sensor, &scratch);
  while (run.samples.size() < request.samples) {
    // Through all places, however many samples are asked for at a time.
    const int program = programs[row.next++ % programs.size()];
    const bool started_here = sched_getcpu() == request.cpu;
    LIBBPF_OPTS(bpf_test_run_opts, options);
    const int error = bpf_prog_test_run_opts(program, &options);
    if (error != 0)
      throw std::system_error(-error, std::generic_category(),
                              "bpf: running " + std::string(request.probe->key));
    if (options.retval != 0)
      throw std::runtime_error("bpf: " + std::string(request.probe->key) + " found no map");
    irqcost_sample sample = row.object->bss->sample;
    const std::uint64_t sensor_behind = sensor(request.loops.sensor, &scratch);
    sample.sensor = std::max(sensor_before, sensor_behind);
    sensor_before = sensor_behind;
    const long switches_now = ContextSwitches();
    if (switches_now != switches) sample.flags |= IRQCOST_SAMPLE_PREEMPTED;
    if (!started_here || sched_getcpu() != request.cpu) sample.flags |= IRQCOST_SAMPLE_MIGRATED;
    switches = switches_now;
    run.samples.push_back(sample);
  }
  return run;
}

void Bpf::Supplement(Json& context, const Costs& costs) {
  if (measured_.empty()) return;
  const auto source = ClockSource();
  context["backends"]["bpf"]["clock"] = {{"name", "bpf_ktime_get_ns"},
                                         {"source", source ? Json(*source) : Json(nullptr)},
                                         {"step_ns", step_ns_}};
  std::vector<MeasuredRow> rows;
  for (const Probe* probe : measured_) {
    // Further loads differ by their place alone.
    rows.push_back({probe, ReadJited(bpf_program__fd(rows_.at(probe).program), kProgramSymbol)});
  }
  Record(rows, costs, context);
}

}  // namespace

std::unique_ptr<Backend> MakeBpf(const BackendOptions& /*options*/) {
  return std::make_unique<Bpf>();
}

}  // namespace irqcost
