/* SPDX-License-Identifier: GPL-2.0-only */
// Nothing here may call, or read a constant, outside of the section: the guest has nothing else.
// bench_user/CMakeLists.txt builds it without a stack protector, red zone, or vector registers.
#include "arch/x86/kvm/guest.h"

#include <cstddef>

#include "backends/guest_section.h"

// Functions that are not inlined must lie in the section.
#define IN_GUEST __attribute__((section(IRQCOST_GUEST_SECTION), used))
#define INLINE __attribute__((always_inline)) inline

namespace irqcost {
namespace {

constexpr std::uint64_t kFlagsOff = 0x002;  // bit 1 is always set
constexpr std::uint64_t kFlagsOn = 0x202;
constexpr std::uint64_t kInterruptBit = 0x200;
// Direction, nested task and alignment check, which a row that sets them must clear.
constexpr std::uint64_t kOtherBits = 0x400 | 0x4000 | 0x40000;

INLINE std::uint64_t Stamp() {
  std::uint32_t low, high;
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  return std::uint64_t{high} << 32 | low;
}

// As in ring 3: equal rounds would all meet the step of the TSC in one phase.
INLINE void VaryPhase(unsigned round) {
  unsigned product = round;
  for (unsigned left = round % 31; left > 0; --left) asm volatile("imul %0, %0" : "+r"(product));
}

// The interrupt flag that a row wants on entry, as the irqs of one that keeps it.
INLINE irqcost_irqs OfEntry(irqcost_irqs irqs) {
  return (irqs & IRQCOST_IF_10) ? IRQCOST_IF_11 : IRQCOST_IF_00;
}

// One window, entered with the interrupt flag that `irqs` has and left with it off. What the
// window did to flags and stack is seen right after its return.
INLINE std::uint64_t Timed(GuestTask& task, irqcost_window_fn window, unsigned loops,
                           irqcost_irqs irqs) {
  const std::uint64_t entry = (irqs & IRQCOST_IF_10) ? kFlagsOn : kFlagsOff;
  std::uint64_t ticks, flags, before, after;
  std::uint64_t argument = loops;
  void* scratch = task.scratch;
  const std::uint64_t from = Stamp();
  asm volatile(
      "mov %%rsp, %[before]\n\t"
      "push %[entry]\n\t"
      "popfq\n\t"
      "call *%[window]\n\t"
      "mov %%rsp, %[after]\n\t"
      "pushfq\n\t"
      "pop %[flags]\n\t"
      "cli\n\t"
      "cld\n\t"
      "mov %[before], %%rsp\n\t"
      : "=&a"(ticks), "+D"(argument),
        "+S"(scratch), [before] "=&r"(before), [after] "=&c"(after), [flags] "=&d"(flags)
      : [entry] "r"(entry), [window] "r"(window)
      : "r8", "r9", "r10", "r11", "memory", "cc");
  const std::uint64_t gap = Stamp() - from - ticks;
  if (gap > task.gap) task.gap = gap;
  if (after != before) {
    task.fault = GuestFault::kStack;
    task.found = before - after;
  } else if (((flags & kInterruptBit) != 0) != ((irqs & IRQCOST_IF_01) != 0)) {
    task.fault = GuestFault::kInterruptFlag;
    task.found = flags;
  } else if ((flags & kOtherBits) != 0) {
    task.fault = GuestFault::kOtherFlags;
    task.found = flags;
  }
  return ticks;
}

INLINE void TakeSample(GuestTask& task) {
  irqcost_sample& sample = task.sample;
  const irqcost_irqs entry = OfEntry(task.irqs);
  task.gap = 0;
  sample.start = Stamp();
  sample.chain_base = Timed(task, task.chain_base, task.chain_loops, IRQCOST_IF_00);
  sample.chain_body = Timed(task, task.chain_body, task.chain_loops, IRQCOST_IF_00);
  sample.sensor = Timed(task, task.sensor, task.sensor_loops, IRQCOST_IF_00);
  if (task.singles == 0) {
    sample.base = Timed(task, task.base, task.loops, entry);
    sample.body = Timed(task, task.body, task.loops, task.irqs);
    return;
  }
  sample.base = 0;
  sample.body = 0;
  for (unsigned single = 0; single < task.singles; ++single) {
    VaryPhase(single);
    const bool base_first = single % 2 == 0;
    if (base_first) sample.base += Timed(task, task.base, 1, entry);
    sample.body += Timed(task, task.body, 1, task.irqs);
    if (!base_first) sample.base += Timed(task, task.base, 1, entry);
  }
}

}  // namespace

extern "C" {

IN_GUEST void irqcost_guest(GuestTask* task) {
  for (;;) {
    TakeSample(*task);
    asm volatile("hlt" ::: "memory");
  }
}

// Each pushes what the CPU did not: an error code (vectors 8, 10 to 14, 17, 21, 29 and 30 have one)
// and its number. GS holds the task, which begins with the place for it all.
static_assert(offsetof(GuestTask, exception) == 0 && offsetof(GuestException, error) == 8 &&
              offsetof(GuestException, rip) == 16 && offsetof(GuestException, cr2) == 24);
static_assert(kGuestHandlerBytes == 16 && kGuestVectors == 32);
__asm__(".pushsection " IRQCOST_GUEST_SECTION
        ",\"ax\",@progbits\n\t"
        ".globl irqcost_guest_handlers\n\t"
        ".hidden irqcost_guest_handlers\n\t"
        ".balign 16\n"
        "irqcost_guest_handlers:\n\t"
        ".set vector, 0\n\t"
        ".rept 32\n\t"
        ".balign 16\n\t"
        ".if (0x60227d00 >> vector) & 1\n\t"
        ".else\n\t"
        "push $0\n\t"
        ".endif\n\t"
        "push $vector\n\t"
        "jmp 1f\n\t"
        ".set vector, vector + 1\n\t"
        ".endr\n\t"
        "1:\n\t"
        "popq %gs:0\n\t"
        "popq %gs:8\n\t"
        "popq %gs:16\n\t"
        "mov %cr2, %rax\n\t"
        "mov %rax, %gs:24\n"
        "2:\n\t"
        "hlt\n\t"
        "jmp 2b\n\t"
        ".popsection\n");

}  // extern "C"

}  // namespace irqcost
