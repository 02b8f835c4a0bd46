/* SPDX-License-Identifier: GPL-2.0-only */
// Where the kernel's functions lie: /proc/kallsyms.
#ifndef IRQCOST_BENCH_USER_BACKENDS_BPF_SYMBOLS_H
#define IRQCOST_BENCH_USER_BACKENDS_BPF_SYMBOLS_H

#include <cstdint>
#include <istream>
#include <string>
#include <string_view>
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
  [[nodiscard]] bool Hidden() const { return symbols_.empty(); }

  /** All functions of a name: static functions may share one. */
  [[nodiscard]] std::vector<Extent> Find(const std::string& name) const;

  /** A name of the function that begins at an address; empty where none does. */
  [[nodiscard]] std::string At(std::uint64_t address) const;

 private:
  // A kernel has 100,000 of them and more, and each process of the harness reads them: they are
  // kept in one piece, by address, and few are ever looked for by name.
  struct Symbol {
    std::uint64_t address = 0;
    std::size_t name = 0;  // where it begins in names_
    std::size_t size = 0;
  };

  [[nodiscard]] std::string_view NameOf(const Symbol& symbol) const;

  std::vector<Symbol> symbols_;
  std::string names_;
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_BPF_SYMBOLS_H
