/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/bpf/live_code.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <fstream>
#include <system_error>
#include <utility>

#include "backends/bpf/unavailable.h"
#include "irqcost_live_code.skel.h"

namespace irqcost {
namespace {

// Far above any function that masks; a symbol followed by a hole in the map is no function.
constexpr std::uint64_t kLongestFunction = 1 << 16;

KernelSymbols ReadSymbols() {
  std::ifstream kallsyms("/proc/kallsyms");
  if (!kallsyms)
    throw CodeError(
        "/proc/kallsyms cannot be read: a kernel with CONFIG_KALLSYMS=y "
        "has it");
  return KernelSymbols(kallsyms);
}

bool IsReturnThunk(const std::string& symbol) { return symbol.ends_with("return_thunk"); }

}  // namespace

LiveCode::LiveCode() : symbols_(ReadSymbols()) {
  if (const auto unavailable = WhyNotLoadable())
    throw CodeError(unavailable->reason + ": " + unavailable->remedy);
  if (symbols_.Hidden())
    throw CodeError(
        "/proc/kallsyms hides the addresses from this process: run as root, or give it CAP_SYSLOG, "
        "too, and have kernel.kptr_restrict below 2 (sudo sysctl kernel.kptr_restrict=1)");
  libbpf_set_print(nullptr);
  program_ = irqcost_live_code_bpf::open_and_load();
  if (!program_)
    throw CodeError(
        "the kernel refuses a BPF program that reads its memory: lockdown in confidentiality mode "
        "forbids it");
}

LiveCode::~LiveCode() { irqcost_live_code_bpf::destroy(program_); }

FunctionCode LiveCode::Read(const std::string& symbol) {
  const std::vector<Extent> places = symbols_.Find(symbol);
  if (places.empty()) throw CodeError(symbol + ": this kernel has no such function");
  if (places.size() > 1)
    throw CodeError(symbol + ": this kernel has " + std::to_string(places.size()) +
                    " functions of that name");
  const Extent& place = places.front();
  if (place.size == 0 || place.size > kLongestFunction)
    throw CodeError(symbol + ": where it ends is not known");

  FunctionCode code{symbol, place.address, {}};
  while (code.bytes.size() < place.size) {
    program_->bss->address = place.address + code.bytes.size();
    LIBBPF_OPTS(bpf_test_run_opts, options);
    const int error = bpf_prog_test_run_opts(bpf_program__fd(program_->progs.read_code), &options);
    const long result = error != 0 ? error : program_->bss->result;
    if (result != 0)
      throw CodeError(symbol + ": reading it failed: " +
                      std::generic_category().message(static_cast<int>(-result)));
    const auto* chunk = program_->bss->bytes;
    code.bytes.insert(code.bytes.end(), chunk, chunk + sizeof(program_->bss->bytes));
  }
  code.bytes.resize(place.size);
  TrimPadding(code.bytes);
  return code;
}

std::vector<FunctionCode> LiveCode::ReadWithCallees(const std::string& symbol) {
  std::vector<FunctionCode> functions = {Read(symbol)};
  for (const auto& [offset, name] : NamedTargets(functions.front())) {
    if (std::any_of(functions.begin(), functions.end(),
                    [&name = name](const FunctionCode& code) { return code.symbol == name; }))
      continue;
    // What cannot be read for itself (a name that several functions share) is left to its caller.
    if (symbols_.Find(name).size() == 1) functions.push_back(Read(name));
  }
  return functions;
}

std::map<std::size_t, std::string> LiveCode::NamedTargets(const FunctionCode& code) const {
  std::map<std::size_t, std::string> named;
  for (const auto& [offset, address] : PossibleTargets(code))
    if (std::string name = symbols_.At(address); !name.empty()) named[offset] = std::move(name);
  return named;
}

bool LiveCode::ReturnsThroughThunk(const FunctionCode& code) const {
  const std::map<std::size_t, std::string> targets = NamedTargets(code);
  return std::any_of(targets.begin(), targets.end(),
                     [](const auto& target) { return IsReturnThunk(target.second); });
}

}  // namespace irqcost
