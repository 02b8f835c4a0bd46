/* SPDX-License-Identifier: GPL-2.0-only */
#include "arch/x86/cpu.h"

#include <cpuid.h>
#include <libcpuid/libcpuid.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "arch/x86/microarchitecture.h"
#include "arch/x86/msr.h"
#include "base/text_file.h"
#include "machine/boot_log.h"

namespace irqcost {
namespace {

std::optional<std::string> Known(const char* text) {
  // AMD's brand strings, and those that hypervisors make up, are filled with blanks.
  std::string value = text;
  value.erase(value.find_last_not_of(' ') + 1);
  value.erase(0, value.find_first_not_of(' '));
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

std::string FirstFlags() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);)
    if (line.starts_with("flags"))
      if (const auto colon = line.find(": "); colon != std::string::npos)
        return line.substr(colon + 2);
  return {};
}

std::set<std::string> Words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

// Family, model and stepping: newer versions of libcpuid have a member of their own for them, and
// call the old ones deprecated.
const auto& Signature(const auto& id) {
  if constexpr (requires { id.x86.ext_model; }) {
    return id.x86;
  } else {
    return id;
  }
}

Fence FindFence(int cpu, const std::string& flags) {
  constexpr unsigned kLeaf = 0x80000021, kAlways = 1U << 2;
  constexpr std::uint32_t kDecodeConfig = 0xc0011029;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  const bool has_leaf = __get_cpuid(kLeaf, &eax, &ebx, &ecx, &edx) != 0;
  return {has_leaf && (eax & kAlways) != 0, ReadMsr(cpu, kDecodeConfig),
          Words(flags).contains("lfence_rdtsc")};
}

}  // namespace

std::optional<bool> LfenceWaits(std::string_view vendor, const Fence& fence) {
  if (vendor != "AuthenticAMD" && vendor != "HygonGenuine") return true;
  if (fence.always || fence.kernel_says_so) return true;
  if (!fence.decode_config) return std::nullopt;
  return (*fence.decode_config >> 1 & 1) != 0;
}

std::vector<std::string> Confidential(const std::string& flags,
                                      const std::optional<std::string>& boot_log) {
  const std::set<std::string> words = Words(flags);
  // On a host the flags say what its guests could have.
  if (!words.contains("hypervisor")) return {};
  const std::string line =
      boot_log ? BehindIn(*boot_log, "Memory Encryption Features active: ").value_or("") : "";
  const std::set<std::string> active = Words(line);
  std::vector<std::string> found;
  if (words.contains("tdx_guest") || line.find("Intel TDX") != std::string::npos)
    found.emplace_back("TDX");
  for (const auto& [flag, name] :
       {std::pair{"sev", "SEV"}, {"sev_es", "SEV-ES"}, {"sev_snp", "SEV-SNP"}})
    if (words.contains(flag) || active.contains(name)) found.emplace_back(name);
  return found;
}

Cpu IdentifyCpu(int cpu, const std::optional<std::string>& boot_log) {
  Cpu result;
  result.microcode = Microcode(cpu);
  const std::string flags = FirstFlags();
  result.confidential = Confidential(flags, boot_log);
  cpu_id_t id{};
  if (!cpuid_present() || cpu_identify(nullptr, &id) != 0) return result;
  result.vendor = Known(id.vendor_str);
  result.stamps_wait = LfenceWaits(id.vendor_str, FindFence(cpu, flags));
  result.brand = Known(id.brand_str);
  result.core_type = CoreTypeName(CoreType());
  const auto& signature = Signature(id);
  result.codename = Microarchitecture(id.vendor_str, signature.ext_family, signature.ext_model,
                                      result.core_type.value_or(""));
  result.family = signature.ext_family;
  result.model = signature.ext_model;
  result.stepping = signature.stepping;
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
