/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/bpf/record.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "backends/bpf/bpf.h"
#include "backends/bpf/called.h"
#include "backends/bpf/derive.h"
#include "backends/bpf/live_code.h"
#include "backends/machine_code.h"

namespace irqcost {
namespace {

using Json = nlohmann::ordered_json;

// A function that a row calls: its machine code, its callees', and how it returns.
struct Function {
  std::vector<FunctionCode> parts;  // itself first, then its callees
  std::vector<Json> shown;          // the parts as the result has them
  Return returns = Return::kElsewhere;
  std::vector<std::string> calls;  // what it calls in turn on its way to its return
};

// A row that was measured, with the functions of one operation in the order of its calls.
struct Row {
  const Probe* probe = nullptr;
  std::vector<Function> functions;
};

std::string Name(const Probe& probe) { return "bpf/" + std::string(probe.key); }

std::optional<Cost> CostOf(const Probe& probe, const Costs& costs) {
  const auto at = costs.find(Name(probe) + "/" + std::string(ModeName(IRQCOST_THROUGHPUT)));
  if (at == costs.end()) return std::nullopt;
  return at->second;
}

Function ReadFunction(LiveCode& live, const std::string& name) {
  Function function{live.ReadWithCallees(name), {}, Return::kElsewhere, {}};
  for (const FunctionCode& code : function.parts)
    function.shown.push_back(FunctionJson(code.symbol, code.bytes, live.NamedTargets(code)));
  const auto within = [&](const FunctionCode& code) {
    return FindWithin(code.bytes, live.NamedTargets(code));
  };
  const Within own = within(function.parts.front());
  function.calls = own.calls;
  for (const FunctionCode& code : function.parts)
    if (std::find(own.jumps.begin(), own.jumps.end(), code.symbol) != own.jumps.end())
      for (const std::string& called : within(code).calls) function.calls.push_back(called);
  const auto find = [&](const FunctionCode& code) {
    return FindReturn(code.bytes, live.ReturnsThroughThunk(code));
  };
  function.returns = find(function.parts.front());
  if (function.returns == Return::kElsewhere && function.parts.size() == 2)
    function.returns = find(function.parts.back());
  return function;
}

// The rows that price a call: those of one function, whose body is known. Of several with the same
// way of return the cheapest is nearest to a call alone.
std::map<Return, CallPrice> FindPrices(const std::vector<Row>& rows, const Costs& costs) {
  std::map<Return, CallPrice> prices;
  for (const Row& row : rows) {
    const auto cost = CostOf(*row.probe, costs);
    if (!cost || row.functions.size() != 1) continue;
    const Function& function = row.functions.front();
    const auto body = KnownBodyInstructions(function.parts.front().bytes);
    if (!body || (function.returns != Return::kDirect && function.returns != Return::kThunk))
      continue;
    const CallPrice price{std::string(row.probe->key), *cost, *body};
    const auto [at, is_new] = prices.emplace(function.returns, price);
    if (!is_new && cost->core_cycles < at->second.cost.core_cycles) at->second = price;
  }
  return prices;
}

// What the functions of a row call in turn, each once; empty where they call nothing.
std::string CallsInTurn(const Row& row) {
  std::vector<std::string> names;
  for (const Function& function : row.functions)
    for (const std::string& name : function.calls)
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

Json DerivedJson(const std::string& name, const Derived& derived) {
  return {{"name", name},
          {"core_cycles", derived.core_cycles},
          {"low", derived.low},
          {"high", derived.high},
          {"formula", derived.formula},
          {"inputs", Json(derived.inputs)}};
}

std::string HexadecimalNumber(std::uint64_t value) {
  char text[2 + 16 + 1];
  std::snprintf(text, sizeof(text), "0x%016llx", static_cast<unsigned long long>(value));
  return text;
}

Json Absent(const std::string& name, const std::string& reason) {
  return {{"name", name}, {"reason", reason}};
}

}  // namespace

void Record(const std::vector<MeasuredRow>& measured, const Costs& costs, Json& context) {
  context["derived"] = Json::array();
  std::vector<Row> rows;
  try {
    LiveCode live;
    for (const auto& [probe, program] : measured) {
      if (program)
        AddFunction(context, Name(*probe),
                    FunctionJson(kProgramSymbol, program->bytes, live.NamedTargets(*program)));
      Row row{probe, {}};
      for (const std::string& name : CalledFunctions(probe->code))
        row.functions.push_back(ReadFunction(live, name));
      if (!row.functions.empty()) rows.push_back(std::move(row));
    }
  } catch (const CodeError& error) {
    context["absent"].push_back(Absent("bpf: machine code and derived figures", error.what()));
    return;
  }

  for (const Row& row : rows)
    for (const Function& function : row.functions)
      for (const Json& shown : function.shown) AddFunction(context, Name(*row.probe), shown);

  const std::map<Return, CallPrice> prices = FindPrices(rows, costs);
  for (const Row& row : rows) {
    const auto cost = CostOf(*row.probe, costs);
    if (!cost || row.functions.size() < 2) continue;
    std::vector<Return> returns;
    for (const Function& function : row.functions) returns.push_back(function.returns);
    const std::string name = Name(*row.probe) + "/alone";
    if (const std::string calls = CallsInTurn(row); !calls.empty()) {
      context["absent"].push_back(Absent(name, "its functions call others in turn (" + calls +
                                                   "), and the price of those calls is not known"));
      continue;
    }
    const auto derived = WithoutCalls(std::string(row.probe->key), *cost, returns, prices);
    if (derived)
      context["derived"].push_back(DerivedJson(name, *derived));
    else
      context["absent"].push_back(
          Absent(name,
                 "the price of its calls is not known: no call of a known body that "
                 "returns as its functions do was measured undisturbed (rows call, call_thunk)"));
  }
}

Json LiveCodeJson(const std::vector<std::string>& symbols) {
  Json functions = Json::array();
  Json absent = Json::array();
  LiveCode live;
  for (const std::string& symbol : symbols) {
    try {
      for (const FunctionCode& code : live.ReadWithCallees(symbol)) {
        const std::string& name = code.symbol;
        if (std::any_of(functions.begin(), functions.end(),
                        [&](const Json& one) { return one["symbol"] == name; }))
          continue;
        Json json = FunctionJson(name, code.bytes, live.NamedTargets(code));
        json["address"] = HexadecimalNumber(code.address);
        functions.push_back(std::move(json));
      }
    } catch (const CodeError& error) {
      absent.push_back(Absent(symbol, error.what()));
    }
  }
  return CodeJson(functions, absent);
}

}  // namespace irqcost
