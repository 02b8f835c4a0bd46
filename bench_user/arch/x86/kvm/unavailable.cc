/* SPDX-License-Identifier: GPL-2.0-only */
#include "arch/x86/kvm/unavailable.h"

#include <cpuid.h>
#include <grp.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

namespace irqcost {
namespace {

constexpr unsigned kVmxBit = 1U << 5;  // CPUID 1, ECX
constexpr unsigned kSvmBit = 1U << 2;  // CPUID 0x80000001, ECX

// The module that makes the device, by what this CPU has; empty where it has neither.
std::string Module() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & kVmxBit)) return "kvm_intel";
  if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) && (ecx & kSvmBit)) return "kvm_amd";
  return {};
}

std::string WhatMakesIt() {
  const std::string module = Module();
  if (!module.empty()) return "sudo modprobe " + module;
  return "this CPU offers no virtualisation (VT-x, SVM): switch it on in the firmware; in a guest, "
         "its owner must switch on nested virtualisation";
}

// Who may open the device, as a command that adds this user.
std::string WhoMayOpen(const std::string& device) {
  struct stat status {};
  if (stat(device.c_str(), &status) != 0) return "make " + device + " readable and writable";
  const group* owner = getgrgid(status.st_gid);
  const bool by_group = (status.st_mode & S_IRGRP) && (status.st_mode & S_IWGRP);
  if (by_group && owner && status.st_gid != 0)
    return "sudo usermod -aG " + std::string(owner->gr_name) + " $USER, and log in again";
  return "sudo chgrp kvm " + device + " && sudo chmod g+rw " + device +
         " && sudo usermod -aG kvm $USER, and log in again";
}

}  // namespace

Unavailable CannotOpenKvm(const std::string& device, int error) {
  const std::string reason = device + ": " + std::generic_category().message(error);
  switch (error) {
    case EACCES:
    case EPERM:
      return {reason, WhoMayOpen(device)};
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return {reason, WhatMakesIt()};
    default:
      return {reason, "check that it is the device of the module kvm"};
  }
}

Unavailable CannotCreateVm(int error) {
  const std::string reason =
      "KVM makes no virtual machine: " + std::generic_category().message(error);
  if (error == EBUSY)
    return {reason + ": something else uses the CPU's virtualisation",
            "end the other hypervisor (VirtualBox, VMware), or unload its module"};
  if (error == ENOMEM) return {reason, "free memory, or raise the limit of the control group"};
  return {reason, "dmesg may tell why"};
}

}  // namespace irqcost
