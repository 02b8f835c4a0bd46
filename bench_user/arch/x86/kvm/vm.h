/* SPDX-License-Identifier: GPL-2.0-only */
// A virtual machine of one CPU, without BIOS, kernel, interrupt controller or device.
#ifndef IRQCOST_BENCH_USER_ARCH_X86_KVM_VM_H
#define IRQCOST_BENCH_USER_ARCH_X86_KVM_VM_H

#include <linux/kvm.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "arch/x86/kvm/memory.h"
#include "arch/x86/kvm/system.h"
#include "backends/backend.h"
#include "base/mapping.h"
#include "base/unique_fd.h"

namespace irqcost {

/** KVM cannot be used here: an Unavailable as an exception. */
struct KvmUnavailable : std::runtime_error {
  explicit KvmUnavailable(const Unavailable& unavailable)
      : std::runtime_error(unavailable.reason), remedy(unavailable.remedy) {}
  std::string remedy;
};

/** How a VM entry ended. */
struct VmEntry {
  bool finished = false;  ///< the sample was taken; else a signal came
  /** Exits to the host before the one that ended it; nothing where KVM does not count them. */
  std::optional<std::uint64_t> exits;
};

class KvmVm {
 public:
  /** Makes it. Throws KvmUnavailable, or std::system_error where the host lacks memory. */
  KvmVm(KvmSystem& system, const std::string& device);

  [[nodiscard]] GuestTask& Task() const { return memory_.Task(); }
  [[nodiscard]] const GuestMemory& Memory() const { return memory_; }

  /** Puts the CPU before its first instruction. Throws std::system_error. */
  void Reset();

  /**
   * Lets the guest take one sample. Throws std::runtime_error where it leaves KVM in any other
   * way, with what that was.
   */
  VmEntry Run();

  /** What KVM says of the guest's TSC in kHz; nothing where it does not tell. */
  [[nodiscard]] std::optional<std::uint64_t> TscKhz() const;

 private:
  void Check(int result, const char* what) const;
  void LetSeeAllOfTheCpu();
  void FindExitCounter();
  [[nodiscard]] std::optional<std::uint64_t> Exits() const;

  KvmSystem& system_;
  GuestMemory memory_;  // before the descriptors: the machine goes before its memory does
  UniqueFd kvm_, vm_, cpu_, statistics_;
  Mapping shared_;  // of the CPU's descriptor: struct kvm_run
  off_t exit_counter_ = 0;
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_ARCH_X86_KVM_VM_H
