/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/execution.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace irqcost {
namespace {

// A dependent 64-bit multiply takes 3 to 14 times as long as an add on the 162 CPUs of
// results/published/traits.csv. Half-way between the least and the 1 of an emulator that spends
// the same on every instruction, only an emulator is left.
constexpr double kLeastRatio = 2.0;
// A dependent add takes one cycle, and no CPU's slowest clock is this much slower
// than its TSC. An instruction that a hypervisor emulates takes hundreds.
constexpr double kMostTicks = 20;
// An emulator that translates machine code translates a nop and a zeroing idiom to nothing (and add
// and multiply to themselves, so that their ratio gives nothing away). Some CPUs come near with one
// of the two, none with both: the least that a zeroing idiom takes on any of the 162 is 1/8.
constexpr double kLeastOfBoth = 1.0 / 32;
// What floating point makes of an exact one.
constexpr double kRounding = 1e-9;

bool ExactlyOne(const Estimate& estimate) {
  return std::abs(estimate.ticks - 1) < kRounding && estimate.spread == 0;
}

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
  const double add = controls.dep_add.ticks;
  const double ratio = controls.dep_imul.ticks / add;
  if (IsInstructionClock(controls))
    return "nop, dep_add and dep_imul take exactly one tick each: an emulator's instruction clock";
  if (add > kMostTicks)
    return Sentence("a dependent add takes %.0f ticks, where no CPU takes more than %.0f", add,
                    kMostTicks);
  if (!(ratio >= kLeastRatio))
    return Sentence(
        "a dependent multiply takes %.2f times as long as an add, where no CPU takes less than "
        "%.0f times as long",
        ratio, kLeastRatio);
  const double nothing = std::max(controls.nop.ticks, controls.zero_idiom.ticks);
  if (nothing < kLeastOfBoth * add)
    return Sentence(
        "nops and zeroing idioms take %.3f ticks beside the %.3f of a dependent add, too few for a "
        "CPU",
        nothing, add);
  return {};
}

Execution ByHypervisor(const Hypervisor& hypervisor) {
  if (!hypervisor.present) return {"bare-metal", hypervisor.reason};
  if (hypervisor.emulator) return {"emulated", hypervisor.reason};
  return {"virtualised", hypervisor.reason + ", and the controls run at a CPU's own speed"};
}

}  // namespace

Execution Classify(const Hypervisor& hypervisor, const Controls& controls,
                   const Calibration& calibration) {
  Execution execution = ByHypervisor(hypervisor);
  if (const std::string reason = NoCpusFigures(controls); !reason.empty())
    execution = {"emulated", reason};
  execution.instruction_clock = IsInstructionClock(controls);
  execution.counts_cycles = calibration.imul_latency && execution.kind != "emulated";
  return execution;
}

}  // namespace irqcost
