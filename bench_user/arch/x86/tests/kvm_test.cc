/* SPDX-License-Identifier: GPL-2.0-only */
#include "arch/x86/kvm/kvm.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <x86intrin.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "arch/x86/kvm/execution.h"
#include "backends/guest_section.h"
#include "backends/windows.h"
#include "base/affinity.h"
#include "tests/fake_machine.h"

// Windows that no row has: each breaks one promise, or stops the guest.
extern "C" {
unsigned long long irqcost_test_stack(unsigned int loops, void* scratch);
unsigned long long irqcost_test_direction(unsigned int loops, void* scratch);
unsigned long long irqcost_test_invalid(unsigned int loops, void* scratch);
unsigned long long irqcost_test_nowhere(unsigned int loops, void* scratch);
unsigned long long irqcost_test_triple(unsigned int loops, void* scratch);
unsigned long long irqcost_test_port(unsigned int loops, void* scratch);
}
__asm__(".pushsection " IRQCOST_GUEST_SECTION
        ",\"ax\",@progbits\n"
        "irqcost_test_stack: pop %rcx; push $0; jmp *%rcx\n"
        "irqcost_test_direction: std; ret\n"
        "irqcost_test_invalid: ud2\n"
        "irqcost_test_nowhere: mov 0x1234, %eax; ret\n"
        "irqcost_test_triple: push $0; push $0; lidt (%rsp); ud2\n"
        "irqcost_test_port: out %al, $0x80; ret\n"
        ".popsection\n");

namespace irqcost {
namespace {

constexpr const char* kDevice = "/dev/kvm";

// KVM without a machine. One request can be made to fail, and stays in the guest can be ended.
class FakeKvm final : public KvmSystem {
 public:
  int open_error = 0;
  unsigned long failing = 0;  // the request that fails …
  int error = 0;              // … with this
  int version = 12;
  bool long_mode = true;
  std::function<void(kvm_run&)> end = [](kvm_run& run) { run.exit_reason = KVM_EXIT_HLT; };
  int signal_at = -1;  // the VM entry, counted from 0, that a signal ends
  int entries = 0;
  kvm_vcpu_events events{};
  std::function<std::uint64_t()> tsc = [] { return __rdtsc(); };  // the guest's

  int Open(const char*) override {
    errno = open_error;
    return open_error ? -1 : memfd_create("kvm", 0);
  }

  int Ioctl(int fd, unsigned long request, void* argument) override {
    if (request == KVM_GET_SREGS) return Fail(request) ? -1 : 0;
    if (request == KVM_GET_VCPU_EVENTS) *static_cast<kvm_vcpu_events*>(argument) = events;
    if (request == KVM_SET_VCPU_EVENTS) events = *static_cast<kvm_vcpu_events*>(argument);
    if (request == KVM_SET_SREGS)
      task_ = reinterpret_cast<GuestTask*>(static_cast<kvm_sregs*>(argument)->gs.base);
    if (_IOC_NR(request) == 5) {  // KVM_GET_SUPPORTED_CPUID, whose size is another in C++
      auto* leaves = static_cast<std::uint32_t*>(argument);
      leaves[0] = 1;
      kvm_cpuid_entry2 leaf{};
      leaf.function = 0x80000001;
      leaf.edx = long_mode ? 1U << 29 : 0;
      std::memcpy(leaves + 2, &leaf, sizeof(leaf));
    }
    return Ioctl(fd, request, 0UL);
  }

  int Ioctl(int, unsigned long request, unsigned long) override {
    if (Fail(request)) return -1;
    switch (request) {
      case KVM_GET_API_VERSION:
        return version;
      case KVM_CREATE_VM:
      case KVM_CREATE_VCPU:
        return memfd_create("kvm", 0);
      case KVM_GET_VCPU_MMAP_SIZE:
        return 4096;
      case KVM_GET_STATS_FD:
        errno = ENOTTY;
        return -1;
      case KVM_RUN:
        return Enter();
      default:
        return 0;
    }
  }

  void* Map(int, std::size_t bytes) override {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    run_ = static_cast<kvm_run*>(memory);
    return memory;
  }

 private:
  bool Fail(unsigned long request) const {
    if (request == failing) errno = error;
    return request == failing;
  }

  int Enter() {
    if (entries++ == signal_at) {
      errno = EINTR;
      return -1;
    }
    task_->sample = {};
    task_->sample.start = tsc();
    task_->sample.chain_base = 1000;
    task_->sample.chain_body = 2000;
    task_->sample.sensor = 100;
    task_->sample.base = 100;
    task_->sample.body = 200;
    end(*run_);
    return 0;
  }

  GuestTask* task_ = nullptr;
  kvm_run* run_ = nullptr;
};

void ExpectUnavailable(FakeKvm& system, std::string_view reason, std::string_view remedy,
                       const std::string& device = kDevice) {
  const Kvm kvm(device, true, &system);
  ASSERT_TRUE(kvm.WhyUnavailable());
  EXPECT_NE(kvm.WhyUnavailable()->reason.find(reason), std::string::npos)
      << kvm.WhyUnavailable()->reason;
  EXPECT_NE(kvm.WhyUnavailable()->remedy.find(remedy), std::string::npos)
      << kvm.WhyUnavailable()->remedy;
  EXPECT_TRUE(kvm.SupportedProbes().empty());
}

TEST(KvmErrors, NameTheDeviceAndTheRemedy) {
  const Kvm missing("/no/such/kvm");
  ASSERT_TRUE(missing.WhyUnavailable());
  EXPECT_NE(missing.WhyUnavailable()->reason.find("/no/such/kvm: No such file"), std::string::npos);
  const Kvm other("/dev/null");
  ASSERT_TRUE(other.WhyUnavailable());
  EXPECT_NE(other.WhyUnavailable()->reason.find("not the device of KVM"), std::string::npos);
}

// Of a device that is there, and of one that is gone when its owner is looked up.
TEST(KvmErrors, NameWhoMayOpenTheDevice) {
  const FakeMachine machine;
  machine.Write("dev/kvm", "");
  const std::string device = machine.Root() + "/dev/kvm";
  FakeKvm system;
  system.open_error = EACCES;
  ASSERT_EQ(chmod(device.c_str(), 0660), 0);
  ExpectUnavailable(system, "Permission denied", "sudo usermod -aG", device);
  ASSERT_EQ(chmod(device.c_str(), 0600), 0);
  ExpectUnavailable(system, "Permission denied", "sudo chgrp kvm " + device, device);
  ExpectUnavailable(system, "Permission denied", "readable and writable", "/no/such/kvm");
}

// Which of the two it is, the CPU decides.
TEST(KvmErrors, NameWhatMakesTheDevice) {
  FakeKvm system;
  system.open_error = ENOENT;
  const Kvm kvm(kDevice, true, &system);
  ASSERT_TRUE(kvm.WhyUnavailable());
  const std::string remedy = kvm.WhyUnavailable()->remedy;
  EXPECT_TRUE(remedy.starts_with("sudo modprobe kvm_") ||
              remedy.starts_with("this CPU offers no virtualisation"))
      << remedy;
}

TEST(KvmErrors, OfTheSystem) {
  const struct {
    unsigned long request;
    int error;
    const char* reason;
    const char* remedy;
  } cases[] = {
      {KVM_CREATE_VM, EBUSY, "something else uses the CPU's virtualisation", "other hypervisor"},
      {KVM_CREATE_VM, ENOMEM, "no virtual machine: Cannot allocate", "free memory"},
      {KVM_SET_USER_MEMORY_REGION, EINVAL, "the guest's memory: Invalid argument", "dmesg"},
      {KVM_CREATE_VCPU, EEXIST, "making a CPU", "dmesg"},
      {KVM_SET_SREGS, EINVAL, "64-bit mode: Invalid argument", "dmesg"},
      {KVM_SET_VCPU_EVENTS, EINVAL, "pending events: Invalid argument", "dmesg"},
      {KVM_RUN, EFAULT, "running the guest: Bad address", "report it"},
  };
  for (const auto& one : cases) {
    FakeKvm system;
    system.failing = one.request;
    system.error = one.error;
    ExpectUnavailable(system, one.reason, one.remedy);
  }
  FakeKvm old;
  old.version = 11;
  ExpectUnavailable(old, "API version 11, not 12", "kernel");
  FakeKvm narrow;
  narrow.long_mode = false;
  ExpectUnavailable(narrow, "no 64-bit mode", "64-bit kernel");
}

TEST(KvmErrors, AScaledClockIsToldFromALateEntry) {
  FakeKvm scaled;
  scaled.tsc = [] { return __rdtsc() / 2; };
  ExpectUnavailable(scaled, "the guest's TSC is scaled: 0.", "without a scaled TSC");
  // A host that emulates, or is busy, may take long to enter the guest, and longer at times.
  FakeKvm late;
  late.tsc = [&] {
    const std::uint64_t from = __rdtsc();
    while (__rdtsc() - from < 200'000U * (static_cast<unsigned>(late.entries) % 2)) {
    }
    return __rdtsc();
  };
  const Kvm kvm(kDevice, true, &late);
  EXPECT_FALSE(kvm.WhyUnavailable()) << kvm.WhyUnavailable()->reason;
}

TEST(KvmErrors, OfTheGuestAreTold) {
  const struct {
    std::function<void(kvm_run&)> end;
    const char* reason;
  } cases[] = {
      {[](kvm_run& run) { run.exit_reason = KVM_EXIT_SHUTDOWN; }, "triple fault"},
      {[](kvm_run& run) { run.exit_reason = 4711; }, "unknown exit 4711"},
      {[](kvm_run& run) {
         run.exit_reason = KVM_EXIT_FAIL_ENTRY;
         run.fail_entry.hardware_entry_failure_reason = 0x21;
       },
       "refused to enter the guest, reason 0x21"},
      {[](kvm_run& run) {
         run.exit_reason = KVM_EXIT_INTERNAL_ERROR;
         run.internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
       },
       "must emulate and cannot"},
  };
  for (const auto& one : cases) {
    FakeKvm system;
    system.end = one.end;
    ExpectUnavailable(system, one.reason, "report it");
  }
}

TEST(KvmErrors, ASignalEndsARunEarlyAndSpoilsNoSample) {
  FakeKvm system;
  Kvm kvm(kDevice, true, &system);
  ASSERT_FALSE(kvm.WhyUnavailable()) << kvm.WhyUnavailable()->reason;
  EXPECT_EQ(kvm.GetExecution()->kind, "virtualised");
  const Request request{FindProbe("nop"), IRQCOST_ISOLATED, AllowedCpus().front(), 0, {1, 1, 1}, 5};
  system.signal_at = system.entries + 2;
  EXPECT_EQ(kvm.Measure(request).samples.size(), 2U);
  EXPECT_EQ(kvm.Measure(request).samples.size(), 5U);
}

// A signal may end a VM entry after a sti, or while an exception is delivered.
TEST(KvmErrors, AResetLiftsTheShadowOfAnInterruptAndNoMore) {
  FakeKvm system;
  KvmVm vm(system, kDevice);
  system.events.interrupt.shadow = KVM_X86_SHADOW_INT_STI;
  system.events.exception.injected = 1;
  system.events.nmi.masked = 1;
  system.events.flags = KVM_VCPUEVENT_VALID_SMM;
  vm.Reset();
  EXPECT_EQ(system.events.interrupt.shadow, 0);
  EXPECT_EQ(system.events.exception.injected, 0);
  EXPECT_EQ(system.events.nmi.masked, 1);
  EXPECT_EQ(system.events.flags, KVM_VCPUEVENT_VALID_SMM | KVM_VCPUEVENT_VALID_SHADOW);
}

// In ticks.
Trial Costs(double nop, double add, double imul) { return {nop, add, imul}; }

TEST(JudgeGuest, TellsEmulationByItsPrice) {
  const Trial ring3 = Costs(0.15, 0.75, 2.25);
  EXPECT_EQ(JudgeGuest(ring3, ring3).kind, "virtualised");
  EXPECT_EQ(JudgeGuest(Costs(0.3, 0.8, 2.3), ring3).kind, "virtualised");  // a neighbour
  const BackendExecution emulated = JudgeGuest(Costs(1800, 1800, 1900), ring3);
  EXPECT_EQ(emulated.kind, "emulated");
  EXPECT_EQ(emulated.reason,
            "the host emulates guest ring 0: a nop costs 2400 core cycles there, against 0.20 in "
            "ring 3");
  // An instruction clock: all equal, in the guest as outside.
  EXPECT_EQ(JudgeGuest(Costs(1, 1, 1), Costs(1, 1, 1)).kind, "virtualised");
}

TEST(GuestMemory, HasTheCodeAtItsOwnAddresses) {
  const GuestMemory memory;
  const auto bytes = static_cast<std::size_t>(__stop_irqcost_text - __start_irqcost_text);
  EXPECT_EQ(std::memcmp(memory.CopyOf(__start_irqcost_text), __start_irqcost_text, bytes), 0);
  for (std::size_t at = 0; at < bytes; at += 512) {
    const auto address = reinterpret_cast<std::uintptr_t>(__start_irqcost_text + at);
    ASSERT_EQ(
        memory.Physical(address),
        static_cast<std::uint64_t>(memory.CopyOf(__start_irqcost_text + at) - memory.Start()));
  }
  EXPECT_EQ(memory.Physical(reinterpret_cast<std::uintptr_t>(&memory.Task())),
            reinterpret_cast<unsigned char*>(&memory.Task()) - memory.Start());
  EXPECT_FALSE(memory.Physical(0));
}

TEST(GuestMemory, HasPagesForItsTables) {
  EXPECT_THROW(GuestMemory(1 + 3), std::length_error);  // the code alone, at the least
}

// With the device. Where the host emulates the guest this takes a microsecond an instruction, so
// there are few samples.
class KvmGuest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto unavailable = kvm.WhyUnavailable()) GTEST_SKIP() << unavailable->reason;
  }
  [[nodiscard]] Request Ask(const Probe& probe, Mode mode = IRQCOST_ISOLATED) const {
    const unsigned unroll = mode == IRQCOST_THROUGHPUT ? IRQCOST_MIN_UNROLL : 0;
    return {&probe, mode, cpu, unroll, {3, 2, 2}, 3};
  }
  const int cpu = AllowedCpus().front();
  Kvm kvm{kDevice};
};

std::string Thrown(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing";
}

// The guest compares flags and stack after each window with what the row says.
TEST_F(KvmGuest, MeasuresEveryRowInEveryMode) {
  int rows = 0;
  for (const SupportedProbe& supported : kvm.SupportedProbes()) {
    ++rows;
    EXPECT_EQ(supported.modes, Ring0Modes(*supported.probe));
    if (!supported.unusable.empty()) continue;
    for (const Mode mode : supported.modes) {
      const irqcost::Run run = kvm.Measure(Ask(*supported.probe, mode));
      EXPECT_EQ(run.ops, mode == IRQCOST_THROUGHPUT ? 12U : 3U) << supported.probe->key;
      ASSERT_EQ(run.samples.size(), 3U);
      for (const irqcost_sample& sample : run.samples)
        for (const std::uint64_t ticks :
             {sample.chain_base, sample.chain_body, sample.sensor, sample.base, sample.body})
          EXPECT_GT(ticks, 0U) << supported.probe->key;
    }
  }
  EXPECT_GT(rows, 40);
}

TEST_F(KvmGuest, SeesARowThatLeavesTheInterruptFlagOtherThanItSays) {
  Probe cli = *FindProbe("cli");
  cli.irqs = IRQCOST_IF_11;
  EXPECT_NE(Thrown([&] { kvm.Measure(Ask(cli)); }).find("left the interrupt flag off"),
            std::string::npos);
  Probe sti = *FindProbe("sti_setting");
  sti.irqs = IRQCOST_IF_00;
  EXPECT_NE(Thrown([&] { kvm.Measure(Ask(sti)); }).find("left the interrupt flag on"),
            std::string::npos);
  // And afterwards the guest is as good as new.
  EXPECT_EQ(kvm.Measure(Ask(*FindProbe("cli"))).samples.size(), 3U);
}

class KvmMachine : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto unavailable = Kvm(kDevice).WhyUnavailable()) GTEST_SKIP() << unavailable->reason;
    vm.emplace(system, kDevice);
  }
  // Lets the guest run a window of this test as the body.
  VmEntry RunBody(irqcost_window_fn body) {
    const Probe& empty = *FindProbe("empty");
    const irqcost_window_fn window = Windows(empty, IRQCOST_RING0)[0];
    vm->Reset();
    GuestTask& task = vm->Task();
    task.chain_base = task.chain_body = task.sensor = task.base = window;
    task.body = body;
    task.loops = task.chain_loops = task.sensor_loops = 1;
    task.singles = 0;
    task.irqs = IRQCOST_IF_00;
    return vm->Run();
  }
  // Knows the CPU's descriptor, so that a test can ask KVM what the machine does not show.
  class System final : public KvmSystem {
   public:
    int cpu = -1;
    int Ioctl(int fd, unsigned long request, void* argument) override {
      if (request == KVM_SET_REGS) cpu = fd;
      return KvmSystem::Ioctl(fd, request, argument);
    }
    using KvmSystem::Ioctl;
  };
  System system;
  std::optional<KvmVm> vm;
};

TEST_F(KvmMachine, ResetLiftsTheShadowOfAnInterrupt) {
  vm->Reset();
  kvm_vcpu_events events{};
  ASSERT_EQ(system.Ioctl(system.cpu, KVM_GET_VCPU_EVENTS, &events), 0);
  events.flags |= KVM_VCPUEVENT_VALID_SHADOW;
  events.interrupt.shadow = KVM_X86_SHADOW_INT_STI;
  ASSERT_EQ(system.Ioctl(system.cpu, KVM_SET_VCPU_EVENTS, &events), 0);
  ASSERT_EQ(system.Ioctl(system.cpu, KVM_GET_VCPU_EVENTS, &events), 0);
  ASSERT_NE(events.interrupt.shadow, 0);  // else nothing is shown
  vm->Reset();
  ASSERT_EQ(system.Ioctl(system.cpu, KVM_GET_VCPU_EVENTS, &events), 0);
  EXPECT_EQ(events.interrupt.shadow, 0);
}

TEST_F(KvmMachine, SeesAStackThatIsNotRestored) {
  EXPECT_TRUE(RunBody(irqcost_test_stack).finished);
  EXPECT_EQ(vm->Task().fault, GuestFault::kStack);
  EXPECT_EQ(vm->Task().found, 8U);
}

TEST_F(KvmMachine, SeesAnotherFlagThatStaysOn) {
  EXPECT_TRUE(RunBody(irqcost_test_direction).finished);
  EXPECT_EQ(vm->Task().fault, GuestFault::kOtherFlags);
}

TEST_F(KvmMachine, TellsWhatStoppedTheGuest) {
  const auto why = [this](irqcost_window_fn body) { return Thrown([&] { RunBody(body); }); };
  EXPECT_NE(why(irqcost_test_invalid).find("exception 6 (invalid opcode)"), std::string::npos);
  EXPECT_NE(why(irqcost_test_nowhere).find("exception 14 (page fault)"), std::string::npos);
  EXPECT_NE(why(irqcost_test_nowhere).find("address 0x1234"), std::string::npos);
  EXPECT_NE(why(irqcost_test_triple).find("triple fault"), std::string::npos);
  EXPECT_NE(why(irqcost_test_port).find("unknown exit 2"), std::string::npos);
  EXPECT_TRUE(RunBody(Windows(*FindProbe("nop"), IRQCOST_RING0)[0]).finished);
}

}  // namespace
}  // namespace irqcost
