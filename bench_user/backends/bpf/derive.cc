/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/bpf/derive.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace irqcost {
namespace {

constexpr std::uint8_t kRet = 0xc3;
constexpr std::uint8_t kInt3 = 0xcc;  // after a return, where a CPU must not run on
constexpr std::uint8_t kCall = 0xe8;
constexpr std::string_view kReturnThunk = "return_thunk";
// What a body's instruction can add to a call at most, in core cycles: each of those known here is
// a load or simple arithmetic, which every x86-64 CPU starts at least once a cycle.
constexpr double kMostPerInstruction = 1;

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

// What one call costs: `value`, enclosed by `low` and `high`.
struct Price {
  double value;
  double low;
  double high;
};

Price PriceOf(const CallPrice& call) {
  const Cost& c = call.cost;
  return {c.core_cycles, c.core_cycles - c.spread - kMostPerInstruction * call.body_instructions,
          c.core_cycles + c.spread};
}

std::optional<Price> Find(Return way, const std::map<Return, CallPrice>& prices) {
  const auto at = prices.find(way);
  if (at == prices.end()) return std::nullopt;
  return PriceOf(at->second);
}

std::optional<Price> PriceOf(Return way, const std::map<Return, CallPrice>& prices) {
  if (way == Return::kDirect || way == Return::kThunk) return Find(way, prices);
  const auto direct = Find(Return::kDirect, prices);
  const auto thunk = Find(Return::kThunk, prices);
  if (!direct || !thunk) return std::nullopt;
  return Price{(direct->value + thunk->value) / 2, std::min(direct->low, thunk->low),
               std::max(direct->high, thunk->high)};
}

std::string Term(long count, const std::string& what) {
  return count == 0 ? std::string() : " - " + std::to_string(count) + " * " + what;
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

std::optional<Derived> WithoutCalls(const std::string& probe, Cost cost,
                                    std::span<const Return> returns,
                                    const std::map<Return, CallPrice>& prices) {
  Derived derived{cost.core_cycles,
                  cost.core_cycles - cost.spread,
                  cost.core_cycles + cost.spread,
                  probe,
                  {{probe, cost.core_cycles}}};
  for (const Return way : returns) {
    const auto price = PriceOf(way, prices);
    if (!price) return std::nullopt;
    derived.core_cycles -= price->value;
    // The most expensive call leaves the least.
    derived.low -= price->high;
    derived.high -= price->low;
  }

  const auto count = [&](Return way) { return std::count(returns.begin(), returns.end(), way); };
  const long between = count(Return::kEither) + count(Return::kElsewhere);
  std::string mean;
  for (const auto& [way, call] : prices) {
    derived.formula += Term(count(way), call.probe);
    mean += (mean.empty() ? "(" : " + ") + call.probe;
    if (count(way) + between > 0) derived.inputs[call.probe] = call.cost.core_cycles;
  }
  derived.formula += Term(between, mean + ") / 2");
  return derived;
}

}  // namespace irqcost
