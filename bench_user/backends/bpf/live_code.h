/* SPDX-License-Identifier: GPL-2.0-only */
// The kernel's functions as the CPU executes them: after alternatives, paravirt and retpoline
// patching, read through a BPF program.
#ifndef IRQCOST_BENCH_USER_BACKENDS_BPF_LIVE_CODE_H
#define IRQCOST_BENCH_USER_BACKENDS_BPF_LIVE_CODE_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "backends/bpf/symbols.h"
#include "backends/machine_code.h"

struct irqcost_live_code_bpf;

namespace irqcost {

/** A function's bytes. */
struct FunctionCode {
  std::string symbol;
  std::uint64_t address = 0;
  std::vector<std::uint8_t> bytes;  ///< up to the next symbol, without the padding before it
};

/** Addresses by the offset of the instruction that goes there. */
using Targets = std::map<std::size_t, std::uint64_t>;

/**
 * Addresses to which a function's direct calls and jumps may go. Of the architecture. Where
 * instructions differ in length the bytes are not decoded, so there are others among them; that one
 * of those is the start of a function by chance is as unlikely as 10^5 functions in 2^32 addresses
 * make it.
 */
Targets PossibleTargets(const FunctionCode& code);

class LiveCode {
 public:
  /** Reads the symbols and loads the program. Throws CodeError where this process may not. */
  LiveCode();
  ~LiveCode();
  LiveCode(const LiveCode&) = delete;
  LiveCode& operator=(const LiveCode&) = delete;

  /** Throws CodeError where there is no such function, or several, or it cannot be read. */
  FunctionCode Read(const std::string& symbol);

  /** A function and those it calls or jumps to, one level deep, return thunks among them. */
  std::vector<FunctionCode> ReadWithCallees(const std::string& symbol);

  /** Names of the functions that a function calls or jumps to, by the offset where it does. */
  [[nodiscard]] std::map<std::size_t, std::string> NamedTargets(const FunctionCode& code) const;

  /** Whether a return of the function goes through a thunk. */
  [[nodiscard]] bool ReturnsThroughThunk(const FunctionCode& code) const;

 private:
  KernelSymbols symbols_;
  irqcost_live_code_bpf* program_ = nullptr;
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_BPF_LIVE_CODE_H
