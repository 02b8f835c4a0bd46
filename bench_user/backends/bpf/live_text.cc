/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/bpf/live_text.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "backends/bpf/obstacle.h"
#include "irqcost_text.skel.h"

namespace irqcost {
namespace {

// Far above any function that masks; a symbol followed by a hole in the map is no function.
constexpr std::uint64_t kLongestFunction = 1 << 16;

KernelSymbols ReadSymbols() {
  std::ifstream kallsyms("/proc/kallsyms");
  if (!kallsyms)
    throw TextError(
        "/proc/kallsyms cannot be read: a kernel with CONFIG_KALLSYMS=y "
        "has it");
  return KernelSymbols(kallsyms);
}

bool IsReturnThunk(const std::string& symbol) { return symbol.ends_with("return_thunk"); }

}  // namespace

Targets PossibleTargets(const FunctionText& text) {
  constexpr std::size_t kLength = 5;
  Targets targets;
  for (std::size_t at = 0; at + kLength <= text.bytes.size(); ++at) {
    if (text.bytes[at] != 0xe8 && text.bytes[at] != 0xe9) continue;
    std::int32_t displacement = 0;
    std::memcpy(&displacement, &text.bytes[at + 1], sizeof(displacement));
    targets[at] =
        text.address + at + kLength + static_cast<std::uint64_t>(std::int64_t{displacement});
  }
  return targets;
}

LiveText::LiveText() : symbols_(ReadSymbols()) {
  if (const auto obstacle = FindLoadObstacle())
    throw TextError(obstacle->reason + ": " + obstacle->remedy);
  if (symbols_.Hidden())
    throw TextError(
        "/proc/kallsyms hides the addresses from this process: run as root, or give it CAP_SYSLOG, "
        "too, and have kernel.kptr_restrict below 2 (sudo sysctl kernel.kptr_restrict=1)");
  libbpf_set_print(nullptr);
  program_ = irqcost_text_bpf::open_and_load();
  if (!program_)
    throw TextError(
        "the kernel refuses a BPF program that reads its memory: lockdown in confidentiality mode "
        "forbids it");
}

LiveText::~LiveText() { irqcost_text_bpf::destroy(program_); }

FunctionText LiveText::Read(const std::string& symbol) {
  const std::vector<Extent> places = symbols_.Find(symbol);
  if (places.empty()) throw TextError(symbol + ": this kernel has no such function");
  if (places.size() > 1)
    throw TextError(symbol + ": this kernel has " + std::to_string(places.size()) +
                    " functions of that name");
  const Extent& place = places.front();
  if (place.size == 0 || place.size > kLongestFunction)
    throw TextError(symbol + ": where it ends is not known");

  FunctionText text{symbol, place.address, {}};
  while (text.bytes.size() < place.size) {
    program_->bss->address = place.address + text.bytes.size();
    LIBBPF_OPTS(bpf_test_run_opts, options);
    const int error = bpf_prog_test_run_opts(bpf_program__fd(program_->progs.read_text), &options);
    const long result = error != 0 ? error : program_->bss->result;
    if (result != 0)
      throw TextError(symbol + ": reading it failed: " +
                      std::generic_category().message(static_cast<int>(-result)));
    const auto* chunk = program_->bss->bytes;
    text.bytes.insert(text.bytes.end(), chunk, chunk + sizeof(program_->bss->bytes));
  }
  text.bytes.resize(place.size);
  TrimPadding(text.bytes);
  return text;
}

std::vector<FunctionText> LiveText::ReadWithCallees(const std::string& symbol) {
  std::vector<FunctionText> texts = {Read(symbol)};
  for (const auto& [offset, name] : NamedTargets(texts.front())) {
    if (std::any_of(texts.begin(), texts.end(),
                    [&name = name](const FunctionText& text) { return text.symbol == name; }))
      continue;
    // What cannot be read for itself (a name that several functions share) is left to its caller.
    if (symbols_.Find(name).size() == 1) texts.push_back(Read(name));
  }
  return texts;
}

std::map<std::size_t, std::string> LiveText::NamedTargets(const FunctionText& text) const {
  std::map<std::size_t, std::string> named;
  for (const auto& [offset, address] : PossibleTargets(text))
    if (std::string name = symbols_.At(address); !name.empty()) named[offset] = std::move(name);
  return named;
}

bool LiveText::ReturnsThroughThunk(const FunctionText& text) const {
  const std::map<std::size_t, std::string> targets = NamedTargets(text);
  return std::any_of(targets.begin(), targets.end(),
                     [](const auto& target) { return IsReturnThunk(target.second); });
}

}  // namespace irqcost
