/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/kernel.h"

#include <gtest/gtest.h>

#include "fake_machine.h"
#include "machine/hypervisor.h"

namespace irqcost {
namespace {

TEST(KernelParameters, KeepWhatConcernsTheKernel) {
  EXPECT_EQ(KernelParameters("mitigations=off  isolcpus=1 quiet"),
            "mitigations=off isolcpus=1 quiet");
  EXPECT_EQ(KernelParameters(""), "");
}

TEST(KernelParameters, LeaveOutPlacesAndWhatIsForInit) {
  EXPECT_EQ(
      KernelParameters("BOOT_IMAGE=/boot/vmlinuz root=UUID=1 nosmt rdinit=/x -- --secret a=b"),
      "nosmt");
  EXPECT_EQ(KernelParameters("initcall_debug"), "initcall_debug");
}

TEST(Preemption, OfADynamicKernelIsItsSwitch) {
  FakeMachine machine;
  const std::string version = "#1 SMP PREEMPT_DYNAMIC Debian 6.12 (2026-01-01)";
  const std::string log = "[    0.1] Dynamic Preempt: voluntary\n[    0.2] rcu: x\n";
  EXPECT_EQ(FindPreemption(version, log, machine.Root()).mode, "voluntary");
  EXPECT_EQ(FindPreemption(version, log, machine.Root()).source, "boot log");
  machine.Write("sys/kernel/debug/sched/preempt", "none voluntary full (lazy)\n");
  const Preemption found = FindPreemption(version, log, machine.Root());
  EXPECT_EQ(found.model, "PREEMPT_DYNAMIC");
  EXPECT_EQ(found.mode, "lazy");
  EXPECT_EQ(found.source, "/sys/kernel/debug/sched/preempt");
}

TEST(Preemption, IsNotGuessed) {
  FakeMachine machine;
  const std::string root = machine.Root();
  EXPECT_FALSE(FindPreemption("#1 SMP PREEMPT_DYNAMIC x", std::nullopt, root).mode);
  EXPECT_FALSE(FindPreemption("#1 SMP x", std::nullopt, root).model);
  EXPECT_EQ(FindPreemption("#1 SMP PREEMPT_RT x", std::nullopt, root).model, "PREEMPT_RT");
  EXPECT_EQ(FindPreemption("#1 SMP PREEMPT x", std::nullopt, root).mode, "full");
  EXPECT_EQ(FindPreemption("#1 SMP PREEMPT_LAZY x", std::nullopt, root).mode, "lazy");
  machine.Write("proc/cmdline", "quiet preempt=full -- preempt=none\n");
  EXPECT_EQ(FindPreemption("#1 SMP PREEMPT_DYNAMIC x", std::nullopt, root).mode, "full");
}

TEST(Tracepoints, AreWhatTracefsSays) {
  FakeMachine machine;
  const std::string root = machine.Root();
  EXPECT_FALSE(FindTracepoints(root));
  machine.Write("sys/kernel/notes", "");
  EXPECT_EQ(FindTracepoints(root), "absent");  // a kernel without tracing
  machine.Write("sys/kernel/tracing/README", "");
  EXPECT_FALSE(FindTracepoints(root));
  machine.Write("sys/kernel/debug/tracing/events/enable", "0\n");
  EXPECT_EQ(FindTracepoints(root), "absent");
  const std::string enable = "sys/kernel/tracing/events/preemptirq/enable";
  machine.Write(enable, "0\n");
  EXPECT_EQ(FindTracepoints(root), "off");
  for (const char* some : {"X\n", "1\n"}) {
    machine.Write(enable, some);
    EXPECT_EQ(FindTracepoints(root), "on");
  }
}

TEST(KernelHypervisor, IsWhatTheKernelSays) {
  FakeMachine machine;
  const std::string root = machine.Root();
  EXPECT_FALSE(FindKernelHypervisor(std::nullopt, root));
  EXPECT_FALSE(FindKernelHypervisor("[    0.0] Linux version 6.18\n", root));
  const std::string log =
      "[    0.0] Hypervisor detected: PVM\n[    0.1] Booting paravirtualized kernel on PVM\n";
  EXPECT_EQ(FindKernelHypervisor(log, root)->name, "PVM");
  EXPECT_EQ(FindKernelHypervisor(log, root)->source, "boot log");
  const auto bare = FindKernelHypervisor("Booting paravirtualized kernel on bare hardware\n", root);
  ASSERT_TRUE(bare);
  EXPECT_FALSE(bare->name);
  machine.Write("sys/hypervisor/type", "xen\n");
  machine.Write("sys/hypervisor/guest_type", "PV\n");
  EXPECT_EQ(FindKernelHypervisor(log, root)->name, "Xen PV");
  EXPECT_EQ(FindKernelHypervisor(log, root)->source, "/sys/hypervisor");
}

TEST(VirtualMachine, IsWhatTheFirmwareNames) {
  FakeMachine machine;
  const std::string root = machine.Root();
  EXPECT_FALSE(FindVirtualMachine("x,virt", root));
  machine.Write("sys/class/dmi/id/sys_vendor", "Supermicro\n");
  EXPECT_FALSE(FindVirtualMachine("x,virt", root));
  machine.Write("proc/device-tree/compatible", std::string("x,virt-9\0qemu\0", 14));
  EXPECT_EQ(FindVirtualMachine("x,virt", root), "x,virt-9");
  machine.Write("sys/class/dmi/id/sys_vendor", "VMware, Inc.\n");
  EXPECT_EQ(FindVirtualMachine("x,virt", root), "VMware, Inc.");
}

}  // namespace
}  // namespace irqcost
