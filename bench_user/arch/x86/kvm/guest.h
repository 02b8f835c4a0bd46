/* SPDX-License-Identifier: GPL-2.0-only */
// What runs in the guest of backend `kvm`: one sample for each VM entry, at CPL 0, in 64-bit mode.
//
// There is no image: the guest has a copy of the section irqcost_text at the addresses that it has
// in the harness, so that a window's address means the same on both sides.
#ifndef IRQCOST_BENCH_USER_ARCH_X86_KVM_GUEST_H
#define IRQCOST_BENCH_USER_ARCH_X86_KVM_GUEST_H

#include <irqcost/abi.h>
#include <irqcost/body.h>
#include <irqcost/catalogue.h>

#include <cstddef>
#include <cstdint>

namespace irqcost {

/** What a window left changed that it should not. */
enum class GuestFault : std::uint32_t { kNone, kInterruptFlag, kStack, kOtherFlags };

/** An exception that the guest took; it stops there. */
struct GuestException {
  std::uint64_t vector;  ///< kNoException until there is one
  std::uint64_t error;   ///< its error code, 0 where it has none
  std::uint64_t rip;
  std::uint64_t cr2;
};

inline constexpr std::uint64_t kNoException = ~std::uint64_t{0};
/** Vectors that the guest's interrupt table has. */
inline constexpr unsigned kGuestVectors = 32;

/** Memory that harness and guest share. */
struct GuestTask {
  GuestException exception;  ///< first: the handlers write it through GS

  // What to do. The meaning is that of struct irqcost_run.
  irqcost_window_fn chain_base;
  irqcost_window_fn chain_body;
  irqcost_window_fn sensor;
  irqcost_window_fn base;
  irqcost_window_fn body;
  std::uint32_t chain_loops;
  std::uint32_t sensor_loops;
  std::uint32_t loops;    ///< of base and body
  std::uint32_t singles;  ///< latency: so many single windows of each; other modes: 0
  irqcost_irqs irqs;      ///< the interrupt flag before and after body

  // What came of it.
  GuestFault fault;
  std::uint64_t found;  ///< the flags, or the error of the stack pointer in bytes
  std::uint64_t gap;    ///< most ticks that a call took outside of its window's two stamps
  irqcost_sample sample;

  alignas(IRQCOST_SCRATCH_BYTES) unsigned char scratch[IRQCOST_SCRATCH_BYTES];
};

extern "C" {
/** Entry: takes a sample and halts, again and again. */
[[noreturn]] void irqcost_guest(GuestTask* task);
/** The handlers of the exceptions, kGuestHandlerBytes each, in the order of their vectors. */
extern const unsigned char irqcost_guest_handlers[] __attribute__((visibility("hidden")));
}
inline constexpr unsigned kGuestHandlerBytes = 16;

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_ARCH_X86_KVM_GUEST_H
