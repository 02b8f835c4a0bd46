/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/bpf/symbols.h"

#include <charconv>
#include <string_view>

namespace irqcost {

// A line is "ffffffff81000000 T _text", with "\t[module]" behind it for a module's symbol.
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
    std::string name = line.substr(start, line.find_first_of("\t ", start) - start);
    by_name_.emplace(name, address);
    // Of several names at one address the first is kept.
    by_address_.emplace(address, std::move(name));
  }
}

std::vector<Extent> KernelSymbols::Find(const std::string& name) const {
  std::vector<Extent> extents;
  const auto [first, last] = by_name_.equal_range(name);
  for (auto at = first; at != last; ++at) {
    const auto next = by_address_.upper_bound(at->second);
    extents.push_back({at->second, next == by_address_.end() ? 0 : next->first - at->second});
  }
  return extents;
}

std::string KernelSymbols::At(std::uint64_t address) const {
  const auto at = by_address_.find(address);
  return at == by_address_.end() ? std::string() : at->second;
}

}  // namespace irqcost
