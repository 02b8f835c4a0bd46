/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/hypervisor.h"

namespace irqcost {
namespace {

// The machine that QEMU makes, which has no real counterpart.
constexpr std::string_view kVirtualTree = "riscv-virtio";

}  // namespace

// No register tells, and a guest may have the hypervisor extension as well.
Hypervisor FindHypervisor(const std::optional<std::string>& /*boot_log*/, const std::string& root) {
  Hypervisor result;
  result.present = true;
  result.name = FindVirtualMachine(kVirtualTree, root);
  result.reason = result.name ? "the firmware calls this machine " + *result.name
                              : "nothing on this architecture rules out a hypervisor";
  return result;
}

}  // namespace irqcost
