/* SPDX-License-Identifier: GPL-2.0-only */
// What the bytes of the kernel's functions tell without being decoded.
#include <algorithm>
#include <cstring>
#include <string_view>

#include "backends/bpf/derive.h"
#include "backends/bpf/live_code.h"
#include "backends/machine_code.h"

namespace irqcost {
namespace {

constexpr std::uint8_t kRet = 0xc3;
constexpr std::uint8_t kInt3 = 0xcc;  // after a return, where a CPU must not run on
constexpr std::uint8_t kCall = 0xe8;
constexpr std::string_view kReturnThunk = "return_thunk";

constexpr int kAny = -1;

// Bodies of bpf_get_numa_node_id (a per-CPU variable, absolute or relative to rip, or the constant
// 0 of a kernel without NUMA) and of bpf_dynptr_is_null, as compilers make them.
struct Body {
  std::vector<int> bytes;  // kAny: part of an address
  unsigned instructions;
};

const std::vector<Body>& KnownBodies() {
  static const std::vector<Body> bodies = {
      // movslq %gs:x(%rip), %rax
      {{0x65, 0x48, 0x63, 0x05, kAny, kAny, kAny, kAny}, 1},
      // movslq %gs:x, %rax
      {{0x65, 0x48, 0x63, 0x04, 0x25, kAny, kAny, kAny, kAny}, 1},
      // mov %gs:x(%rip), %eax; cltq
      {{0x65, 0x8b, 0x05, kAny, kAny, kAny, kAny, 0x48, 0x98}, 2},
      // mov %gs:x, %eax; cltq
      {{0x65, 0x8b, 0x04, 0x25, kAny, kAny, kAny, kAny, 0x48, 0x98}, 2},
      // cmpq $0, (%rdi); sete %al
      {{0x48, 0x83, 0x3f, 0x00, 0x0f, 0x94, 0xc0}, 2},
  };
  return bodies;
}

}  // namespace

Return FindReturn(std::span<const std::uint8_t> code, bool has_thunk) {
  // The byte may also be part of another instruction: that makes the answer wider, not wrong.
  const bool has_ret = std::find(code.begin(), code.end(), kRet) != code.end();
  if (has_ret) return has_thunk ? Return::kEither : Return::kDirect;
  return has_thunk ? Return::kThunk : Return::kElsewhere;
}

Within FindWithin(std::span<const std::uint8_t> code, const NamedTargets& targets) {
  Within within;
  for (std::size_t at = 0; at < code.size(); ++at) {
    const bool ends = at + 1 == code.size() || code[at + 1] == kInt3;
    if (code[at] == kRet && ends) break;
    const auto target = targets.find(at);
    if (target == targets.end()) continue;
    if (target->second.ends_with(kReturnThunk)) break;
    (code[at] == kCall ? within.calls : within.jumps).push_back(target->second);
  }
  return within;
}

std::optional<unsigned> KnownBodyInstructions(std::span<const std::uint8_t> code) {
  for (const Body& body : KnownBodies()) {
    const auto same = [](std::uint8_t byte, int known) { return known == kAny || byte == known; };
    if (std::search(code.begin(), code.end(), body.bytes.begin(), body.bytes.end(), same) !=
        code.end())
      return body.instructions;
  }
  return std::nullopt;
}

std::optional<Decoded> Decode(std::span<const std::uint8_t> /*code*/) { return std::nullopt; }

Targets PossibleTargets(const FunctionCode& code) {
  constexpr std::size_t kLength = 5;
  Targets targets;
  for (std::size_t at = 0; at + kLength <= code.bytes.size(); ++at) {
    if (code.bytes[at] != 0xe8 && code.bytes[at] != 0xe9) continue;
    std::int32_t displacement = 0;
    std::memcpy(&displacement, &code.bytes[at + 1], sizeof(displacement));
    targets[at] =
        code.address + at + kLength + static_cast<std::uint64_t>(std::int64_t{displacement});
  }
  return targets;
}

void TrimPadding(std::vector<std::uint8_t>& bytes) {
  while (!bytes.empty() && bytes.back() == kInt3) bytes.pop_back();
}

}  // namespace irqcost
