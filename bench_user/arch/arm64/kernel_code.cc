/* SPDX-License-Identifier: GPL-2.0-only */
// What the instructions of the kernel's functions tell.
#include <cstring>

#include "backends/bpf/derive.h"
#include "backends/bpf/live_code.h"
#include "backends/machine_code.h"

namespace irqcost {
namespace {

constexpr std::size_t kLength = 4;
constexpr std::uint32_t kRet = 0xd65f03c0;
constexpr std::uint32_t kNop = 0xd503201f;

std::uint32_t At(std::span<const std::uint8_t> code, std::size_t offset) {
  std::uint32_t instruction = 0;
  std::memcpy(&instruction, &code[offset], kLength);
  return instruction;
}

void Put(std::vector<std::uint8_t>& code, std::size_t offset, std::uint32_t instruction) {
  std::memcpy(&code[offset], &instruction, kLength);
}

/** Encodings, as in the Arm Architecture Reference Manual (DDI 0487), C4.1. */
struct Encoding {
  std::uint32_t mask;
  std::uint32_t bits;
  [[nodiscard]] bool Is(std::uint32_t instruction) const { return (instruction & mask) == bits; }
};

constexpr Encoding kCall{0xfc000000, 0x94000000};          // bl
constexpr Encoding kJump{0xfc000000, 0x14000000};          // b
constexpr Encoding kReturns{0xfffffc1f, 0xd65f0000};       // ret
constexpr Encoding kIndirectJump{0xfffffc1f, 0xd61f0000};  // br
constexpr Encoding kConditional{0xff000000, 0x54000000};   // b.cond
constexpr Encoding kCompare{0x7e000000, 0x34000000};       // cbz, cbnz
constexpr Encoding kTest{0x7e000000, 0x36000000};          // tbz, tbnz
constexpr Encoding kRelative{0x1f000000, 0x10000000};      // adr, adrp
constexpr Encoding kMovn{0xff800000, 0x92800000};          // movn of 64 bits
constexpr Encoding kMovk{0xff800000, 0xf2800000};          // movk of 64 bits

// Of the masks in DAIF, bit 1 of the immediate is that of interrupts.
constexpr Encoding kDaifSet{0xfffff2ff, 0xd50342df};
constexpr Encoding kDaifClear{0xfffff2ff, 0xd50342ff};
constexpr Encoding kDaif{0xffffffe0, 0xd51b4220};
constexpr Encoding kPriority{0xffffffe0, 0xd5184600};

constexpr std::uint32_t kDistance26 = 0x03ffffff;
constexpr std::uint32_t kRelativeDistance = 0x60ffffe0;
constexpr std::uint32_t kImmediate16 = 0x001fffe0;
constexpr std::uint32_t kRd = 0x1f;

bool IsCall(std::uint32_t instruction) { return kCall.Is(instruction); }
bool IsJump(std::uint32_t instruction) { return kJump.Is(instruction); }

// A distance in bytes: of so many bits from this one on, with a sign, in instructions.
std::int64_t Distance(std::uint32_t instruction, unsigned first, unsigned bits) {
  const auto top = static_cast<std::int32_t>(instruction << (32 - first - bits));
  return std::int64_t{top >> (32 - bits)} * static_cast<std::int64_t>(kLength);
}

/** Where a branch inside of a function may go on, besides the next instruction. */
std::optional<std::int64_t> Branch(std::uint32_t instruction) {
  if (IsJump(instruction)) return Distance(instruction, 0, 26);
  if (kConditional.Is(instruction) || kCompare.Is(instruction)) return Distance(instruction, 5, 19);
  if (kTest.Is(instruction)) return Distance(instruction, 5, 14);
  return std::nullopt;
}

bool Ends(std::uint32_t instruction) {
  return IsJump(instruction) || kReturns.Is(instruction) || kIndirectJump.Is(instruction);
}

std::optional<Masks> MasksOf(std::uint32_t instruction) {
  if (kDaifSet.Is(instruction)) return Masks{false, "msr daifset"};
  if (kDaifClear.Is(instruction)) return Masks{false, "msr daifclr"};
  if (kDaif.Is(instruction)) return Masks{false, "msr daif"};
  if (kPriority.Is(instruction)) return Masks{true, "msr icc_pmr_el1"};
  return std::nullopt;
}

// Kernels have both ways in one function and jump over one of them, by a branch that was patched at
// boot: only what can be reached counts.
std::optional<Masks> FindMasks(std::span<const std::uint8_t> code) {
  std::optional<Masks> found;
  std::vector<bool> seen(code.size() / kLength);
  std::vector<std::size_t> open = {0};
  while (!open.empty()) {
    std::size_t at = open.back();
    open.pop_back();
    for (; at / kLength < seen.size() && !seen[at / kLength]; at += kLength) {
      seen[at / kLength] = true;
      const std::uint32_t instruction = At(code, at);
      if (auto masks = MasksOf(instruction); masks && (!found || masks->by_priority)) found = masks;
      // What leaves the function is beyond its end, the start included.
      if (const auto distance = Branch(instruction))
        open.push_back(at + static_cast<std::size_t>(*distance));
      if (Ends(instruction)) break;
    }
  }
  return found;
}

bool Leaves(std::span<const std::uint8_t> code, std::size_t at, std::uint32_t instruction) {
  return at + static_cast<std::size_t>(Distance(instruction, 0, 26)) >= code.size();
}

std::vector<std::uint8_t> WithoutAddresses(std::span<const std::uint8_t> code) {
  std::vector<std::uint8_t> plain(code.begin(), code.end());
  std::uint32_t before = 0;
  bool address = false;  // in whose middle we are
  for (std::size_t at = 0; at + kLength <= code.size(); at += kLength) {
    const std::uint32_t instruction = At(code, at);
    const bool same = (instruction & kRd) == (before & kRd);
    if ((IsCall(instruction) || IsJump(instruction)) && Leaves(code, at, instruction)) {
      Put(plain, at, instruction & ~kDistance26);
    } else if (kRelative.Is(instruction)) {
      Put(plain, at, instruction & ~kRelativeDistance);
    } else if (kMovk.Is(instruction) && same && (address || kMovn.Is(before))) {
      // The kernel's addresses begin with ones.
      if (!address) Put(plain, at - kLength, before & ~kImmediate16);
      Put(plain, at, instruction & ~kImmediate16);
      address = true;
      before = instruction;
      continue;
    }
    address = false;
    before = instruction;
  }
  return plain;
}

}  // namespace

Return FindReturn(std::span<const std::uint8_t> code, bool /*has_thunk*/) {
  for (std::size_t at = 0; at + kLength <= code.size(); at += kLength)
    if (At(code, at) == kRet) return Return::kDirect;
  return Return::kElsewhere;
}

Within FindWithin(std::span<const std::uint8_t> code, const NamedTargets& targets) {
  Within within;
  for (std::size_t at = 0; at + kLength <= code.size(); at += kLength) {
    const std::uint32_t instruction = At(code, at);
    if (instruction == kRet) break;
    const auto target = targets.find(at);
    if (target == targets.end()) continue;
    (IsCall(instruction) ? within.calls : within.jumps).push_back(target->second);
  }
  return within;
}

// None is known yet: what a call costs is not derived.
std::optional<unsigned> KnownBodyInstructions(std::span<const std::uint8_t> /*code*/) {
  return std::nullopt;
}

std::optional<Decoded> Decode(std::span<const std::uint8_t> code) {
  return Decoded{FindMasks(code), WithoutAddresses(code)};
}

Targets PossibleTargets(const FunctionCode& code) {
  Targets targets;
  for (std::size_t at = 0; at + kLength <= code.bytes.size(); at += kLength) {
    const std::uint32_t instruction = At(code.bytes, at);
    if (!IsCall(instruction) && !IsJump(instruction)) continue;
    targets[at] = code.address + at + static_cast<std::uint64_t>(Distance(instruction, 0, 26));
  }
  return targets;
}

// nop, and zeroes.
void TrimPadding(std::vector<std::uint8_t>& bytes) {
  while (bytes.size() >= kLength) {
    const std::uint32_t last = At(bytes, bytes.size() - kLength);
    if (last != kNop && last != 0) return;
    bytes.resize(bytes.size() - kLength);
  }
}

}  // namespace irqcost
