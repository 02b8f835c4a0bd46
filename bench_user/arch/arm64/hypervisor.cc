/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/hypervisor.h"

#include "machine/boot_log.h"

namespace irqcost {
namespace {

// The machine that QEMU and kvmtool make, which has no real counterpart.
constexpr std::string_view kVirtualTree = "linux,dummy-virt";

}  // namespace

// No register tells. A kernel that starts at EL2 has the CPU's hypervisor mode for itself, unless a
// hypervisor lends its guests one of their own (nested virtualisation). One at EL1 has it not:
// somebody else may.
Hypervisor FindHypervisor(const std::optional<std::string>& boot_log, const std::string& root) {
  Hypervisor result;
  if (const auto machine = FindVirtualMachine(kVirtualTree, root)) {
    result.present = true;
    result.name = machine;
    result.reason = "the firmware calls this machine " + *machine;
    return result;
  }
  const auto level = boot_log ? BehindIn(*boot_log, "CPU: All CPU(s) started at ") : std::nullopt;
  if (level && level->starts_with("EL2")) {
    result.reason = "the kernel started at EL2, the CPU's hypervisor mode";
    return result;
  }
  result.present = true;
  result.reason = level && level->starts_with("EL1")
                      ? "the kernel started at EL1, below the CPU's hypervisor mode"
                      : "nothing shows that the kernel has the CPU's hypervisor mode (EL2)";
  return result;
}

}  // namespace irqcost
