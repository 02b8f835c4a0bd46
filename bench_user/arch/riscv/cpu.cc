/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/cpu.h"

#include <fstream>

namespace irqcost {
namespace {

// A line of /proc/cpuinfo of that CPU, or nothing.
std::optional<std::string> Field(int cpu, const std::string& name) {
  std::ifstream cpuinfo("/proc/cpuinfo");
  bool own = false;
  for (std::string line; std::getline(cpuinfo, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos || colon + 2 > line.size()) continue;
    const std::string key = line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1);
    const std::string value = line.substr(colon + 2);
    if (key == "processor") own = value == std::to_string(cpu);
    if (own && key == name) return value;
  }
  return std::nullopt;
}

}  // namespace

// The numbers of vendor, architecture and implementation are too long for family and model: they
// are in the brand, as the kernel writes them.
Cpu IdentifyCpu(int cpu, const std::optional<std::string>& /*boot_log*/) {
  Cpu result;
  result.vendor = Field(cpu, "mvendorid");
  result.codename = Field(cpu, "uarch");
  const auto architecture = Field(cpu, "marchid"), implementation = Field(cpu, "mimpid");
  if (result.vendor && architecture && implementation)
    result.brand = *result.vendor + " " + *architecture + " " + *implementation;
  // Nothing in the architecture waits for all earlier instructions.
  result.stamps_wait = std::nullopt;
  return result;
}

unsigned CoreType() { return 0; }

std::optional<std::string> CoreTypeName(unsigned /*type*/) { return std::nullopt; }

}  // namespace irqcost
