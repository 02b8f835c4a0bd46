/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/machine_code.h"

#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "backends/kmod/kmod.h"

namespace irqcost {
namespace {

using Json = nlohmann::ordered_json;

// How `machine_code` calls a row's window among the functions that it calls.
constexpr const char* kWindowSymbol = "window";
constexpr std::string_view kBackend = "kmod/";

std::string Symbol(const char (&field)[IRQCOST_SYMBOL_LEN]) {
  return {field, strnlen(field, sizeof(field))};
}

std::string WhyNot(int error) {
  switch (error) {
    case ENOENT:
      return "the module has no such row";
    case ENODATA:
      return "this kernel does not offer it";
    case ENOTTY:
      return "the module is older than this harness: build it from this source tree and load it "
             "again";
    case EPERM:
      return "instructions may hold addresses of the kernel: run as root, or give the harness "
             "CAP_SYSLOG, too";
    case EOPNOTSUPP:
      return "this kernel was built without CONFIG_KALLSYMS, so where a function ends is not known";
    default:
      return std::generic_category().message(error);
  }
}

}  // namespace

std::vector<ModuleCode> Kmod::ReadCode(const Probe& probe) const {
  std::vector<ModuleCode> functions;
  const auto args = std::make_unique<irqcost_text>();
  for (std::uint32_t number = 0;; ++number) {
    *args = {};
    args->size = sizeof(*args);
    args->probe = probe.id;
    args->number = number;
    if (ioctl(fd_.Get(), IRQCOST_IOC_TEXT, args.get()) != 0) {
      const int error = errno;
      if (number == 0)
        throw CodeError(std::string(kBackend) + std::string(probe.key) + ": " + WhyNot(error));
      if (error == ERANGE) return functions;
      continue;  // what cannot be read by itself is left to its caller, which names it
    }
    ModuleCode code{number == 0 ? kWindowSymbol : Symbol(args->symbol), {}, {}};
    code.bytes.assign(args->bytes, args->bytes + args->length);
    TrimPadding(code.bytes);
    for (std::uint32_t i = 0; i < args->nr_targets; ++i)
      code.targets[args->targets[i].offset] = Symbol(args->targets[i].symbol);
    functions.push_back(std::move(code));
  }
}

void Kmod::Supplement(Json& context, const Costs& /*costs*/) {
  Json& module = context["build"]["module"];
  if (module.is_null()) module = {{"srcversion", nullptr}, {"build_id", nullptr}};
  module["compiler"] = std::string(info_.compiler, strnlen(info_.compiler, sizeof(info_.compiler)));
  module["privilege"] = info_.privilege;
  for (const Probe* probe : measured_) {
    try {
      for (const ModuleCode& code : ReadCode(*probe))
        AddFunction(context, std::string(kBackend) + std::string(probe->key),
                    FunctionJson(code.symbol, code.bytes, code.targets));
    } catch (const CodeError& error) {
      // What refuses one row refuses all.
      context["absent"].push_back({{"name", "kmod: machine code"}, {"reason", error.what()}});
      return;
    }
  }
}

bool NamesModuleCode(std::string_view name) { return name.starts_with(kBackend); }

Json ModuleCodeJson(const std::string& device, const std::vector<std::string>& names) {
  const Kmod kmod(device);
  if (const auto unavailable = kmod.WhyUnavailable())
    throw CodeError(unavailable->reason + "; " + unavailable->remedy);
  Json functions = Json::array();
  Json absent = Json::array();
  for (const std::string& name : names) {
    const std::string key = name.substr(kBackend.size());
    try {
      const Probe* probe = FindProbe(key);
      if (!probe) throw CodeError(name + ": there is no such row");
      for (const ModuleCode& code : kmod.ReadCode(*probe)) {
        const std::string& symbol = code.symbol == kWindowSymbol ? name : code.symbol;
        functions.push_back(FunctionJson(symbol, code.bytes, code.targets));
      }
    } catch (const CodeError& error) {
      absent.push_back({{"name", name}, {"reason", error.what()}});
    }
  }
  return CodeJson(functions, absent);
}

}  // namespace irqcost
