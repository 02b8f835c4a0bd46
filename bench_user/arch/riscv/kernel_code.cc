/* SPDX-License-Identifier: GPL-2.0-only */
// What the instructions of the kernel's functions tell.
#include <cstring>

#include "backends/bpf/derive.h"
#include "backends/bpf/live_code.h"
#include "backends/machine_code.h"

namespace irqcost {
namespace {

constexpr std::size_t kStep = 2;  // Instructions have two bytes or four.
constexpr std::uint16_t kRet = 0x8082, kNop = 0x0001;
constexpr std::uint32_t kRa = 1, kZero = 0;

template <typename Word>
Word At(std::span<const std::uint8_t> code, std::size_t offset) {
  Word word = 0;
  std::memcpy(&word, &code[offset], sizeof(word));
  return word;
}

std::uint32_t Rd(std::uint32_t instruction) { return instruction >> 7 & 31; }

// jal
bool IsJal(std::uint32_t instruction) {
  return (instruction & 0x7f) == 0x6f && (Rd(instruction) == kRa || Rd(instruction) == kZero);
}

// The 20 bits of its distance, which lie in four groups.
std::int64_t JalDistance(std::uint32_t instruction) {
  const std::uint32_t bits = (instruction >> 31 << 20) | (instruction & 0xff000) |
                             (instruction >> 20 & 1) << 11 | (instruction >> 21 & 0x3ff) << 1;
  return static_cast<std::int32_t>(bits << 11) >> 11;
}

// auipc, and jalr by the same register right after it
bool IsFar(std::uint32_t first, std::uint32_t second) {
  return (first & 0x7f) == 0x17 && (second & 0x707f) == 0x67 && Rd(first) == (second >> 15 & 31) &&
         (Rd(second) == kRa || Rd(second) == kZero);
}

constexpr std::uint32_t kStatus = 0x100;  // sstatus
constexpr std::uint32_t kInterrupts = 2;  // SIE in it
constexpr std::uint32_t kUpper = 0xfffff000;
// In the place of a distance out of the function: the farthest, which no function reaches in
// itself.
constexpr std::uint32_t kFarthest = 0x80000000;

std::size_t LengthAt(std::span<const std::uint8_t> code, std::size_t at) {
  return (code[at] & 3) == 3 ? 4 : 2;
}

// Offsets of instructions.
std::vector<std::size_t> Starts(std::span<const std::uint8_t> code) {
  std::vector<std::size_t> starts;
  for (std::size_t at = 0; at < code.size() && at + LengthAt(code, at) <= code.size();
       at += LengthAt(code, at))
    starts.push_back(at);
  return starts;
}

// A set or clear by a register may be of another bit of sstatus: it is no sign.
std::string MasksOf(std::uint32_t instruction) {
  if ((instruction & 0x7f) != 0x73 || instruction >> 20 != kStatus) return {};
  const bool interrupts = (instruction >> 15 & kInterrupts) != 0;
  switch (instruction >> 12 & 7) {
    case 1:
      return "csrrw sstatus";
    case 5:
      return "csrrwi sstatus";
    case 6:
      return interrupts ? "csrrsi sstatus" : "";
    case 7:
      return interrupts ? "csrrci sstatus" : "";
    default:
      return {};
  }
}

Masks FindMasks(std::span<const std::uint8_t> code) {
  Masks found;
  for (const std::size_t at : Starts(code))
    if (LengthAt(code, at) == 4 && found.flag.empty())
      found.flag = MasksOf(At<std::uint32_t>(code, at));
  return found;
}

// What is added to the upper bits of an address, of an instruction that reads register @base.
std::uint32_t LowerBits(std::uint32_t instruction, std::uint32_t base) {
  if ((instruction >> 15 & 31) != base) return 0;
  switch (instruction & 0x7f) {
    case 0x03:  // loads
    case 0x67:  // jalr
      return 0xfff00000;
    case 0x13:  // addi, and operations by an immediate that is no address
      return (instruction >> 12 & 7) == 0 ? 0xfff00000 : 0;
    case 0x23:  // stores
      return 0xfe000f80;
    default:
      return 0;
  }
}

std::vector<std::uint8_t> WithoutAddresses(std::span<const std::uint8_t> code) {
  std::vector<std::uint8_t> plain(code.begin(), code.end());
  std::uint32_t before = 0;  // an auipc right before
  for (const std::size_t at : Starts(code)) {
    if (LengthAt(code, at) != 4) {
      before = 0;
      continue;
    }
    const auto instruction = At<std::uint32_t>(code, at);
    std::uint32_t instead = 0;
    std::uint32_t address = before == 0 ? 0 : LowerBits(instruction, Rd(before));
    before = 0;
    if ((instruction & 0x7f) == 0x17) {
      address = kUpper;
      before = instruction;
    } else if (IsJal(instruction) &&
               at + static_cast<std::size_t>(JalDistance(instruction)) >= code.size()) {
      address = kUpper;
      instead = kFarthest;
    }
    const std::uint32_t cleared = (instruction & ~address) | instead;
    std::memcpy(&plain[at], &cleared, sizeof(cleared));
  }
  return plain;
}

}  // namespace

std::optional<Decoded> Decode(std::span<const std::uint8_t> code) {
  return Decoded{FindMasks(code), WithoutAddresses(code)};
}

Return FindReturn(std::span<const std::uint8_t> code, bool /*has_thunk*/) {
  // The bytes may also be a part of another instruction: that makes the answer wider, not wrong.
  for (std::size_t at = 0; at + kStep <= code.size(); at += kStep)
    if (At<std::uint16_t>(code, at) == kRet) return Return::kDirect;
  return Return::kElsewhere;
}

Within FindWithin(std::span<const std::uint8_t> code, const NamedTargets& targets) {
  Within within;
  for (std::size_t at = 0; at + kStep <= code.size(); at += kStep) {
    if (At<std::uint16_t>(code, at) == kRet) break;
    const auto target = targets.find(at);
    if (target == targets.end()) continue;
    const auto first = At<std::uint32_t>(code, at);
    const std::uint32_t last = IsJal(first) ? first : At<std::uint32_t>(code, at + 4);
    (Rd(last) == kRa ? within.calls : within.jumps).push_back(target->second);
  }
  return within;
}

// None is known yet: what a call costs is not derived.
std::optional<unsigned> KnownBodyInstructions(std::span<const std::uint8_t> /*code*/) {
  return std::nullopt;
}

Targets PossibleTargets(const FunctionCode& code) {
  Targets targets;
  for (std::size_t at = 0; at + 4 <= code.bytes.size(); at += kStep) {
    const auto first = At<std::uint32_t>(code.bytes, at);
    if (IsJal(first)) {
      targets[at] = code.address + at + static_cast<std::uint64_t>(JalDistance(first));
    } else if (at + 8 <= code.bytes.size()) {
      const auto second = At<std::uint32_t>(code.bytes, at + 4);
      if (!IsFar(first, second)) continue;
      const std::int64_t distance = std::int64_t{static_cast<std::int32_t>(first & 0xfffff000)} +
                                    (static_cast<std::int32_t>(second) >> 20);
      targets[at] = code.address + at + static_cast<std::uint64_t>(distance);
    }
  }
  return targets;
}

// Short nops, and zeroes.
void TrimPadding(std::vector<std::uint8_t>& bytes) {
  while (bytes.size() >= kStep) {
    const auto last = At<std::uint16_t>(bytes, bytes.size() - kStep);
    if (last != kNop && last != 0) return;
    bytes.resize(bytes.size() - kStep);
  }
}

}  // namespace irqcost
