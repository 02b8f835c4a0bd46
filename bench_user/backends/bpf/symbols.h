/* SPDX-License-Identifier: GPL-2.0-only */
// Where the kernel's functions lie: /proc/kallsyms.
#ifndef IRQCOST_BENCH_USER_BACKENDS_BPF_SYMBOLS_H
#define IRQCOST_BENCH_USER_BACKENDS_BPF_SYMBOLS_H

#include <cstdint>
#include <istream>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace irqcost {

/** A function's place. It ends where the next symbol begins, with whatever padding that leaves. */
struct Extent {
  std::uint64_t address = 0;
  std::uint64_t size = 0;  ///< 0 where no symbol follows
};

class KernelSymbols {
 public:
  /** Reads lines as /proc/kallsyms has them. */
  explicit KernelSymbols(std::istream& kallsyms);

  /** Whether the kernel showed no address at all: it then writes 0 for each. */
  [[nodiscard]] bool Hidden() const { return by_address_.empty(); }

  /** All functions of a name: static functions may share one. */
  [[nodiscard]] std::vector<Extent> Find(const std::string& name) const;

  /** A name of the function that begins at an address; empty where none does. */
  [[nodiscard]] std::string At(std::uint64_t address) const;

 private:
  std::map<std::uint64_t, std::string> by_address_;
  std::unordered_multimap<std::string, std::uint64_t> by_name_;
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_BPF_SYMBOLS_H
