/* SPDX-License-Identifier: GPL-2.0-only */
// Which backends there are: one table, from which the options, the description for the scripts
// (--irqcost_describe) and the factories (machine.cc) take their names.
#ifndef IRQCOST_BENCH_USER_BACKENDS_KINDS_H
#define IRQCOST_BENCH_USER_BACKENDS_KINDS_H

#include <array>
#include <string_view>

namespace irqcost {

/** A backend that this harness has, whether or not it can run here. */
struct BackendKind {
  std::string_view name;   ///< as it stands in a benchmark's name
  std::string_view title;  ///< what its figures are of
  int ring;                ///< privilege level of its code
  std::string_view clock;  ///< what its time stamps count: ticks or ns
  std::string_view needs;  ///< what it takes to run it
};

inline constexpr auto kBackendKinds = std::to_array<BackendKind>({
    {"ring3", "ring 3 (this process)", 3, "ticks", "an x86-64 CPU; no rights"},
    {"kmod", "ring 0 (kernel module)", 0, "ticks",
     "the module irqcost loaded (root, CONFIG_MODULES, headers of the kernel, no lockdown), and "
     "its "
     "device /dev/irqcost: root, or group irqcost with the udev rule (docs/SAFETY.md)"},
    {"bpf", "ring 0 (BPF program)", 0, "ns",
     "CAP_BPF and CAP_PERFMON (for the kernel's code also CAP_SYSLOG); Linux 6.4 or later, 6.12 "
     "for "
     "most rows, with CONFIG_BPF_SYSCALL, CONFIG_BPF_JIT and its BTF (CONFIG_DEBUG_INFO_BTF)"},
    {"kvm", "ring 0 (KVM guest without a kernel)", 0, "ticks",
     "/dev/kvm (group kvm), and a CPU whose virtualisation the host lends"},
});

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_KINDS_H
