/* SPDX-License-Identifier: GPL-2.0-only */
#include "arch/x86/kvm/execution.h"

#include <algorithm>
#include <cstdio>
#include <string>

namespace irqcost {
namespace {

// Three instructions that no hypervisor needs to touch run in the guest as they do outside. A
// neighbour may halve their speed between the two measurements, and the clock may change by less;
// an instruction that the host emulates takes hundreds of cycles.
constexpr double kMostSlower = 10;

struct Pair {
  const char* name;
  double guest;
  double ring3;
};

std::string Sentence(const char* format, const char* name, double guest, double ring3) {
  char text[200];
  std::snprintf(text, sizeof(text), format, name, guest, ring3);
  return text;
}

}  // namespace

double LeastTicks(const Run& run) {
  const auto least = [&run](auto irqcost_sample::*window) {
    const auto shorter = [window](const auto& a, const auto& b) { return a.*window < b.*window; };
    return static_cast<double>(*std::min_element(run.samples.begin(), run.samples.end(), shorter).*
                               window);
  };
  return (least(&irqcost_sample::body) - least(&irqcost_sample::base)) /
         static_cast<double>(run.ops);
}

BackendExecution JudgeGuest(const Trial& guest, const Trial& ring3) {
  const Pair pairs[] = {{"nop", guest.nop, ring3.nop},
                        {"dependent add", guest.dep_add, ring3.dep_add},
                        {"dependent multiply", guest.dep_imul, ring3.dep_imul}};
  // A dependent add takes one core cycle; what a multiply takes has not been found yet.
  const double cycle = ring3.dep_add > 0 ? ring3.dep_add : 1;
  for (const Pair& pair : pairs)
    if (pair.guest > kMostSlower * pair.ring3 && pair.guest > cycle)
      return {"emulated", Sentence("the host emulates guest ring 0: a %s costs %.0f core cycles "
                                   "there, against %.2f in ring 3",
                                   pair.name, pair.guest / cycle, pair.ring3 / cycle)};
  return {
      "virtualised",
      Sentence("guest ring 0 runs on the CPU: a %s costs %.2f core cycles there, %.2f in ring 3",
               pairs[0].name, pairs[0].guest / cycle, pairs[0].ring3 / cycle)};
}

}  // namespace irqcost
