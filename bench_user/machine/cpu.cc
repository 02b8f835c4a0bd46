/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/cpu.h"

#include <cpuid.h>
#include <libcpuid/libcpuid.h>

#include <fstream>

#include "machine/microarchitecture.h"
#include "machine/text_file.h"

namespace irqcost {
namespace {

std::optional<std::string> Known(const char* text) {
  const std::string value = text;
  // libcpuid calls what it has no entry for "Unknown …".
  if (value.empty() || value.find("Unknown") != std::string::npos) return std::nullopt;
  return value;
}

// Of this CPU from sysfs, else of the first CPU from /proc/cpuinfo (all have the same).
std::optional<std::string> Microcode(int cpu) {
  const std::string directory = "/sys/devices/system/cpu/cpu" + std::to_string(cpu);
  if (auto version = ReadLine(directory + "/microcode/version")) return version;
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);)
    if (line.starts_with("microcode"))
      if (const auto colon = line.find(": "); colon != std::string::npos)
        return line.substr(colon + 2);
  return std::nullopt;
}

}  // namespace

Cpu IdentifyCpu(int cpu) {
  Cpu result;
  result.microcode = Microcode(cpu);
  cpu_id_t id{};
  if (!cpuid_present() || cpu_identify(nullptr, &id) != 0) return result;
  result.vendor = Known(id.vendor_str);
  result.brand = Known(id.brand_str);
  result.core_type = CoreTypeName(CoreType());
  result.codename =
      Microarchitecture(id.vendor_str, id.ext_family, id.ext_model, result.core_type.value_or(""));
  if (!result.codename) result.codename = Known(id.cpu_codename);
  result.family = id.ext_family;
  result.model = id.ext_model;
  result.stepping = id.stepping;
  const std::pair<const char*, int> caches[] = {{"L1d", id.l1_data_cache},
                                                {"L1i", id.l1_instruction_cache},
                                                {"L2", id.l2_cache},
                                                {"L3", id.l3_cache},
                                                {"L4", id.l4_cache}};
  for (const auto& [name, kib] : caches)
    if (kib > 0) result.caches.emplace(name, kib);
  return result;
}

unsigned CoreType() {
  constexpr unsigned kHybrid = 1U << 15;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || !(edx & kHybrid)) return 0;
  if (!__get_cpuid_count(0x1A, 0, &eax, &ebx, &ecx, &edx)) return 0;
  return eax >> 24;
}

std::optional<std::string> CoreTypeName(unsigned type) {
  if (type == 0x40) return "performance";
  if (type == 0x20) return "efficiency";
  return std::nullopt;
}

}  // namespace irqcost
