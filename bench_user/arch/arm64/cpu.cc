/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/cpu.h"

#include <asm/hwcap.h>
#include <sys/auxv.h>

#include <cstdlib>

#include "arch/arm64/midr.h"
#include "base/text_file.h"

namespace irqcost {
namespace {

// Of the CPU that the calling thread runs on. User mode may read it where the kernel says so.
std::optional<std::uint64_t> ReadMidr() {
  if (!(getauxval(AT_HWCAP) & HWCAP_CPUID)) return std::nullopt;
  std::uint64_t value = 0;
  asm volatile("mrs %0, midr_el1" : "=r"(value));
  return value;
}

// In KiB, of a line such as "64K".
int Kib(const std::string& size) { return std::atoi(size.c_str()); }

std::map<std::string, int> Caches(int cpu) {
  std::map<std::string, int> caches;
  const std::string own = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cache/index";
  for (int i = 0;; ++i) {
    const std::string cache = own + std::to_string(i) + "/";
    const auto level = ReadLine(cache + "level");
    const auto type = ReadLine(cache + "type");
    const auto size = ReadLine(cache + "size");
    if (!level || !type || !size) return caches;
    const char* kind = *type == "Data" ? "d" : *type == "Instruction" ? "i" : "";
    caches["L" + *level + kind] = Kib(*size);
  }
}

}  // namespace

// Implementer, part, and variant with revision stand for family, model and stepping.
Cpu IdentifyCpu(int cpu, const std::optional<std::string>& /*boot_log*/) {
  Cpu result;
  // An ISB completes all earlier instructions, on every CPU of the architecture.
  result.stamps_wait = true;
  result.caches = Caches(cpu);
  const auto value = ReadMidr();
  if (!value) return result;
  const Midr midr = ParseMidr(*value);
  result.vendor = Implementer(midr);
  result.brand = result.codename = CoreName(midr);
  result.family = midr.implementer;
  result.model = midr.part;
  result.stepping = midr.variant << 4 | midr.revision;
  return result;
}

// Cores of one machine may differ: their part number.
unsigned CoreType() {
  const auto value = ReadMidr();
  return value ? static_cast<unsigned>(ParseMidr(*value).part) : 0;
}

// The part has a name of its own, the core's.
std::optional<std::string> CoreTypeName(unsigned /*type*/) { return std::nullopt; }

}  // namespace irqcost
