/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/hypervisor.h"

#include "base/text_file.h"
#include "machine/boot_log.h"

namespace irqcost {
namespace {

// What the kernel prints where it found none.
constexpr std::string_view kNone = "bare hardware";

}  // namespace

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
