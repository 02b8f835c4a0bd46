/* SPDX-License-Identifier: GPL-2.0-only */
#include "simulate/backend.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "simulate/costs.h"

namespace irqcost::simulate {
namespace {

// Copies in the base window of a BPF program, and loads of it that take turns (backends/bpf).
constexpr unsigned kBpfUnroll = 16;
// As the module has them (IRQCOST_CALL_MAX_UNROLL) and backends/ring3.cc.
constexpr unsigned kCallUnroll = IRQCOST_MAX_UNROLL / 2;
constexpr unsigned kFaultUnroll = 4;
// From one window to the next: call and return. Then what a sample and a run take beside windows.
constexpr double kCallCycles = 10;
constexpr double kRecordNs = 100;
// A load, an add and a store to the same place: the section in situ/percpu.
constexpr double kPerCpuCycles = 6;
// Multiplies between single windows, in the mean (VaryPhase of backends/ring3.cc).
constexpr double kPhaseMultiplies = 15;
constexpr double kRunNs = 2000;

// The kinds of rows (irqcost_where) that a backend has; 0 where it cannot be simulated.
unsigned RowsOf(std::string_view name) {
  constexpr std::pair<std::string_view, unsigned> kRows[] = {
      {"ring3", IRQCOST_RING3}, {"kmod", IRQCOST_RING0}, {"bpf", IRQCOST_BPF_ONLY}};
  for (const auto& [known, rows] : kRows)
    if (known == name) return rows;
  return 0;
}

// A clock that is read in steps.
struct Counter {
  double per_ns;
  double step;

  [[nodiscard]] std::uint64_t Read(double ns) const {
    return static_cast<std::uint64_t>(std::floor(ns * per_ns / step) * step);
  }
};

class Simulated final : public Backend {
 public:
  Simulated(std::string name, bool there, const Description& description, int process,
            Timeline& timeline, std::vector<irqcost_context> contexts)
      : name_(std::move(name)),
        rows_(RowsOf(name_)),
        there_(there && rows_ != 0),
        d_(description),
        process_(process),
        timeline_(timeline),
        contexts_(std::move(contexts)),
        random_(Hash({d_.seed, 10, static_cast<std::uint64_t>(process), name_.size(),
                      static_cast<unsigned char>(name_.front())})),
        tsc_{d_.clock.tsc_mhz / 1e3, d_.clock.step},
        counter_(rows_ == IRQCOST_BPF_ONLY ? Counter{1, d_.clock.bpf_step_ns} : tsc_),
        share_other_(ShareOf(d_, "other")) {}

  [[nodiscard]] std::string_view Name() const override { return name_; }
  [[nodiscard]] std::optional<Unavailable> WhyUnavailable() const override;
  [[nodiscard]] std::vector<SupportedProbe> SupportedProbes() const override;
  [[nodiscard]] Clock GetClock() const override {
    return rows_ == IRQCOST_BPF_ONLY ? Clock::kNanoseconds : Clock::kTscTicks;
  }
  // The sensor is ring 3's in every backend.
  [[nodiscard]] Clock GetSensorClock() const override { return Clock::kTscTicks; }
  [[nodiscard]] std::optional<double> Step() const override { return counter_.step; }
  [[nodiscard]] CounterOfCycles GetCounter() const override {
    return {{}, "a simulated machine has no counter of core cycles"};
  }
  [[nodiscard]] unsigned MaxLoops() const override { return IRQCOST_MAX_LOOPS; }
  Run Measure(const Request& request) override;
  void Supplement(nlohmann::ordered_json& context, const Costs& costs) override;

 private:
  [[nodiscard]] SupportedProbe SupportedProbeOf(const Probe& probe, irqcost_context context) const;
  [[nodiscard]] Work Copies(double cycles, double share, unsigned copies, unsigned loops) const;
  [[nodiscard]] std::pair<Work, Work> Pair(const Request& request) const;
  [[nodiscard]] double CostHere(const Probe& probe, Mode mode) const;
  Work Noisy(const Work& body);
  std::uint64_t Window(const Work& body, const Counter& counter);
  void Singles(const Request& request, const Work& base, const Work& body, irqcost_sample& sample);
  std::uint64_t Sum(const Work& window, unsigned count);

  std::string name_;
  unsigned rows_;
  bool there_;
  const Description& d_;
  int process_;
  Timeline& timeline_;
  std::vector<irqcost_context> contexts_;
  Random random_;
  Counter tsc_;
  Counter counter_;
  double share_other_;
};

std::optional<Unavailable> Simulated::WhyUnavailable() const {
  if (there_) return std::nullopt;
  return Unavailable{
      "the simulated machine has no backend " + name_,
      "name it in `backends` of " + d_.file + ", if it is one that can be simulated"};
}

SupportedProbe Simulated::SupportedProbeOf(const Probe& probe, irqcost_context context) const {
  const std::string missing =
      IsMissing(d_, probe) ? "this simulated CPU does not have it" : std::string();
  if (rows_ == IRQCOST_BPF_ONLY)
    return {&probe, {IRQCOST_THROUGHPUT}, kBpfUnroll, kBpfUnroll, missing};
  if (rows_ == IRQCOST_RING0)
    return {&probe, KernelModes(probe, context), IRQCOST_MIN_UNROLL,
            probe.kind == Kind::kInstruction ? IRQCOST_MAX_UNROLL : kCallUnroll, missing};
  const bool faults = probe.kind == Kind::kFault;
  return {&probe, RepeatableModes(probe), faults ? kFaultUnroll : IRQCOST_MIN_UNROLL,
          faults ? kFaultUnroll : IRQCOST_MAX_UNROLL, missing};
}

std::vector<SupportedProbe> Simulated::SupportedProbes() const {
  std::vector<SupportedProbe> probes;
  if (WhyUnavailable()) return probes;
  const std::vector<irqcost_context> once = {IRQCOST_PROCESS};
  for (const Probe& probe : kCatalogue)
    if (probe.where & rows_)
      for (const irqcost_context context : rows_ == IRQCOST_RING0 ? contexts_ : once)
        probes.push_back(SupportedProbeOf(probe, context));
  return probes;
}

// A process has its own addresses, which make a row a little more expensive or cheaper in all of
// it. The chain is the clock: it is the same everywhere.
double Simulated::CostHere(const Probe& probe, Mode mode) const {
  const double cost = TrueCost(d_, probe, mode);
  if (d_.core.process_percent == 0 || probe.key == "dep_imul" || probe.key == "dep_add")
    return cost;
  const std::uint64_t bits = Hash({d_.seed, 11, static_cast<std::uint64_t>(process_), probe.id,
                                   static_cast<std::uint64_t>(mode.kind), mode.section});
  return cost * (1 + d_.core.process_percent / 100 * Normal(bits));
}

// What passes of a loop take: the copies, and what the front end makes of a short one where the
// front end is what bounds them.
Work Simulated::Copies(double cycles, double share, unsigned copies, unsigned loops) const {
  const double more =
      cycles < 1 ? d_.core.short_loop * std::exp2(-double{1} * copies / d_.core.short_copies) : 0;
  Work work{cycles * copies * (1 + more) * loops, share};
  work += {d_.core.loop_cycles * loops, share_other_};
  return work;
}

// The two windows of a mode, without what every window has. Of single windows it is one of each.
std::pair<Work, Work> Simulated::Pair(const Request& request) const {
  const double cost = CostHere(*request.probe, request.mode);
  const double share = ShareOf(d_, request.probe->key);
  const unsigned loops = request.loops.body;
  if (request.mode.kind == IRQCOST_THROUGHPUT)
    return {Copies(cost, share, request.unroll, loops),
            Copies(cost, share, 2 * request.unroll, loops)};
  if (request.mode.kind == IRQCOST_ISOLATED) return {{0, 0}, {cost, share}};
  const double section = request.mode.kind == IRQCOST_IN_SITU_PERCPU
                             ? kPerCpuCycles
                             : request.mode.section * d_.core.dep_add;
  Work base{section * loops, ShareOf(d_, "dep_add")};
  base += {d_.core.loop_cycles * loops, share_other_};
  Work body = base;
  body += {cost * loops, share};
  return {base, body};
}

// A window's work with its stamps and fences, and with noise.
Work Simulated::Noisy(const Work& body) {
  Work work = body;
  work.cycles *= 1 + d_.core.noise_percent / 100 * random_.Gauss();
  work += {d_.core.window_cycles + d_.core.jitter_cycles * random_.Uniform(), share_other_};
  return work;
}

std::uint64_t Simulated::Window(const Work& body, const Counter& counter) {
  timeline_.Do({kCallCycles + d_.core.jitter_cycles * random_.Uniform(), 0});
  const Work work = Noisy(body);
  const std::uint64_t began = counter.Read(timeline_.NowNs());
  timeline_.Do(work);
  return counter.Read(timeline_.NowNs()) - began;
}

// What `count` windows of one length read together where each meets the step in its own phase:
// whole steps, and one more in so many of them as the rest of the length is of a step.
std::uint64_t Simulated::Sum(const Work& window, unsigned count) {
  const double steps = timeline_.NsOf(window) * counter_.per_ns / counter_.step;
  const double whole = std::floor(steps + 1e-9);
  const double rest = std::max(steps - whole, 0.0);
  const double mean = rest * count;
  // The number of them is binomial; hundreds of windows make it normal.
  const double more = std::clamp(std::round(mean + std::sqrt(mean * (1 - rest)) * random_.Gauss()),
                                 0.0, double{1} * count);
  return static_cast<std::uint64_t>((whole * count + more) * counter_.step);
}

// Single windows, hundreds of pairs in a sample: together where nothing changes meanwhile.
void Simulated::Singles(const Request& request, const Work& base, const Work& body,
                        irqcost_sample& sample) {
  const unsigned pairs = request.loops.body;
  const Work between{2 * kCallCycles + kPhaseMultiplies * d_.core.dep_imul, 0};
  Work own{d_.core.window_cycles + d_.core.jitter_cycles / 2, share_other_};
  Work small = own, great = own;
  small += base;
  great += body;
  const double cycles = (small.cycles + great.cycles + between.cycles) * pairs;
  constexpr unsigned kMany = 32;
  if (pairs >= kMany && timeline_.Undisturbed(cycles)) {
    sample.base = Sum(small, pairs);
    sample.body = Sum(great, pairs);
    Work all = small;
    all += great;
    all += between;
    all.cycles *= pairs;
    timeline_.Do(all);
    return;
  }
  for (unsigned pair = 0; pair < pairs; ++pair) {
    timeline_.Do({pair % 31 * d_.core.dep_imul, 0});
    const bool base_first = pair % 2 == 0;
    if (base_first) sample.base += Window(base, counter_);
    sample.body += Window(body, counter_);
    if (!base_first) sample.base += Window(base, counter_);
  }
}

Run Simulated::Measure(const Request& request) {
  const auto [base, body] = Pair(request);
  const double imul = d_.core.dep_imul, imul_share = ShareOf(d_, "dep_imul");
  const Work chain_base = Copies(imul, imul_share, IRQCOST_CHAIN_UNROLL, request.loops.chain);
  const Work chain_body = Copies(imul, imul_share, 2 * IRQCOST_CHAIN_UNROLL, request.loops.chain);
  const Work sensor =
      Copies(TrueCost(d_, *request.sensor, IRQCOST_THROUGHPUT), ShareOf(d_, request.sensor->key),
             IRQCOST_SENSOR_SIZE, request.loops.sensor);
  timeline_.Idle(kRunNs);
  Run run;
  run.loops = request.loops;
  run.ops = std::uint64_t{request.loops.body} *
            (request.mode.kind == IRQCOST_THROUGHPUT ? request.unroll : 1);
  run.samples.resize(request.samples);
  const bool ring0 = rows_ == IRQCOST_RING0;
  std::uint64_t longest = 0;
  for (irqcost_sample& sample : run.samples) {
    timeline_.Idle(kRecordNs);
    timeline_.TakeFlags();
    sample.start = counter_.Read(timeline_.NowNs());
    sample.chain_base = Window(chain_base, counter_);
    sample.chain_body = Window(chain_body, counter_);
    sample.sensor = Window(sensor, tsc_);
    if (request.mode.kind == IRQCOST_ISOLATED) {
      Singles(request, base, body, sample);
    } else {
      sample.base = Window(base, counter_);
      sample.body = Window(body, counter_);
    }
    sample.flags = timeline_.TakeFlags();
    if (sample.flags & IRQCOST_SAMPLE_INTERRUPTED) sample.interrupts = ring0 ? 1 : 0;
    // Only the kernel sees an interrupt that lets the task go on.
    if (!ring0) sample.flags &= ~unsigned{IRQCOST_SAMPLE_INTERRUPTED};
    longest = std::max<std::uint64_t>(longest, sample.body);
  }
  if (ring0) run.longest_irqs_off = longest;
  return run;
}

void Simulated::Supplement(nlohmann::ordered_json& context, const Costs& /*costs*/) {
  if (rows_ != IRQCOST_BPF_ONLY) return;
  context["backends"]["bpf"]["clock"] = {
      {"name", "bpf_ktime_get_ns"}, {"source", "simulated"}, {"step_ns", d_.clock.bpf_step_ns}};
}

}  // namespace

std::unique_ptr<Backend> MakeBackend(const std::string& name, bool there,
                                     const Description& description, int process,
                                     Timeline& timeline, std::vector<irqcost_context> contexts) {
  return std::make_unique<Simulated>(name, there, description, process, timeline,
                                     std::move(contexts));
}

}  // namespace irqcost::simulate
