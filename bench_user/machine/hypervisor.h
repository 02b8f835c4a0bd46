/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_MACHINE_HYPERVISOR_H
#define IRQCOST_BENCH_USER_MACHINE_HYPERVISOR_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace irqcost {

/** What the CPU itself lets a process see of a hypervisor; each architecture has its own way. */
struct Hypervisor {
  bool present = false;
  bool emulator = false;                 ///< it executes no code on a CPU
  std::optional<std::string> name;       ///< its own name of itself
  std::optional<std::uint32_t> tsc_khz;  ///< what it says of the clock's rate
  std::string reason;                    ///< a part of a sentence: how that was found
};

/** @boot_log: of the kernel, where it could be read; @root: before /sys and /proc. */
Hypervisor FindHypervisor(const std::optional<std::string>& boot_log, const std::string& root = "");

/**
 * What the firmware calls this machine where that is a hypervisor's name for its guests: the vendor
 * in the SMBIOS tables, or a first name in the device tree that begins with @tree. A real
 * machine has no such name, but not all guests have one either.
 */
std::optional<std::string> FindVirtualMachine(std::string_view tree, const std::string& root = "");

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
