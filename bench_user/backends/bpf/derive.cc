/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/bpf/derive.h"

#include <algorithm>

namespace irqcost {
namespace {

// What a body's instruction can add to a call at most, in core cycles: each of those known here is
// a load or simple arithmetic, which every CPU starts at least once a cycle.
constexpr double kMostPerInstruction = 1;

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
