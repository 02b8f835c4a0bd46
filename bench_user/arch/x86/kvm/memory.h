/* SPDX-License-Identifier: GPL-2.0-only */
// The guest's memory: a copy of its code, page tables, descriptor tables, stacks, and the task.
#ifndef IRQCOST_BENCH_USER_ARCH_X86_KVM_MEMORY_H
#define IRQCOST_BENCH_USER_ARCH_X86_KVM_MEMORY_H

#include <cstddef>
#include <cstdint>
#include <optional>

#include "arch/x86/kvm/guest.h"
#include "base/mapping.h"

namespace irqcost {

inline constexpr std::size_t kPage = 4096;

/**
 * Pages of page tables: the top one, and for each of two ranges (code and data) below 512 GB at
 * most two of the other three kinds.
 */
inline constexpr std::size_t kGuestTables = 1 + 2 * 2 * 3;

/** Selectors and limits that the vCPU's segment registers need beside the addresses. */
inline constexpr std::uint16_t kGuestCode = 0x08;
inline constexpr std::uint16_t kGuestTss = 0x18;
inline constexpr std::uint16_t kGdtLimit = 3 * 8 - 1;
inline constexpr std::uint16_t kIdtLimit = kGuestVectors * 16 - 1;
inline constexpr std::uint32_t kTssLimit = 103;

/**
 * One piece of anonymous memory. Its offsets are the guest's physical addresses; the guest's
 * virtual addresses are those of this process. Throws std::system_error where there is no memory,
 * std::length_error where the code needs more page tables than there are.
 */
class GuestMemory {
 public:
  /** @tables: pages of page tables; for tests another number. */
  explicit GuestMemory(std::size_t tables = kGuestTables);

  [[nodiscard]] unsigned char* Start() const { return memory_.Get(); }
  [[nodiscard]] std::size_t Bytes() const { return memory_.Bytes(); }
  [[nodiscard]] GuestTask& Task() const;

  [[nodiscard]] std::uint64_t Gdt() const;
  [[nodiscard]] std::uint64_t Idt() const;
  [[nodiscard]] std::uint64_t Tss() const;
  [[nodiscard]] std::uint64_t StackTop() const;
  /** Physical address of the top page table. */
  [[nodiscard]] std::uint64_t Root() const;

  /** Where a virtual address leads to by the page tables; nothing where nowhere. */
  [[nodiscard]] std::optional<std::uint64_t> Physical(std::uint64_t address) const;

  /** The guest's copy of something in the section irqcost_text. */
  [[nodiscard]] const unsigned char* CopyOf(const void* code) const;

 private:
  [[nodiscard]] std::uint64_t* Table(std::uint64_t physical) const;
  void MapPage(std::uint64_t address, std::uint64_t physical);
  void FillTables();

  Mapping memory_;
  std::uint64_t next_table_, tables_end_;
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_ARCH_X86_KVM_MEMORY_H
