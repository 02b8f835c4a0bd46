/* SPDX-License-Identifier: GPL-2.0-only */
#include "arch/x86/kvm/vm.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <system_error>
#include <vector>

#include "arch/x86/kvm/unavailable.h"

namespace irqcost {
namespace {

// The first version that KVM calls stable, and the last: Documentation/virt/kvm/api.rst, 4.1.
constexpr int kApiVersion = 12;

constexpr std::uint64_t kCr0 = 1U << 31 | 1U << 16 | 1U << 5 | 1U << 4 | 1;  // PG WP NE ET PE
constexpr std::uint64_t kCr4 = 1U << 5;                                      // PAE
constexpr std::uint64_t kEfer = 1U << 10 | 1U << 8;                          // LMA LME
constexpr std::uint64_t kFlags = 2;                                          // interrupts off
constexpr unsigned kExtendedLeaf = 0x80000001;
constexpr unsigned kLongModeBit = 1U << 29;  // EDX of that
constexpr std::uint8_t kCodeType = 0xb, kDataType = 3, kBusyTss = 0xb;
constexpr std::uint16_t kDataSelector = 0x10;

// Of struct kvm_stats_desc up to its name, which in C++ begins a byte too late: see Leaves.
constexpr std::size_t kDescriptionBytes = offsetof(kvm_stats_desc, offset) + 8;
constexpr std::size_t kMostLeaves = 256;  // as many as KVM handles

std::string Hexadecimal(std::uint64_t value) {
  char text[32];
  std::snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string VectorName(std::uint64_t vector) {
  switch (vector) {
    case 0:
      return " (divide error)";
    case 6:
      return " (invalid opcode)";
    case 8:
      return " (double fault)";
    case 13:
      return " (general protection)";
    case 14:
      return " (page fault)";
    case 17:
      return " (alignment check)";
    default:
      return {};
  }
}

// struct kvm_cpuid2. The kernel's header declares it with an array of no length, for which C++
// needs a byte more than C, so that its size and with it the numbers of its requests come out
// wrong.
struct Leaves {
  std::uint32_t count = kMostLeaves;
  std::uint32_t padding = 0;
  std::array<kvm_cpuid_entry2, kMostLeaves> entries{};

  [[nodiscard]] const kvm_cpuid_entry2* Find(std::uint32_t function) const {
    for (std::uint32_t i = 0; i < count; ++i)
      if (entries[i].function == function) return &entries[i];
    return nullptr;
  }
};
constexpr unsigned long kGetSupportedCpuid = _IOWR(KVMIO, 0x05, std::uint64_t);
constexpr unsigned long kSetCpuid = _IOW(KVMIO, 0x90, std::uint64_t);

std::string Describe(const kvm_run& run, const GuestException& exception) {
  switch (run.exit_reason) {
    case KVM_EXIT_HLT:
      return "exception " + std::to_string(exception.vector) + VectorName(exception.vector) +
             " at " + Hexadecimal(exception.rip) + ", error code " + Hexadecimal(exception.error) +
             (exception.vector == 14 ? ", address " + Hexadecimal(exception.cr2) : "");
    case KVM_EXIT_SHUTDOWN:
      return "triple fault: an exception that could not be delivered";
    case KVM_EXIT_FAIL_ENTRY:
      return "the CPU refused to enter the guest, reason " +
             Hexadecimal(run.fail_entry.hardware_entry_failure_reason);
    case KVM_EXIT_INTERNAL_ERROR:
      return "internal error of KVM, suberror " + std::to_string(run.internal.suberror) +
             (run.internal.suberror == KVM_INTERNAL_ERROR_EMULATION
                  ? " (an instruction that it must emulate and cannot)"
                  : "");
    case KVM_EXIT_MMIO:
      return "access to physical address " + Hexadecimal(run.mmio.phys_addr) + ", where nothing is";
    default:
      return "unknown exit " + std::to_string(run.exit_reason);
  }
}

}  // namespace

KvmVm::KvmVm(KvmSystem& system, const std::string& device)
    : system_(system), kvm_(system.Open(device.c_str())) {
  if (kvm_.Get() < 0) throw KvmUnavailable(CannotOpenKvm(device, errno));
  const int version = system_.Ioctl(kvm_.Get(), KVM_GET_API_VERSION, 0UL);
  if (version < 0)
    throw KvmUnavailable(
        {device + " is not the device of KVM: " + std::generic_category().message(errno),
         "sudo modprobe kvm_intel, or kvm_amd"});
  if (version != kApiVersion)
    throw KvmUnavailable({device + " has API version " + std::to_string(version) + ", not " +
                              std::to_string(kApiVersion),
                          "a kernel from this century's second decade or later"});
  vm_ = UniqueFd(system_.Ioctl(kvm_.Get(), KVM_CREATE_VM, 0UL));
  if (vm_.Get() < 0) throw KvmUnavailable(CannotCreateVm(errno));

  kvm_userspace_memory_region region{};
  region.memory_size = memory_.Bytes();
  region.userspace_addr = reinterpret_cast<std::uintptr_t>(memory_.Start());
  Check(system_.Ioctl(vm_.Get(), KVM_SET_USER_MEMORY_REGION, &region), "taking the guest's memory");
  cpu_ = UniqueFd(system_.Ioctl(vm_.Get(), KVM_CREATE_VCPU, 0UL));
  Check(cpu_.Get(), "making a CPU");
  const int bytes = system_.Ioctl(kvm_.Get(), KVM_GET_VCPU_MMAP_SIZE, 0UL);
  Check(bytes, "asking for the size of struct kvm_run");
  shared_ = Mapping(system_.Map(cpu_.Get(), static_cast<std::size_t>(bytes)),
                    static_cast<std::size_t>(bytes));
  Check(shared_.Get() ? 0 : -1, "mapping struct kvm_run");
  LetSeeAllOfTheCpu();
  FindExitCounter();
  try {
    Reset();
  } catch (const std::system_error& error) {
    throw KvmUnavailable({error.what(), "dmesg may tell why"});
  }
}

void KvmVm::Check(int result, const char* what) const {
  if (result < 0)
    throw KvmUnavailable(
        {std::string("KVM: ") + what + ": " + std::generic_category().message(errno),
         "dmesg may tell why"});
}

// Without CPUID leaves the guest would lack what they name: 64-bit mode, RDTSCP.
void KvmVm::LetSeeAllOfTheCpu() {
  Leaves leaves;
  Check(system_.Ioctl(kvm_.Get(), kGetSupportedCpuid, &leaves),
        "asking what the guest's CPU may have");
  const kvm_cpuid_entry2* extended = leaves.Find(kExtendedLeaf);
  if (!extended || !(extended->edx & kLongModeBit))
    throw KvmUnavailable({"KVM offers its guests no 64-bit mode", "a 64-bit kernel on the host"});
  Check(system_.Ioctl(cpu_.Get(), kSetCpuid, &leaves), "telling the guest its CPU");
}

// The kernel counts exits of each virtual CPU, and tells its owner since Linux 5.14.
void KvmVm::FindExitCounter() {
#ifdef KVM_GET_STATS_FD
  statistics_ = UniqueFd(system_.Ioctl(cpu_.Get(), KVM_GET_STATS_FD, 0UL));
  kvm_stats_header header{};
  if (statistics_.Get() < 0 ||
      system_.ReadAt(statistics_.Get(), &header, sizeof(header), 0) != sizeof(header)) {
    statistics_ = UniqueFd();
    return;
  }
  std::vector<char> item(kDescriptionBytes + header.name_size);
  for (std::uint32_t i = 0; i < header.num_desc; ++i) {
    const auto place = static_cast<off_t>(header.desc_offset + i * item.size());
    if (system_.ReadAt(statistics_.Get(), item.data(), item.size(), place) !=
        static_cast<ssize_t>(item.size()))
      break;
    kvm_stats_desc description{};
    std::memcpy(&description, item.data(), kDescriptionBytes);
    const char* name = item.data() + kDescriptionBytes;
    if (std::string_view(name, strnlen(name, header.name_size)) == "exits") {
      exit_counter_ = static_cast<off_t>(header.data_offset) + description.offset;
      return;
    }
  }
  statistics_ = UniqueFd();
#endif
}

std::optional<std::uint64_t> KvmVm::Exits() const {
  std::uint64_t exits = 0;
  if (statistics_.Get() < 0 ||
      system_.ReadAt(statistics_.Get(), &exits, sizeof(exits), exit_counter_) != sizeof(exits))
    return std::nullopt;
  return exits;
}

void KvmVm::Reset() {
  const auto set = [this](unsigned long request, void* state, const char* what) {
    if (system_.Ioctl(cpu_.Get(), request, state) < 0)
      throw std::system_error(errno, std::generic_category(), std::string("KVM: ") + what);
  };
  kvm_sregs segments{};
  set(KVM_GET_SREGS, &segments, "reading the guest's segments");
  segments.cr0 = kCr0;
  segments.cr3 = memory_.Root();
  segments.cr4 = kCr4;
  segments.efer = kEfer;
  kvm_segment code{};
  code.limit = 0xffffffff;
  code.selector = kGuestCode;
  code.type = kCodeType;
  code.present = code.s = code.l = code.g = 1;
  segments.cs = code;
  kvm_segment data = code;
  data.selector = kDataSelector;
  data.type = kDataType;
  data.l = 0;
  data.db = 1;
  segments.ss = segments.ds = segments.es = segments.fs = segments.gs = data;
  segments.gs.base = reinterpret_cast<std::uintptr_t>(&Task());
  segments.tr = {};
  segments.tr.base = memory_.Tss();
  segments.tr.limit = kTssLimit;
  segments.tr.selector = kGuestTss;
  segments.tr.type = kBusyTss;
  segments.tr.present = 1;
  segments.ldt = {};
  segments.ldt.unusable = 1;
  segments.gdt.base = memory_.Gdt();
  segments.gdt.limit = kGdtLimit;
  segments.idt.base = memory_.Idt();
  segments.idt.limit = kIdtLimit;
  set(KVM_SET_SREGS, &segments, "setting the guest's segments to 64-bit mode");

  kvm_regs registers{};
  registers.rip = reinterpret_cast<std::uintptr_t>(&irqcost_guest);
  registers.rdi = reinterpret_cast<std::uintptr_t>(&Task());
  registers.rsp = memory_.StackTop() - 8;  // as after a call
  registers.rflags = kFlags;
  set(KVM_SET_REGS, &registers, "setting the guest's registers");

  // What the CPU keeps beside its registers: after a sti or a mov to SS it takes no interrupt for
  // one instruction, and an exception may be on its way. A VM entry may have ended in either.
  kvm_vcpu_events events{};
  set(KVM_GET_VCPU_EVENTS, &events, "reading the guest's pending events");
  events.flags |= KVM_VCPUEVENT_VALID_SHADOW;
  events.interrupt.shadow = 0;
  events.exception.injected = 0;
  set(KVM_SET_VCPU_EVENTS, &events, "clearing the guest's pending events");
  Task().exception = {kNoException, 0, 0, 0};
  Task().fault = GuestFault::kNone;
}

VmEntry KvmVm::Run() {
  const auto& run = *reinterpret_cast<const kvm_run*>(shared_.Get());
  const std::optional<std::uint64_t> before = Exits();
  // Where nothing emulates a local APIC, KVM hands a lowered task priority on; there is nothing to
  // do.
  do {
    if (system_.Ioctl(cpu_.Get(), KVM_RUN, 0UL) >= 0) continue;
    if (errno == EINTR || errno == EAGAIN) return {};
    throw std::system_error(errno, std::generic_category(), "KVM: running the guest");
  } while (run.exit_reason == KVM_EXIT_SET_TPR);
  if (run.exit_reason != KVM_EXIT_HLT || Task().exception.vector != kNoException)
    throw std::runtime_error("the guest stopped: " + Describe(run, Task().exception));
  VmEntry entry;
  entry.finished = true;
  const std::optional<std::uint64_t> after = Exits();
  if (before && after && *after > *before) entry.exits = *after - *before - 1;
  return entry;
}

std::optional<std::uint64_t> KvmVm::TscKhz() const {
  const int khz = system_.Ioctl(cpu_.Get(), KVM_GET_TSC_KHZ, 0UL);
  if (khz <= 0) return std::nullopt;
  return static_cast<std::uint64_t>(khz);
}

}  // namespace irqcost
