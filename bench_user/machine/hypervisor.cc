/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/hypervisor.h"

#include <cpuid.h>

#include <cstring>

#include "base/text_file.h"
#include "machine/boot_log.h"

namespace irqcost {
namespace {

constexpr unsigned kPresentBit = 1U << 31;
constexpr unsigned kNameLeaf = 0x40000000;
// VMware's proposal, taken up by KVM's users: EAX is the TSC's frequency in kHz.
constexpr unsigned kTimingLeaf = 0x40000010;

// What the kernel prints where it found none.
constexpr std::string_view kNone = "bare hardware";

}  // namespace

Hypervisor FindHypervisor() {
  Hypervisor result;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & kPresentBit)) return result;
  result.present = true;

  __cpuid(kNameLeaf, eax, ebx, ecx, edx);
  const unsigned greatest_leaf = eax;
  const unsigned registers[] = {ebx, ecx, edx};
  char name[sizeof(registers) + 1] = {};
  std::memcpy(name, registers, sizeof(registers));
  if (name[0] != '\0') result.name = name;

  if (greatest_leaf >= kTimingLeaf) {
    __cpuid(kTimingLeaf, eax, ebx, ecx, edx);
    if (eax != 0) result.tsc_khz = eax;
  }
  return result;
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
