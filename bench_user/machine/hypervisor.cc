/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/hypervisor.h"

#include <span>

#include "base/text_file.h"
#include "machine/boot_log.h"

namespace irqcost {
namespace {

// What the kernel prints where it found none.
constexpr std::string_view kNone = "bare hardware";

// How the vendor begins in SMBIOS, by the programs that write it. Clouds that rent whole machines
// under the same vendor as guests are not among them.
constexpr std::string_view kVendors[] = {"BHYVE",      "Bochs", "KVM",         "KubeVirt",
                                         "Parallels",  "QEMU",  "VMW",         "VMware",
                                         "VirtualBox", "Xen",   "innotek GmbH"};

std::optional<std::string> NameAmong(const std::string& path,
                                     std::span<const std::string_view> beginnings) {
  const auto line = ReadLine(path);
  if (!line) return std::nullopt;
  const std::string name = line->c_str();  // A device tree ends each of its names with a zero.
  for (const std::string_view beginning : beginnings)
    if (name.starts_with(beginning)) return name;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> FindVirtualMachine(std::string_view tree, const std::string& root) {
  const auto vendor = NameAmong(root + "/sys/class/dmi/id/sys_vendor", kVendors);
  return vendor ? vendor : NameAmong(root + "/proc/device-tree/compatible", {{tree}});
}

std::optional<KernelHypervisor> FindKernelHypervisor(const std::optional<std::string>& boot_log,
                                                     const std::string& root) {
  if (const auto type = ReadLine(root + "/sys/hypervisor/type")) {
    const auto guest = ReadLine(root + "/sys/hypervisor/guest_type");
    const std::string name = *type == "xen" ? "Xen" : *type;
    return KernelHypervisor{guest ? name + " " + *guest : name, "/sys/hypervisor"};
  }
  if (!boot_log) return std::nullopt;
  // The second line is in the log of each kernel with CONFIG_PARAVIRT.
  for (const char* before : {"Hypervisor detected: ", "Booting paravirtualized kernel on "}) {
    const auto name = BehindIn(*boot_log, before);
    if (!name) continue;
    if (*name == kNone) return KernelHypervisor{std::nullopt, "boot log"};
    return KernelHypervisor{name, "boot log"};
  }
  return std::nullopt;
}

}  // namespace irqcost
