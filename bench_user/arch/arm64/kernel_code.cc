/* SPDX-License-Identifier: GPL-2.0-only */
// What the instructions of the kernel's functions tell.
#include <cstring>

#include "backends/bpf/derive.h"
#include "backends/bpf/live_code.h"
#include "backends/machine_code.h"

namespace irqcost {
namespace {

constexpr std::size_t kLength = 4;
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

constexpr Encoding kCall{0xfc000000, 0x94000000};
constexpr Encoding kJump{0xfc000000, 0x14000000};
// To a register, to the caller or out of an exception, not linked: br, ret, eret, with or without
// authentication.
constexpr Encoding kIndirectJump{0xfe200000, 0xd6000000};
constexpr Encoding kReturn{0xfee00000, 0xd6400000};  // ret, retaa, retab
constexpr Encoding kConditional{0xff000000, 0x54000000};
constexpr Encoding kAlways{0xff00000e, 0x5400000e};   // b.al, b.nv
constexpr Encoding kCompare{0x7e000000, 0x34000000};  // cbz, cbnz
constexpr Encoding kTest{0x7e000000, 0x36000000};     // tbz, tbnz
constexpr Encoding kUndefined{0xffff0000, 0x00000000};
constexpr Encoding kAdr{0x9f000000, 0x10000000};
constexpr Encoding kAdrp{0x9f000000, 0x90000000};

// Of the masks in DAIF, bit 1 of the immediate is that of interrupts.
constexpr Encoding kDaifSet{0xfffff2ff, 0xd50342df};
constexpr Encoding kDaifClear{0xfffff2ff, 0xd50342ff};
constexpr Encoding kDaif{0xffffffe0, 0xd51b4220};
constexpr Encoding kPriority{0xffffffe0, 0xd5184600};

// In the place of a distance out of the function: the farthest, which no function reaches in
// itself.
constexpr std::uint32_t kDistance26 = 0x03ffffff, kFarthest26 = 0x02000000;
constexpr std::uint32_t kPage = 0x60ffffe0;  // Of adr and adrp.

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
  return IsJump(instruction) || kIndirectJump.Is(instruction) || kAlways.Is(instruction) ||
         kUndefined.Is(instruction);
}

void Note(std::uint32_t instruction, Masks& found) {
  if (kPriority.Is(instruction)) found.priority = "msr icc_pmr_el1";
  if (!found.flag.empty()) return;
  if (kDaifSet.Is(instruction)) found.flag = "msr daifset";
  if (kDaifClear.Is(instruction)) found.flag = "msr daifclr";
  if (kDaif.Is(instruction)) found.flag = "msr daif";
}

// Kernels have both ways in one function and jump over one of them, by a branch that was patched at
// boot: only what can be reached counts. What follows a call that never returns, or a brk, is taken
// for reachable.
Masks FindMasks(std::span<const std::uint8_t> code) {
  Masks found;
  std::vector<bool> seen(code.size() / kLength);
  std::vector<std::size_t> open = {0};
  while (!open.empty()) {
    std::size_t at = open.back();
    open.pop_back();
    for (; at / kLength < seen.size() && !seen[at / kLength]; at += kLength) {
      seen[at / kLength] = true;
      const std::uint32_t instruction = At(code, at);
      Note(instruction, found);
      // A branch out of the function, in either direction, gives an offset beyond its end.
      if (const auto distance = Branch(instruction))
        open.push_back(at + static_cast<std::size_t>(*distance));
      if (Ends(instruction)) break;
    }
  }
  return found;
}

// The distance of adr is in bytes, its lowest bits apart.
std::int64_t AdrDistance(std::uint32_t instruction) {
  return std::int64_t{static_cast<std::int32_t>(instruction << 8) >> 13} * 4 +
         (instruction >> 29 & 3);
}

std::vector<std::uint8_t> WithoutAddresses(std::span<const std::uint8_t> code) {
  std::vector<std::uint8_t> plain(code.begin(), code.end());
  const auto leaves = [&](std::size_t at, std::int64_t distance) {
    return at + static_cast<std::size_t>(distance) >= code.size();
  };
  for (std::size_t at = 0; at + kLength <= code.size(); at += kLength) {
    const std::uint32_t instruction = At(code, at);
    if ((IsCall(instruction) || IsJump(instruction)) && leaves(at, Distance(instruction, 0, 26)))
      Put(plain, at, (instruction & ~kDistance26) | kFarthest26);
    else if (kAdrp.Is(instruction) ||
             (kAdr.Is(instruction) && leaves(at, AdrDistance(instruction))))
      Put(plain, at, instruction & ~kPage);
  }
  return plain;
}

}  // namespace

Return FindReturn(std::span<const std::uint8_t> code, bool /*has_thunk*/) {
  for (std::size_t at = 0; at + kLength <= code.size(); at += kLength)
    if (kReturn.Is(At(code, at))) return Return::kDirect;
  return Return::kElsewhere;
}

Within FindWithin(std::span<const std::uint8_t> code, const NamedTargets& targets) {
  Within within;
  for (std::size_t at = 0; at + kLength <= code.size(); at += kLength) {
    const std::uint32_t instruction = At(code, at);
    if (kReturn.Is(instruction)) break;
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
