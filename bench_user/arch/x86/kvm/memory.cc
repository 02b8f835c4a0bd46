/* SPDX-License-Identifier: GPL-2.0-only */
#include "arch/x86/kvm/memory.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>

#include "backends/guest_section.h"

namespace irqcost {
namespace {

// Offsets of the pages, which are their physical addresses.
constexpr std::uint64_t kSystemPage = 0;  // GDT, TSS and IDT
constexpr std::uint64_t kTaskPage = 1 * kPage;
constexpr std::uint64_t kStack = 2 * kPage;  // grows down from its end
constexpr std::uint64_t kStackEnd = kStack + 4 * kPage;
constexpr std::uint64_t kFaultStackEnd = kStackEnd + kPage;
constexpr std::uint64_t kTables = kFaultStackEnd;

constexpr std::uint64_t kTssOffset = 256;
constexpr std::uint64_t kIdtOffset = 512;
static_assert(sizeof(GuestTask) <= kPage);
static_assert(kTssOffset + kTssLimit < kIdtOffset && kIdtOffset + kIdtLimit < kPage);

// Volume 3 of Intel's manual: 3.4.5 (descriptors), 6.14.1 (gates), 7.7 (TSS), 4.5 (paging).
constexpr std::uint64_t kCodeDescriptor = 0x00209b0000000000;
constexpr std::uint64_t kDataDescriptor = 0x0000930000000000;
constexpr std::uint64_t kInterruptGate = 0x8e00;
constexpr std::size_t kTssIst1 = 36;
constexpr std::uint64_t kPresentWritable = 3;
constexpr std::uint64_t kAddressBits = 0x000ffffffffff000;
constexpr int kTopShift = 39, kPageShift = 12, kIndexBits = 9;

std::uint64_t Address(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

std::uint64_t CodeStart() { return Address(__start_irqcost_text) / kPage * kPage; }

std::uint64_t CodeBytes() {
  return (Address(__stop_irqcost_text) - CodeStart() + kPage - 1) / kPage * kPage;
}

std::size_t Index(std::uint64_t address, int shift) {
  return address >> shift & ((1U << kIndexBits) - 1);
}

}  // namespace

GuestMemory::GuestMemory(std::size_t tables)
    : next_table_(kTables + kPage), tables_end_(kTables + tables * kPage) {
  const std::size_t bytes = tables_end_ + CodeBytes();
  memory_ = Mapping(mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0),
                    bytes);
  if (!memory_.Get())
    throw std::system_error(errno, std::generic_category(), "memory for the guest");
  // What else lies on the first and the last page of the section stays out.
  std::memcpy(Start() + tables_end_ + (Address(__start_irqcost_text) - CodeStart()),
              __start_irqcost_text,
              static_cast<std::size_t>(__stop_irqcost_text - __start_irqcost_text));
  for (std::uint64_t page = 0; page < CodeBytes(); page += kPage)
    MapPage(CodeStart() + page, tables_end_ + page);
  for (std::uint64_t page = 0; page < kTables; page += kPage)
    MapPage(Address(Start()) + page, page);
  FillTables();
}

GuestTask& GuestMemory::Task() const { return *reinterpret_cast<GuestTask*>(Start() + kTaskPage); }
std::uint64_t GuestMemory::Gdt() const { return Address(Start()); }
std::uint64_t GuestMemory::Tss() const { return Address(Start()) + kTssOffset; }
std::uint64_t GuestMemory::Idt() const { return Address(Start()) + kIdtOffset; }
std::uint64_t GuestMemory::StackTop() const { return Address(Start()) + kStackEnd; }
std::uint64_t GuestMemory::Root() const { return kTables; }

const unsigned char* GuestMemory::CopyOf(const void* code) const {
  return Start() + tables_end_ + (Address(code) - CodeStart());
}

std::optional<std::uint64_t> GuestMemory::Physical(std::uint64_t address) const {
  std::uint64_t entry = kTables;
  for (int shift = kTopShift; shift >= kPageShift; shift -= kIndexBits) {
    entry = Table(entry & kAddressBits)[Index(address, shift)];
    if ((entry & 1) == 0) return std::nullopt;
  }
  return (entry & kAddressBits) + address % kPage;
}

std::uint64_t* GuestMemory::Table(std::uint64_t physical) const {
  return reinterpret_cast<std::uint64_t*>(Start() + physical);
}

void GuestMemory::MapPage(std::uint64_t address, std::uint64_t physical) {
  std::uint64_t table = kTables;
  for (int shift = kTopShift; shift > kPageShift; shift -= kIndexBits) {
    std::uint64_t& entry = Table(table)[Index(address, shift)];
    if (entry == 0) {
      // The code lies after them.
      if (next_table_ == tables_end_)
        throw std::length_error("the guest's " + std::to_string(CodeBytes()) +
                                " bytes of code need more page tables than it has pages for");
      entry = next_table_ | kPresentWritable;
      next_table_ += kPage;
    }
    table = entry & kAddressBits;
  }
  Table(table)[Index(address, kPageShift)] = physical | kPresentWritable;
}

void GuestMemory::FillTables() {
  std::uint64_t* gdt = Table(kSystemPage);
  gdt[1] = kCodeDescriptor;
  gdt[2] = kDataDescriptor;
  // All exceptions have a stack of their own: a row may have lost the other one.
  const std::uint64_t stack = Address(Start()) + kFaultStackEnd;
  std::memcpy(Start() + kTssOffset + kTssIst1, &stack, sizeof(stack));
  for (unsigned vector = 0; vector < kGuestVectors; ++vector) {
    const std::uint64_t handler =
        Address(irqcost_guest_handlers) + std::uint64_t{vector} * kGuestHandlerBytes;
    std::uint64_t* gate = Table(kSystemPage) + kIdtOffset / 8 + std::size_t{2} * vector;
    gate[0] = (handler & 0xffff) | std::uint64_t{kGuestCode} << 16 | std::uint64_t{1} << 32 |
              kInterruptGate << 32 | (handler >> 16 & 0xffff) << 48;
    gate[1] = handler >> 32;
  }
}

}  // namespace irqcost
