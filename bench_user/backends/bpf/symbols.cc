/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/bpf/symbols.h"

#include <algorithm>
#include <charconv>

namespace irqcost {

// A line is "ffffffff81000000 T _text", with "\t[module]" after it for a module's symbol.
KernelSymbols::KernelSymbols(std::istream& kallsyms) {
  for (std::string line; std::getline(kallsyms, line);) {
    std::uint64_t address = 0;
    const auto parsed = std::from_chars(line.data(), line.data() + line.size(), address, 16);
    const auto digits = static_cast<std::size_t>(parsed.ptr - line.data());
    if (parsed.ec != std::errc() || address == 0 || line.size() < digits + 4) continue;
    const char type = line[digits + 1];
    if (std::string_view("tTwW").find(type) == std::string_view::npos) continue;
    // BPF programs come and go, and are no functions of the kernel's.
    if (line.ends_with("[bpf]")) continue;
    const std::size_t start = digits + 3;
    const std::size_t size = std::min(line.find_first_of("\t ", start), line.size()) - start;
    symbols_.push_back({address, names_.size(), size});
    names_.append(line, start, size);
  }
  // Of several names at one address the first is the one that counts.
  std::ranges::stable_sort(symbols_, {}, &Symbol::address);
}

std::vector<Extent> KernelSymbols::Find(const std::string& name) const {
  std::vector<Extent> extents;
  for (const Symbol& symbol : symbols_) {
    if (NameOf(symbol) != name) continue;
    const auto next = std::ranges::upper_bound(symbols_, symbol.address, {}, &Symbol::address);
    extents.push_back(
        {symbol.address, next == symbols_.end() ? 0 : next->address - symbol.address});
  }
  return extents;
}

std::string KernelSymbols::At(std::uint64_t address) const {
  const auto at = std::ranges::lower_bound(symbols_, address, {}, &Symbol::address);
  if (at == symbols_.end() || at->address != address) return {};
  return std::string(NameOf(*at));
}

std::string_view KernelSymbols::NameOf(const Symbol& symbol) const {
  return std::string_view(names_).substr(symbol.name, symbol.size);
}

}  // namespace irqcost
