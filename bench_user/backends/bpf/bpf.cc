/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/bpf/bpf.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <irqcost/abi.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "backends/affinity.h"
#include "backends/bpf/called.h"
#include "backends/bpf/jited.h"
#include "backends/bpf/obstacle.h"
#include "backends/bpf/record.h"
#include "irqcost_probes.skel.h"
#include "machine/text_file.h"

namespace irqcost {
namespace {

using Json = nlohmann::ordered_json;

// Copies of the body in the base window of probes.bpf.c.
constexpr unsigned kUnroll = 16;
constexpr std::size_t kLogBytes = 1 << 20;
// The kernel puts each program at a random multiple of 4, and a bare call costs 3.6 to 4.6 core
// cycles on Golden Cove by where its 64-byte blocks then begin. The samples of a run take turns
// through this many loads of one program, so that the spread tells what the place may change.
constexpr std::size_t kPlacements = 8;

struct Destroy {
  void operator()(irqcost_probes_bpf* skeleton) const { irqcost_probes_bpf::destroy(skeleton); }
};
using Skeleton = std::unique_ptr<irqcost_probes_bpf, Destroy>;

Skeleton Open() {
  Skeleton skeleton(irqcost_probes_bpf::open());
  if (!skeleton)
    throw std::system_error(errno, std::generic_category(), "bpf: opening the programs");
  return skeleton;
}

// The first function of a row that this kernel does not have; empty where it has all.
std::string MissingFunction(const Probe& probe) {
  const std::unique_ptr<btf, decltype(&btf__free)> kernel(btf__load_vmlinux_btf(), btf__free);
  for (const std::string& name : CalledFunctions(probe.bpf_code))
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

// One program in the kernel, in an object of its own: one that the kernel refuses does not take the
// others with it.
struct Program {
  Skeleton skeleton;
  int fd = -1;
};

// A row, or why it cannot run. See kPlacements for why it has several programs.
struct Row {
  std::vector<Program> programs;
  std::string unusable;
};

// Loads a row's program once more. Sets `unusable` where the kernel refuses it.
void Load(const Probe& probe, Row& row) {
  Skeleton skeleton = Open();
  std::vector<char> log(kLogBytes);
  bpf_program* wanted = nullptr;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton->obj) {
    const bool is_it = probe.key == bpf_program__name(program);
    bpf_program__set_autoload(program, is_it);
    if (is_it) wanted = program;
  }
  bpf_program__set_log_buf(wanted, log.data(), log.size());
  if (const int error = irqcost_probes_bpf::load(skeleton.get()); error != 0) {
    // Asked only now: not every function that a program can call need be in the kernel's BTF.
    if (const std::string missing = MissingFunction(probe); !missing.empty()) {
      row.unusable = "this kernel has no " + missing + "()";
      return;
    }
    const std::string message = LastMessage(log.data());
    row.unusable = "the kernel refuses the program: " +
                   (message.empty() ? std::generic_category().message(-error) : message);
    return;
  }
  const int fd = bpf_program__fd(wanted);
  row.programs.push_back({std::move(skeleton), fd});
}

bool IsControl(const Probe& probe) {
  constexpr std::array<std::string_view, 3> kControls = {"empty", "dep_add", "dep_imul"};
  return std::find(kControls.begin(), kControls.end(), probe.key) != kControls.end();
}

class Bpf final : public Backend {
 public:
  Bpf();

  [[nodiscard]] std::string_view Name() const override { return "bpf"; }
  [[nodiscard]] std::optional<Obstacle> GetObstacle() const override { return obstacle_; }
  [[nodiscard]] std::vector<Offer> Offers() const override { return offers_; }
  [[nodiscard]] unsigned MaxLoops() const override { return IRQCOST_MAX_LOOPS; }
  [[nodiscard]] Clock GetClock() const override { return Clock::kNanoseconds; }
  [[nodiscard]] CounterOfCycles GetCounter() const override {
    return {{}, "a BPF program cannot read APERF, MPERF or the TSC"};
  }
  void Prepare(const Probe& probe) override;
  Run Measure(const Request& request) override;
  void Supplement(Json& context, const Costs& costs) override;

 private:
  std::optional<Obstacle> obstacle_;
  std::vector<Offer> offers_;
  std::map<const Probe*, Row> rows_;
  std::set<const Probe*> measured_;  // in the catalogue's order, which is that of the pointers
  std::uint64_t step_ = 0;           // greatest common divisor of all durations so far
};

Bpf::Bpf() {
  libbpf_set_print(nullptr);
  obstacle_ = FindLoadObstacle();
  if (!obstacle_) obstacle_ = FindMeasureObstacle();
  if (obstacle_) return;
  for (const Probe& probe : kCatalogue) {
    if (probe.bpf_code.empty() && !IsControl(probe)) continue;
    Row row;
    Load(probe, row);
    // No latency mode: a time stamp is a call, too, and its step of a nanosecond is several cycles.
    offers_.push_back({&probe, {IRQCOST_THROUGHPUT}, kUnroll, kUnroll, row.unusable});
    rows_.emplace(&probe, std::move(row));
  }
}

void Bpf::Prepare(const Probe& probe) {
  Row& row = rows_.at(&probe);
  while (row.unusable.empty() && row.programs.size() < kPlacements) Load(probe, row);
}

Run Bpf::Measure(const Request& request) {
  Prepare(*request.probe);
  Row& row = rows_.at(request.probe);
  measured_.insert(request.probe);
  if (!row.unusable.empty()) throw std::runtime_error("bpf: " + row.unusable);
  PinToCpu(request.cpu);
  for (const Program& program : row.programs) {
    program.skeleton->data->loops = request.loops.body;
    program.skeleton->data->chain_loops = request.loops.chain;
    program.skeleton->data->sensor_loops = request.loops.sensor;
  }

  Run run;
  run.loops = request.loops;
  run.ops = std::uint64_t{request.loops.body} * kUnroll;
  run.samples.reserve(request.samples);
  long switches = ContextSwitches();
  while (run.samples.size() < request.samples) {
    const Program& program = row.programs[run.samples.size() % row.programs.size()];
    const bool started_here = sched_getcpu() == request.cpu;
    LIBBPF_OPTS(bpf_test_run_opts, options);
    const int error = bpf_prog_test_run_opts(program.fd, &options);
    if (error != 0)
      throw std::system_error(-error, std::generic_category(),
                              "bpf: running " + std::string(request.probe->key));
    if (options.retval != 0)
      throw std::runtime_error("bpf: " + std::string(request.probe->key) + " found no map");
    irqcost_sample sample = program.skeleton->bss->sample;
    const long switches_now = ContextSwitches();
    if (switches_now != switches) sample.flags |= IRQCOST_SAMPLE_PREEMPTED;
    if (!started_here || sched_getcpu() != request.cpu) sample.flags |= IRQCOST_SAMPLE_MIGRATED;
    switches = switches_now;
    for (const std::uint64_t duration : {sample.chain_base, sample.chain_body, sample.base})
      step_ = std::gcd(step_, duration);
    run.samples.push_back(sample);
  }
  return run;
}

void Bpf::Supplement(Json& context, const Costs& costs) {
  if (measured_.empty()) return;
  const auto source = ReadLine("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  context["backends"]["bpf"]["clock"] = {{"name", "bpf_ktime_get_ns"},
                                         {"source", source ? Json(*source) : Json(nullptr)},
                                         {"step_ns", step_}};
  std::vector<MeasuredRow> rows;
  for (const Probe* probe : measured_) {
    const std::vector<Program>& programs = rows_.at(probe).programs;
    // They differ by their place alone.
    rows.push_back(
        {probe, programs.empty() ? std::nullopt : ReadJited(programs.front().fd, kProgramSymbol)});
  }
  Record(rows, costs, context);
}

}  // namespace

std::unique_ptr<Backend> MakeBpf() { return std::make_unique<Bpf>(); }

}  // namespace irqcost
