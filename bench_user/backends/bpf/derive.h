/* SPDX-License-Identifier: GPL-2.0-only */
// What a function costs without the price of calling it. Pure functions; how code is read differs
// by architecture (bench_user/arch). docs/method/bpf.md argues for them.
#ifndef IRQCOST_BENCH_USER_BACKENDS_BPF_DERIVE_H
#define IRQCOST_BENCH_USER_BACKENDS_BPF_DERIVE_H

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/backend.h"

namespace irqcost {

/** How a function comes back, as far as its bytes tell without decoding them. */
enum class Return {
  kDirect,     ///< by a ret of its own
  kThunk,      ///< through a return thunk
  kEither,     ///< one of both: it has, or may have, several returns
  kElsewhere,  ///< as the function does to which it jumps
};

/** @has_thunk: whether one of its jumps goes to a return thunk. Of the architecture. */
Return FindReturn(std::span<const std::uint8_t> code, bool has_thunk);

/** Functions by the offset of the call or jump that goes there. */
using NamedTargets = std::map<std::size_t, std::string>;

/** What a function goes on to. */
struct Within {
  std::vector<std::string> calls;
  std::vector<std::string> jumps;
};

/**
 * The functions that one calls and jumps to before it first returns, return thunks not among them.
 * What stands after the first return is reached by jumps alone, which is where compilers put slow
 * paths. Where a return is not seen for one, there are too many functions, not too few. Of the
 * architecture.
 */
Within FindWithin(std::span<const std::uint8_t> code, const NamedTargets& targets);

/** A row whose functions' bodies are known: it prices a call with its way of return. */
struct CallPrice {
  std::string probe;
  Cost cost;
  unsigned body_instructions = 0;  ///< in the body, beside entry and return
};

/** Instructions in the body of a function that serves as the price of a call, from its machine
 * code; nothing where the code is not one that is known. Of the architecture. */
std::optional<unsigned> KnownBodyInstructions(std::span<const std::uint8_t> code);

/** A derived figure: `low` and `high` enclose it. Core cycles. */
struct Derived {
  double core_cycles = 0;
  double low = 0;
  double high = 0;
  std::string formula;
  std::map<std::string, double> inputs;  ///< core cycles by probe
};

/**
 * A row less the price of its calls.
 * @returns: how each function that one operation calls comes back. For kEither it is priced
 *	between the two ways, and so for kElsewhere, if that is all that is known.
 * Nothing where a price is needed that was not measured.
 */
std::optional<Derived> WithoutCalls(const std::string& probe, Cost cost,
                                    std::span<const Return> returns,
                                    const std::map<Return, CallPrice>& prices);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_BPF_DERIVE_H
