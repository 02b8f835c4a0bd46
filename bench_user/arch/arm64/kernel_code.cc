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

bool IsCall(std::uint32_t instruction) { return instruction >> 26 == 0x25; }  // bl
bool IsJump(std::uint32_t instruction) { return instruction >> 26 == 0x05; }  // b

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

Targets PossibleTargets(const FunctionCode& code) {
  Targets targets;
  for (std::size_t at = 0; at + kLength <= code.bytes.size(); at += kLength) {
    const std::uint32_t instruction = At(code.bytes, at);
    if (!IsCall(instruction) && !IsJump(instruction)) continue;
    // A distance in instructions, of 26 bits with a sign.
    const auto distance = std::int64_t{static_cast<std::int32_t>(instruction << 6) >> 6} * 4;
    targets[at] = code.address + at + static_cast<std::uint64_t>(distance);
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
