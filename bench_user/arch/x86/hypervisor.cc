/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/hypervisor.h"

#include <cpuid.h>

#include <cstring>

namespace irqcost {
namespace {

constexpr unsigned kPresentBit = 1U << 31;
constexpr unsigned kNameLeaf = 0x40000000;
// VMware's proposal, taken up by KVM's users: EAX is the TSC's frequency in kHz.
constexpr unsigned kTimingLeaf = 0x40000010;
constexpr const char* kTcgName = "TCGTCGTCGTCG";

}  // namespace

Hypervisor FindHypervisor(const std::optional<std::string>& /*boot_log*/,
                          const std::string& /*root*/) {
  Hypervisor result;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & kPresentBit)) {
    result.reason = "CPUID reports no hypervisor";
    return result;
  }
  result.present = true;

  __cpuid(kNameLeaf, eax, ebx, ecx, edx);
  const unsigned greatest_leaf = eax;
  const unsigned registers[] = {ebx, ecx, edx};
  char name[sizeof(registers) + 1] = {};
  std::memcpy(name, registers, sizeof(registers));
  if (name[0] != '\0') result.name = name;
  result.emulator = result.name == kTcgName;
  result.reason = result.emulator
                      ? "CPUID names the hypervisor TCG, QEMU's emulator"
                      : "CPUID reports a hypervisor (" + result.name.value_or("unnamed") + ")";

  if (greatest_leaf >= kTimingLeaf) {
    __cpuid(kTimingLeaf, eax, ebx, ecx, edx);
    if (eax != 0) result.tsc_khz = eax;
  }
  return result;
}

}  // namespace irqcost
