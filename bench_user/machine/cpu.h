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
  /** Whether the fence of a time stamp waits for all that is before it, so that the
   * stamp keeps its place. */
  std::optional<bool> stamps_wait;
};

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
