/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/ring3/ring3.h"

#include <sched.h>
#include <sys/prctl.h>

#include <cerrno>
#include <system_error>

#include "backends/instructions.h"
#include "backends/registry.h"
#include "backends/ring3/fault_guard.h"
#include "backends/windows.h"
#include "base/affinity.h"
#include "machine/clock.h"

namespace irqcost {
namespace {

// Copies of an instruction that faults: a few thousand cycles each.
constexpr unsigned kFaultUnroll = 4;

// A single window is a handful of steps of the TSC long. Equal rounds would all meet the
// step in one phase, and their mean would keep its rounding, of a tick or two. Up to a
// hundred cycles of delay, of a length that differs from round to round, spread the phase.
void VaryPhase(unsigned round) {
  unsigned product = round;
  for (unsigned left = round % 31; left > 0; --left) {
    product *= product;
    asm volatile("" : "+r"(product));  // None is left out.
  }
}

irqcost_window_fn LoopWindow(std::string_view key, unsigned size) {
  return Windows(*FindProbe(key), IRQCOST_RING3)[irqcost_window_index(size)];
}

// The two windows of a mode, and by how many operations they differ for each loop.
struct Pair {
  irqcost_window_fn base;
  irqcost_window_fn body;
  unsigned ops;
};

Pair FindPair(const Request& request) {
  const irqcost_window_fn* windows = Windows(*request.probe, IRQCOST_RING3);
  switch (request.mode.kind) {
    case IRQCOST_THROUGHPUT:
      return {windows[irqcost_window_index(request.unroll)],
              windows[irqcost_window_index(2 * request.unroll)], request.unroll};
    case IRQCOST_ISOLATED:
      return {Windows(*FindProbe("empty"), IRQCOST_RING3)[0], windows[0], 1};
    case IRQCOST_IN_SITU:
    case IRQCOST_IN_SITU_PERCPU:  // of ring 0 alone: never offered
      break;
  }
  const int section = irqcost_section_index(request.mode.section);
  return {SectionWindows()[section], InSituWindows(*request.probe, IRQCOST_RING3)[section], 1};
}

// The counters before and after all windows of a sample.
class Span {
 public:
  explicit Span(CycleCounter* counter) : counter_(counter) {
    if (!counter_) return;
    ticks_ = ReadClock();
    cycles_ = counter_->Read();
  }

  void End(irqcost_sample& sample) const {
    if (!cycles_) return;
    const std::uint64_t ticks = ReadClock();
    const auto cycles = counter_->Read();
    if (!cycles) return;
    sample.span_ticks = ticks - ticks_;
    sample.span_cycles = *cycles - *cycles_;
  }

 private:
  CycleCounter* counter_;
  std::uint64_t ticks_ = 0;
  std::optional<std::uint64_t> cycles_;
};

}  // namespace

std::optional<Unavailable> Ring3::WhyUnavailable() const {
  int tsc = 0;
  if (prctl(PR_GET_TSC, &tsc) == 0 && tsc != PR_TSC_ENABLE)
    return Unavailable{"RDTSC is switched off for this process",
                       "start it without PR_SET_TSC (a sandbox or seccomp strict mode sets it)"};
  return std::nullopt;
}

std::vector<SupportedProbe> Ring3::SupportedProbes() const {
  std::vector<SupportedProbe> probes;
  if (WhyUnavailable()) return probes;
  for (const Probe& probe : kCatalogue) {
    if (!(probe.where & IRQCOST_RING3)) continue;
    const bool faults = probe.kind == Kind::kFault;
    // In user mode the interrupt flag stays as it is, so every row can be repeated.
    probes.push_back({&probe, RepeatableModes(probe), faults ? kFaultUnroll : IRQCOST_MIN_UNROLL,
                      faults ? kFaultUnroll : IRQCOST_MAX_UNROLL,
                      faults ? WhyNoFault() : MissingInstruction(probe.needs)});
  }
  return probes;
}

Run Ring3::Measure(const Request& request) {
  const Pair pair = FindPair(request);
  // A latency is that of single windows, which do not repeat themselves.
  const bool single = request.mode == IRQCOST_ISOLATED;
  const irqcost_window_fn chain_base = LoopWindow("dep_imul", IRQCOST_CHAIN_UNROLL);
  const irqcost_window_fn chain_body = LoopWindow("dep_imul", 2 * IRQCOST_CHAIN_UNROLL);
  const irqcost_window_fn sensor = LoopWindow(request.sensor->key, IRQCOST_SENSOR_SIZE);
  const unsigned calls = single ? request.loops.body : 1;
  Scratch scratch{};

  PinToCpu(request.cpu);
  Run run;
  run.loops = request.loops;
  run.ops = std::uint64_t{request.loops.body} * pair.ops;
  run.samples.resize(request.samples);
  std::optional<FaultGuard> guard;
  if (request.probe->kind == Kind::kFault) guard.emplace();
  long switches = ContextSwitches();
  for (irqcost_sample& sample : run.samples) {
    const bool started_here = sched_getcpu() == request.cpu;
    const Span span(cycles_.counter.get());
    sample.start = ReadClock();
    sample.chain_base = chain_base(request.loops.chain, &scratch);
    sample.chain_body = chain_body(request.loops.chain, &scratch);
    sample.sensor = sensor(request.loops.sensor, &scratch);
    for (unsigned call = 0; call < calls; ++call) {
      if (single) VaryPhase(call);
      // One after the other, so that a drift of the clock affects both equally, and in turn
      // first: the second of two equal single windows is faster by a tick or two.
      const bool base_first = call % 2 == 0;
      if (base_first) sample.base += pair.base(request.loops.body, &scratch);
      sample.body += pair.body(request.loops.body, &scratch);
      if (!base_first) sample.base += pair.base(request.loops.body, &scratch);
    }
    span.End(sample);
    const long switches_now = ContextSwitches();
    if (switches_now != switches) sample.flags |= IRQCOST_SAMPLE_PREEMPTED;
    if (!started_here || sched_getcpu() != request.cpu) sample.flags |= IRQCOST_SAMPLE_MIGRATED;
    switches = switches_now;
  }
  // The base has as many operations as the difference, the body twice as many.
  if (guard && FaultGuard::Count() != 3 * run.ops * run.samples.size())
    throw std::system_error(EPROTO, std::generic_category(),
                            "ring3: " + std::string(request.probe->key) + " did not always fault");
  return run;
}

std::unique_ptr<Backend> MakeRing3(const BackendOptions& /*options*/) {
  return std::make_unique<Ring3>();
}

}  // namespace irqcost
