/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/execution.h"

#include <cmath>
#include <cstdio>

namespace irqcost {
namespace {

constexpr const char* kTcgName = "TCGTCGTCGTCG";

// A dependent 64-bit multiply takes 3 cycles on the fastest x86-64 cores and more on
// others, never less. Half-way between that and the 1 of an emulator that spends
// alike on every instruction, only an emulator is left; a change of the clock
// between the two controls does not reach that far.
constexpr double kLeastRatio = 2.0;
// A dependent add takes one cycle, and no CPU's slowest clock is this much slower
// than its TSC. An instruction that a hypervisor emulates takes hundreds.
constexpr double kMostTicks = 20;
// No core takes in more than a dozen instructions a cycle. An emulator that translates
// machine code translates a nop to nothing (and add and multiply to themselves, so that
// their ratio gives nothing away).
constexpr double kLeastNop = 1.0 / 32;
// The multiply counts cycles only where it takes IRQCOST_CHAIN_CYCLES. Where it takes
// another number, it is at least one cycle off: 33 %. Half of that is drift.
constexpr double kCycleTolerance = 1.0 / 6;

bool ExactlyOne(const Estimate& estimate) { return estimate.ticks == 1.0 && estimate.spread == 0; }

std::string Sentence(const char* format, double a, double b) {
  char text[200];
  std::snprintf(text, sizeof(text), format, a, b);
  return text;
}

bool IsInstructionClock(const Controls& controls) {
  return ExactlyOne(controls.nop) && ExactlyOne(controls.dep_add) && ExactlyOne(controls.dep_imul);
}

// Why the controls cannot be those of a CPU; empty where they can.
std::string NoCpusFigures(const Controls& controls) {
  const double nop = controls.nop.ticks;
  const double add = controls.dep_add.ticks;
  const double ratio = controls.dep_imul.ticks / add;
  if (IsInstructionClock(controls))
    return "nop, dep_add and dep_imul take exactly one tick each: an emulator's instruction clock";
  if (add > kMostTicks)
    return Sentence("a dependent add takes %.0f ticks, where no CPU takes more than %.0f", add,
                    kMostTicks);
  if (!(ratio >= kLeastRatio))
    return Sentence("a dependent multiply takes %.2f times as long as an add, and not %.0f times",
                    ratio, IRQCOST_CHAIN_CYCLES);
  if (nop < kLeastNop * add)
    return Sentence("a nop takes %.3f ticks beside the %.3f of a dependent add, too few for a CPU",
                    nop, add);
  return {};
}

Execution ByCpuid(const Hypervisor& hypervisor) {
  if (!hypervisor.present) return {"bare-metal", "CPUID reports no hypervisor"};
  if (hypervisor.name == kTcgName)
    return {"emulated", "CPUID names the hypervisor TCG, QEMU's emulator"};
  return {"virtualised", "CPUID reports a hypervisor (" + hypervisor.name.value_or("unnamed") +
                             "), and the controls run at a CPU's own speed"};
}

}  // namespace

Execution Classify(const Hypervisor& hypervisor, const Controls& controls) {
  Execution execution = ByCpuid(hypervisor);
  if (const std::string reason = NoCpusFigures(controls); !reason.empty())
    execution = {"emulated", reason};
  execution.instruction_clock = IsInstructionClock(controls);

  const double ratio = controls.dep_imul.ticks / controls.dep_add.ticks;
  const bool counts = std::abs(ratio / IRQCOST_CHAIN_CYCLES - 1) <= kCycleTolerance;
  const bool emulated = execution.kind == "emulated";
  execution.counts_cycles = counts && !emulated;
  if (!counts && !emulated)
    execution.reason += Sentence(
        "; a multiply takes %.2f times as long as an add and not %.0f, so that core cycles are "
        "not counted",
        ratio, IRQCOST_CHAIN_CYCLES);
  return execution;
}

}  // namespace irqcost
