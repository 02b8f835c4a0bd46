/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_MACHINE_CPU_H
#define IRQCOST_BENCH_USER_MACHINE_CPU_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace irqcost {

/** Who the CPU is, by CPUID (libcpuid) and the kernel. What is not known is nothing. */
struct Cpu {
  std::optional<std::string> vendor;
  std::optional<std::string> brand;
  std::optional<std::string> codename;  ///< of the core (microarchitecture.h)
  /** "performance" or "efficiency" (Intel Core and Atom); nothing where all cores are of one type.
   */
  std::optional<std::string> core_type;
  std::optional<int> family;  ///< family and model as vendors print them, extensions included
  std::optional<int> model;
  std::optional<int> stepping;
  std::optional<std::string> microcode;
  std::map<std::string, int> caches;  ///< name, such as L1d: KiB
  /** What keeps this guest's memory and registers from its host (TDX, SEV, SEV-ES, SEV-SNP). */
  std::vector<std::string> confidential;
  /** Whether lfence waits for all that is before it, so that time stamps keep their place. */
  std::optional<bool> lfence_waits;
};

/** What tells whether lfence waits on a CPU of AMD's or of its kin. */
struct Fence {
  bool always = false;                         ///< CPUID 0x80000021, EAX[2]
  std::optional<std::uint64_t> decode_config;  ///< MSR 0xC0011029, where it could be read
  bool kernel_says_so = false;                 ///< lfence_rdtsc in /proc/cpuinfo
};

/** As Cpu::lfence_waits. Other vendors' waits by design. */
std::optional<bool> LfenceWaits(std::string_view vendor, const Fence& fence);

/** As Cpu::confidential, by the @flags of /proc/cpuinfo in a guest, and by its @boot_log. */
std::vector<std::string> Confidential(const std::string& flags,
                                      const std::optional<std::string>& boot_log);

/** Identifies the CPU that the calling thread runs on, which is the one of that number. */
Cpu IdentifyCpu(int cpu, const std::optional<std::string>& boot_log);

/**
 * Type of the core that the calling thread runs on, where a CPU has several: CPUID leaf 1Ah,
 * EAX[31:24] (0x20 Intel Atom, 0x40 Intel Core). 0 where all cores are of one type.
 */
unsigned CoreType();

/** What such a type is called in a result; nothing for one that is not known. */
std::optional<std::string> CoreTypeName(unsigned type);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MACHINE_CPU_H
