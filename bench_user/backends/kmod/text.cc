/* SPDX-License-Identifier: GPL-2.0-only */
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
#include "backends/machine_code.h"

namespace irqcost {
namespace {

using Json = nlohmann::ordered_json;

// How `text` calls a row's window among the functions that it calls.
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

std::vector<ModuleText> Kmod::ReadTexts(const Probe& probe) const {
  std::vector<ModuleText> texts;
  const auto args = std::make_unique<irqcost_text>();
  for (std::uint32_t number = 0;; ++number) {
    *args = {};
    args->size = sizeof(*args);
    args->probe = probe.id;
    args->number = number;
    if (ioctl(fd_.Get(), IRQCOST_IOC_TEXT, args.get()) != 0) {
      const int error = errno;
      if (number == 0)
        throw TextError(std::string(kBackend) + std::string(probe.key) + ": " + WhyNot(error));
      if (error == ERANGE) return texts;
      continue;  // what cannot be read by itself is left to its caller, which names it
    }
    ModuleText text{number == 0 ? kWindowSymbol : Symbol(args->symbol), {}, {}};
    text.bytes.assign(args->bytes, args->bytes + args->length);
    TrimPadding(text.bytes);
    for (std::uint32_t i = 0; i < args->nr_targets; ++i)
      text.targets[args->targets[i].offset] = Symbol(args->targets[i].symbol);
    texts.push_back(std::move(text));
  }
}

void Kmod::Supplement(Json& context, const Costs& /*costs*/) {
  Json& module = context["build"]["module"];
  if (module.is_null()) module = {{"srcversion", nullptr}, {"build_id", nullptr}};
  module["compiler"] = std::string(info_.compiler, strnlen(info_.compiler, sizeof(info_.compiler)));
  module["privilege"] = info_.privilege;
  for (const Probe* probe : measured_) {
    try {
      for (const ModuleText& text : ReadTexts(*probe))
        AddFunction(context, std::string(kBackend) + std::string(probe->key),
                    FunctionJson(text.symbol, text.bytes, text.targets));
    } catch (const TextError& error) {
      // What refuses one row refuses all.
      context["absent"].push_back({{"name", "kmod: text"}, {"reason", error.what()}});
      return;
    }
  }
}

bool NamesModuleText(std::string_view name) { return name.starts_with(kBackend); }

Json ModuleTextJson(const std::string& device, const std::vector<std::string>& names) {
  const Kmod kmod(device);
  if (const auto obstacle = kmod.GetObstacle())
    throw TextError(obstacle->reason + "; " + obstacle->remedy);
  Json functions = Json::array();
  Json absent = Json::array();
  for (const std::string& name : names) {
    const std::string key = name.substr(kBackend.size());
    try {
      const Probe* probe = FindProbe(key);
      if (!probe) throw TextError(name + ": there is no such row");
      for (const ModuleText& text : kmod.ReadTexts(*probe)) {
        const std::string& symbol = text.symbol == kWindowSymbol ? name : text.symbol;
        functions.push_back(FunctionJson(symbol, text.bytes, text.targets));
      }
    } catch (const TextError& error) {
      absent.push_back({{"name", name}, {"reason", error.what()}});
    }
  }
  return {{"functions", functions}, {"absent", absent}};
}

}  // namespace irqcost
