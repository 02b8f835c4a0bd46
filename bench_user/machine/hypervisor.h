/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_MACHINE_HYPERVISOR_H
#define IRQCOST_BENCH_USER_MACHINE_HYPERVISOR_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace irqcost {

/** What CPUID says of a hypervisor. */
struct Hypervisor {
  bool present = false;                  ///< leaf 1, ECX bit 31
  std::optional<std::string> name;       ///< leaf 0x40000000
  std::optional<std::uint32_t> tsc_khz;  ///< leaf 0x40000010, where there is one
};

Hypervisor FindHypervisor();

/**
 * The hypervisor that the kernel itself says it runs on. CPUID may name another one: in a guest
 * that nothing traps CPUID for, it is that of the outermost host.
 */
struct KernelHypervisor {
  std::optional<std::string> name;  ///< nothing where the kernel says that there is none
  std::string source;               ///< file, or "boot log"
};

/** Reads sysfs below @root, else the @boot_log. Nothing where neither tells. */
std::optional<KernelHypervisor> FindKernelHypervisor(const std::optional<std::string>& boot_log,
                                                     const std::string& root = "");

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MACHINE_HYPERVISOR_H
